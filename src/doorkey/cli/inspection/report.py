"""The report about one token, as a value and as JSON. It has everything that `doorkey inspect` shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from doorkey.cli.inspection.checks import Expected, assess
from doorkey.cli.inspection.problems import Problem
from doorkey.cli.inspection.reading import EncryptedToken, OpaqueToken, SignedToken
from doorkey.cli.inspection.verifying import Signature
from doorkey.cli.times import absolute, relative
from doorkey.errors import VerificationError
from doorkey.jose.claim_rules import numeric_date

TIMES: Final = ("iat", "auth_time", "nbf", "exp", "updated_at")


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The results of the inspection of a token.

    kind: the kind of the token, in words.
    header, claims: the members of the token; None for unreadable claims.
    times: the claims that are times, each as an absolute and a relative time in words.
    signature: the result of the signature check; None if no signature was checked.
    problems: all problems of the token.
    unverified: the facts that were not verified, and the options that verify them.
    introspection: the introspection response of the issuer, or None.
    """

    kind: str
    header: Mapping[str, Any] = field(default_factory=dict[str, Any], repr=False)
    claims: Mapping[str, Any] | None = field(default=None, repr=False)
    times: Mapping[str, tuple[str, str]] = field(default_factory=dict[str, tuple[str, str]])
    signature: Signature | None = None
    problems: tuple[Problem, ...] = ()
    unverified: tuple[str, ...] = ()
    introspection: Mapping[str, Any] | None = field(default=None, repr=False)

    @property
    def exit_code(self) -> int:
        """The exit status: 0 without problems, 1 with problems, 4 if no keys were available to check the signature."""
        if self.problems:
            return 1
        return 4 if self.signature is not None and self.signature.unreachable else 0

    def as_json(self) -> dict[str, Any]:
        """Return the report as the JSON object that `--json` prints."""
        signature = self.signature
        return {
            "kind": self.kind,
            "header": dict(self.header),
            "claims": None if self.claims is None else dict(self.claims),
            "times": {name: {"at": at, "relative": words} for name, (at, words) in self.times.items()},
            "signature": None if signature is None else {"verified": signature.verified, "message": signature.words},
            "problems": [asdict(problem) for problem in self.problems],
            "not_verified": list(self.unverified),
            "introspection": None if self.introspection is None else dict(self.introspection),
        }


def times_of(claims: Mapping[str, Any], now: float) -> dict[str, tuple[str, str]]:
    """Return the claims that are times, each as an absolute time and relative to `now` (seconds since the epoch)."""
    times: dict[str, tuple[str, str]] = {}
    for name in TIMES:
        try:
            at = numeric_date(claims, name)
        except VerificationError:
            continue
        if at is not None:
            times[name] = (absolute(at), relative(at, now))
    return times


def report_of(token: SignedToken, expected: Expected, signature: Signature, now: float) -> Report:
    """Return the report about a signed token.

    expected: the user's expectations.
    signature: the result of the signature check.
    now: seconds since the epoch.
    """
    assessment = assess(token.header, token.claims, expected, now)
    unverified = assessment.unverified
    if signature.verified is None:
        unverified = (f"the signature: {signature.words}", *unverified)
    problems = assessment.problems if signature.problem is None else (signature.problem, *assessment.problems)
    return Report(
        kind=assessment.kind,
        header=token.header,
        claims=token.claims,
        times=times_of(token.claims, now),
        signature=signature,
        problems=problems,
        unverified=(*unverified, *_leeway_note(token.claims, expected.leeway, now)),
    )


def _leeway_note(claims: Mapping[str, Any], leeway: float, now: float) -> tuple[str, ...]:
    try:
        expires = numeric_date(claims, "exp")
    except VerificationError:
        return ()
    if expires is None or not expires <= now < expires + leeway:
        return ()
    return (f"the expiry: exp is in the past, but within the leeway of {leeway:g} seconds for two clocks",)


def encrypted_report(token: EncryptedToken) -> Report:
    """Return the report about an encrypted token, which only its recipient can read (RFC 7516)."""
    alg = token.header.get("alg")
    why = f"is encrypted (JWE, {alg}): only the holder of the recipient's key can read its claims"
    return Report(kind="an encrypted token", header=token.header, problems=(Problem("token", f"the token {why}"),))


def introspected_report(
    token: SignedToken | EncryptedToken | OpaqueToken, members: Mapping[str, Any], now: float
) -> Report:
    """Return the report about a token that its issuer introspected (RFC 7662 §2.2).

    members: the members of the introspection response.
    now: seconds since the epoch.
    """
    problems: tuple[Problem, ...] = ()
    if members.get("active") is not True:
        message = "the issuer reports that the token is not active: it has expired, was revoked, or is unknown to it"
        problems = (Problem("active", message),)
    return Report(
        kind="an opaque token" if isinstance(token, OpaqueToken) else "a token",
        header={} if isinstance(token, OpaqueToken) else token.header,
        claims=token.claims if isinstance(token, SignedToken) else None,
        times=times_of(members, now),
        problems=problems,
        unverified=("the audience and the scopes: compare them with what your API needs",) if not problems else (),
        introspection=members,
    )

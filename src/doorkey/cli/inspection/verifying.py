"""Verifies the signature of a token with the keys of its issuer or of the user, and introspects a token."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import urlsplit

from doorkey.cli.inspection.problems import Problem, problem_of
from doorkey.cli.inspection.reading import SignedToken
from doorkey.errors import InvalidResponse, OAuthError, ServerError, TransportError, UsageError, VerificationError
from doorkey.jose.algorithms import ALGORITHMS, ASYMMETRIC
from doorkey.jose.keys import Key, import_key, import_keys
from doorkey.jose.verification import verify
from doorkey.oidc.core.algorithms import accepted_algorithms
from doorkey.protocol.introspection import Introspection
from doorkey.resource.core import digest_of
from doorkey.resource.introspector import Introspector
from doorkey.resource.trusted_issuer import IntrospectionClient
from doorkey.sources.id_tokens import ID_TOKEN_ALGORITHMS
from doorkey.sources.issuer import Issuer
from doorkey.values import Secret, hides_locals
from doorkey.wire.urls import check_endpoint, is_loopback, shown_url

_UNREACHABLE: Final = (TransportError, InvalidResponse, ServerError)


@dataclass(frozen=True, slots=True)
class Signature:
    """The result of a signature check.

    verified: whether the signature is valid; None if it was not checked.
    words: the result in words.
    problem: the problem of an invalid signature.
    unreachable: there are no keys, or they could not be fetched.
    issuer_is_claim: the keys are those of the issuer that the token itself names. Anyone can sign such a token.
    """

    verified: bool | None
    words: str
    problem: Problem | None = None
    unreachable: bool = False
    issuer_is_claim: bool = False


def issuer_of(token: SignedToken) -> str | None:
    """Return the issuer that a token names, if keys may be fetched from it: an https URL, or one on this machine."""
    named = token.claims.get("iss")
    if not isinstance(named, str) or len(named) > 2000:
        return None
    try:
        check_endpoint(named, "issuer")
    except UsageError:
        return None
    return named


def unfetchable(token: SignedToken) -> str:
    """Return the reason for which no keys are fetched for a token, if the user has not named its issuer."""
    named = token.claims.get("iss")
    if not isinstance(named, str) or not named:
        return "not checked: the token names no issuer (iss); give --issuer URL or --key FILE"
    return (
        f"not checked: the issuer {shown_url(named)!r} is neither an https URL nor on this machine; "
        "give --issuer URL or --key FILE"
    )


def read_keys(content: bytes) -> tuple[Key, ...]:
    """Return the keys of a file: a JWK Set, a JWK, PEM, or the text of a shared secret.

    Raises `UsageError` for a file without usable keys.
    """
    text = content.strip()
    if text.startswith((b"{", b"-----BEGIN")):
        keys = import_keys(text)
    else:
        keys = (import_key(Secret(text.decode("utf-8", "replace"))),)
    if not keys:
        raise UsageError("the file of --key contains no key that verifies signatures")
    return keys


@hides_locals
def with_keys(token: SignedToken, keys: tuple[Key, ...], now: float) -> Signature:
    """Check the signature of `token` with the user's own `keys`. `now` is in seconds since the epoch."""
    return _verdict(token, lambda check: check(keys), "the given key", tuple(ALGORITHMS), now)


@hides_locals
def with_issuer(
    token: SignedToken, issuer: Issuer, kind: str | None, now: float, *, is_claim: bool = False
) -> Signature:
    """Check the signature of `token` with the published keys of `issuer`.

    kind: `id` for an ID token. Its algorithm must be one that the issuer's metadata lists.
    now: seconds since the epoch.
    is_claim: whether only the token itself names this issuer.
    """
    host = urlsplit(issuer.issuer).netloc
    try:
        metadata = issuer.metadata()
        allowed = accepted_algorithms((), metadata.extra, ID_TOKEN_ALGORITHMS) if kind == "id" else ASYMMETRIC
    except _UNREACHABLE as error:
        return _unchecked(error)
    except VerificationError as wrong:
        return _invalid(wrong, token, now)
    key_origin = (
        f"the keys of {host}, which the token itself names as its issuer" if is_claim else f"the keys of {host}"
    )
    return replace(_verdict(token, issuer.checked, key_origin, allowed, now), issuer_is_claim=is_claim)


def _verdict(
    token: SignedToken,
    checked: Callable[[Callable[[tuple[Key, ...]], Any]], Any],
    key_origin: str,
    allowed: tuple[str, ...],
    now: float,
) -> Signature:
    found: list[Key] = []

    def check(keys: tuple[Key, ...]) -> None:
        found[:] = keys
        verify(token.token.reveal(), keys, algorithms=allowed)

    try:
        checked(check)
    except VerificationError as wrong:
        return _invalid(wrong, token, now, _key_ids(found) if wrong.claim == "kid" else None)
    except _UNREACHABLE as error:
        return _unchecked(error)
    alg, kid = token.header.get("alg"), token.header.get("kid")
    named = f", key {kid!r}" if isinstance(kid, str) else ""
    return Signature(verified=True, words=f"verified with {key_origin} ({alg}{named})")


def _invalid(wrong: VerificationError, token: SignedToken, now: float, expected: str | None = None) -> Signature:
    problem = problem_of(wrong, token.header, now)
    if expected is not None:
        problem = Problem(problem.claim, problem.message, expected, problem.got)
    return Signature(verified=False, words=f"invalid: {problem.message}", problem=problem)


def _key_ids(keys: list[Key]) -> str:
    return ", ".join(repr(key.kid) for key in keys[:10]) or "no key"


def _unchecked(error: OAuthError) -> Signature:
    return Signature(
        verified=None, words=f"not checked: the keys of the issuer could not be fetched: {error}", unreachable=True
    )


@hides_locals
def introspected(token: Secret, issuer: Issuer, client_id: str, client_secret: Secret | None) -> Introspection:
    """Send `token` to the introspection endpoint of `issuer`, and return the response (RFC 7662 §2).

    client_id, client_secret: the client that sends the request.

    Raises `TransportError`, `ServerError` or `InvalidResponse`.
    """
    client = IntrospectionClient(client_id=client_id, client_secret=client_secret, audience_required=False)
    clock = issuer._clock
    introspector = Introspector(client, issuer._core, issuer._server, (), clock=clock, leeway=0.0, entries=1)
    text = token.reveal()
    return issuer._blocking.run(introspector.members(text, digest_of(text))).value


def contacts(issuer: str) -> str:
    """Return the message that names the host from which the keys of `issuer` are fetched."""
    parts = urlsplit(issuer)
    where = " on this machine" if is_loopback(parts.hostname or "") else ""
    return f"fetching the keys of the issuer from {parts.netloc}{where}"

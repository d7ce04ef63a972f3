"""The library's checks that apply to a token, and the facts that they cannot verify without more options."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from doorkey.cli.inspection.problems import Check, Members, Problem, ValidValues, every_problem
from doorkey.errors import VerificationError
from doorkey.jose.claim_rules import audiences
from doorkey.jose.claims import JWTClaims
from doorkey.jose.verification import VerifiedToken
from doorkey.oidc.core.expectations import ExpectedIDToken
from doorkey.protocol.access_token import check_kind, check_use
from doorkey.protocol.token_profiles import ENTRA, KEYCLOAK, RFC9068, TokenProfile

ID: Final = "id"
ACCESS: Final = "access"
OTHER: Final = "other"

_ID_ONLY: Final = ("nonce", "at_hash", "c_hash", "s_hash", "auth_time")
_ANY_AUDIENCE: Final = "audience"
_KINDS: Final = {ID: "an ID token", ACCESS: "an access token", OTHER: "a JWT of another kind"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """The expectations of the user about the token.

    issuer: the exact issuer; None if it is unknown.
    audience: the client ID of an ID token, or the names of the API of an access token; empty accepts any audience.
    kind: `id` or `access`; None: the kind follows from the token.
    profile: the profile of an access token; None: the profile follows from the token.
    leeway: seconds by which two clocks may differ.
    """

    issuer: str | None = None
    audience: tuple[str, ...] = ()
    kind: str | None = None
    profile: TokenProfile | None = None
    leeway: float = 60.0


@dataclass(frozen=True, slots=True)
class Assessment:
    """The kind of a token in words, its problems, and the facts that were not verified."""

    kind: str
    problems: tuple[Problem, ...]
    unverified: tuple[str, ...]


def kind_of(header: Mapping[str, Any], claims: Mapping[str, Any]) -> str:
    """Return the kind that header and claims imply: `id`, `access` or `other` (RFC 9068 §2.1)."""
    typ = str(header.get("typ", "JWT")).lower().removeprefix("application/")
    named = str(claims.get("typ", "")).lower()
    if typ == "at+jwt" or named in ("bearer", "dpop"):
        return ACCESS
    if typ != "jwt" or named in ("refresh", "offline", "logout") or "events" in claims:
        return OTHER
    if named == "id" or any(name in claims for name in _ID_ONLY):
        return ID
    return ACCESS if {"scope", "scp", "client_id", "roles"} & claims.keys() else OTHER


def profile_of(header: Mapping[str, Any], claims: Mapping[str, Any]) -> TokenProfile | None:
    """Return the profile of an access token that header and claims imply, or None if they imply no profile."""
    typ = str(header.get("typ", "JWT")).lower().removeprefix("application/")
    if typ == "at+jwt" and "typ" not in claims:
        return RFC9068
    if "typ" in claims:
        return KEYCLOAK
    return ENTRA if "tid" in claims else None


def assess(header: Mapping[str, Any], claims: Mapping[str, Any], expected: Expected, now: float) -> Assessment:
    """Return every problem of the claims of a token at `now`, in seconds since the epoch.

    header, claims: the header and the claims of the token.
    expected: the user's expectations.
    """
    kind = expected.kind or kind_of(header, claims)
    named = claims.get("iss")
    issuer = expected.issuer or (named if isinstance(named, str) and named else "issuer")
    audience = expected.audience or _own_audience(claims)
    unverified: list[str] = []
    if expected.issuer is None:
        unverified.append("the issuer: it is the token's own claim; --issuer URL names the one that you trust")
    if not expected.audience and kind != OTHER:
        what = "client ID" if kind == ID else "name of your API"
        unverified.append(f"the audience: --audience TEXT compares it with the {what}")
    if kind == ID:
        unverified.append("the nonce: only the program that began the login knows it")
        check = _id_token(issuer, audience, expected.leeway, now)
        types: tuple[str, ...] = ("JWT",)
    elif kind == ACCESS:
        profile = expected.profile or profile_of(header, claims)
        if profile is None:
            unverified.append("that it is an access token: header and claims do not show it; --profile NAME decides")
        check = _access_token(profile, issuer, audience, expected.leeway, now)
        types = profile.types if profile else ("JWT",)
    else:
        unverified.append("its purpose: it is neither an ID token nor an access token; --type checks it as one")
        check, types = _any_token(issuer, expected.leeway, now), ("JWT",)
    if "cnf" in claims:
        unverified.append("the sender: the token is bound to a key (cnf), which only a request can prove")
    own_type = "Bearer" if kind == ACCESS else "ID"
    valid = {"iss": issuer, "aud": list(audience), "azp": audience[0], "typ": own_type}
    problems = every_problem(check, header, claims, ValidValues(types=types, claims=valid), now)
    return Assessment(_KINDS[kind], problems, tuple(unverified))


def _own_audience(claims: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the token's own audience, which passes every comparison. It is used if the user gave no audience."""
    azp = claims.get("azp")
    try:
        found = tuple(audiences(claims))
    except VerificationError:
        found = ()
    if isinstance(azp, str) and azp in found:
        return (azp, *found)
    return found or (_ANY_AUDIENCE,)


def _id_token(issuer: str, audience: tuple[str, ...], leeway: float, now: float) -> Check:
    client_id, *others = audience
    expected = ExpectedIDToken(
        issuer=issuer, client_id=client_id, any_nonce=True, trusted_audiences=others, leeway=leeway
    )

    def check(header: Members, claims: Members) -> None:
        expected.checked(VerifiedToken(header, claims), now)

    return check


def _access_token(
    profile: TokenProfile | None, issuer: str, audience: tuple[str, ...], leeway: float, now: float
) -> Check:
    def check(header: Members, claims: Members) -> None:
        if profile is not None:
            check_kind(header, claims, profile)
        check_use(claims, issuer=issuer, audience=audience, now=now, leeway=leeway)

    return check


def _any_token(issuer: str, leeway: float, now: float) -> Check:
    def check(header: Members, claims: Members) -> None:
        rules = {"iss": {"value": issuer}} if "iss" in claims else {}
        JWTClaims(claims, header, rules).validate(now, leeway)

    return check

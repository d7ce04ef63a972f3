"""Reading tokens of this issuer: whether a token was issued here, is of the expected kind, and is still valid."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from doorkey.errors import InvalidToken, OAuthError, VerificationError
from doorkey.jose.claim_rules import audiences, numeric_date
from doorkey.jose.keys import Key
from doorkey.jose.verification import VerifiedToken, verify
from doorkey.server.context import At
from doorkey.server.registrations import User
from doorkey.server.storage.effects import FindSession, FindUser, IsRevoked, NotBefore
from doorkey.server.tokens.claims import is_service_account
from doorkey.server.tokens.keys import REFRESH_ALG
from doorkey.server.tokens.kinds import ACCESS, AT_JWT, CONSENT, ID, LOGIN, REFRESH
from doorkey.wire.flow import Flow

_TEXTS = ("azp", "jti", "sub", "sid", "gid", "scope")


def read_own(at: At, token: str, kind: str) -> Mapping[str, Any] | None:
    """Return the claims of a token of this issuer and this `kind`, expired or not. Return None for any other text."""
    if kind in (REFRESH, LOGIN, CONSENT):
        found = _verified(token, (at.keys.refresh,), (REFRESH_ALG,))
    else:
        found = _verified(token, at.keys.verifying, at.keys.algorithms)
    claims = None if found is None else _normalized(found)
    if claims is None or claims.get("iss") != at.issuer or claims.get("typ") != kind:
        return None
    return claims if _has_own_claims(claims, kind) else None


def is_expired(at: At, claims: Mapping[str, Any]) -> bool:
    """Return whether the token has expired."""
    return bool(claims["exp"] <= at.now)


def tokens_of_client(client_id: str) -> str:
    """Return the `jti` under which all access tokens of a deleted client are revoked together."""
    return f"client/{client_id}"


def is_revoked(claims: Mapping[str, Any], kind: str) -> Flow[bool]:
    """Return whether the token was revoked by itself, with its client, or with all earlier tokens of its kind."""
    if (yield from IsRevoked(claims["jti"])) or (yield from IsRevoked(tokens_of_client(str(claims.get("azp"))))):
        return True
    return bool(claims["iat"] < (yield from NotBefore(kind)))


def live_access_token(at: At, token: str) -> Flow[tuple[Mapping[str, Any], User | None]]:
    """Return the claims of a valid access token, and its user, or None for a client's own account.

    Raises `InvalidToken` for a token that this issuer did not issue, that is expired or revoked, or whose session,
    grant or user does not exist any more.
    """
    claims = read_own(at, token, ACCESS)
    if claims is None or is_expired(at, claims) or (yield from is_revoked(claims, ACCESS)):
        raise InvalidToken(description="Token verification failed", status=401)
    if "sid" not in claims:
        user = yield from FindUser(claims["sub"])
        if user is None and not is_service_account(claims):
            raise InvalidToken(description="user_not_found", status=401)
        return claims, user
    session = yield from FindSession(claims["sid"])
    user = (yield from FindUser(session.sub)) if session else None
    if session is None or session.grant(claims["gid"]) is None or user is None:
        raise InvalidToken(description="user_session_not_found", status=401)
    return claims, user


def _has_own_claims(claims: Mapping[str, Any], kind: str) -> bool:
    """Return whether the claims that the server sets in a token of this `kind` are present and of their types.

    They may be missing or wrong only in a token that was minted for a test.
    """
    try:
        is_timed = None not in [numeric_date(claims, name) for name in ("exp", "iat")]
        audiences(claims)
    except VerificationError:
        return False
    needed = {ID: ("azp",), ACCESS: ("azp", "jti", "gid" if "sid" in claims else "sub")}.get(kind, ())
    return (is_timed or kind != ACCESS) and all(
        isinstance(claims.get(name, None if name in needed else ""), str) for name in _TEXTS
    )


def _normalized(token: VerifiedToken) -> Mapping[str, Any]:
    """Return the claims of a token with `typ` and `azp`, also for a token of RFC 9068, which lacks these two."""
    if token.header["typ"] != AT_JWT:
        return token.claims
    return {**token.claims, "typ": ACCESS, "azp": token.claims.get("client_id")}


def _verified(token: str, keys: tuple[Key, ...], algorithms: tuple[str, ...]) -> VerifiedToken | None:
    try:
        return verify(token, keys, algorithms=algorithms, typ=("JWT", AT_JWT))
    except OAuthError:
        return None

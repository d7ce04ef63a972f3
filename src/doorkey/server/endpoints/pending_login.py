"""A login in progress: the authorization request, sealed into the login form.

The server stores nothing about a login until a password was right, so visits to the authorization endpoint cannot fill
its store. The seal is a JWT signed with the key that only this server holds.
"""

from __future__ import annotations

from dataclasses import asdict

from doorkey.errors import InvalidRequest
from doorkey.jose.signing import sign
from doorkey.server.context import At
from doorkey.server.model import AuthorizationRequest, PendingLogin
from doorkey.server.tokens.keys import REFRESH_ALG
from doorkey.server.tokens.kinds import LOGIN
from doorkey.server.tokens.reading import is_expired, read_own

MAX_SEALED = 32 * 1024
"""The length of a sealed login: a longer one would not fit the limits of what reads it back."""


def sealed(login: PendingLogin, at: At) -> str:
    """Return `login` as text for a form. Raises `InvalidRequest` if the authorization request is too long."""
    claims = {
        "typ": LOGIN,
        "iss": at.issuer,
        "jti": login.id,
        "exp": login.expires_at,
        "browser": login.browser,
        "request": asdict(login.request),
    }
    text = sign(claims, at.keys.refresh, alg=REFRESH_ALG)
    if len(text) > MAX_SEALED:
        raise InvalidRequest(description="The authorization request is too long.", status=400)
    return text


def unsealed(text: str, at: At) -> PendingLogin | None:
    """Return the login in `text`, or None if it is not one of this issuer's or has expired."""
    claims = read_own(at, text, LOGIN)
    if claims is None or is_expired(at, claims):
        return None
    return PendingLogin(claims["jti"], AuthorizationRequest.of(claims["request"]), claims["browser"], claims["exp"])

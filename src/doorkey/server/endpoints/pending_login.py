"""A login or a consent in progress: the authorization request, sealed into the form.

The server stores nothing about a login before a correct password, so visits to the authorization endpoint cannot fill
its store. The seal is a JWT, signed with a key that only this server has.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from doorkey.errors import InvalidRequest
from doorkey.jose.signing import sign
from doorkey.server.context import At
from doorkey.server.model import AuthorizationRequest, PendingLogin
from doorkey.server.tokens.keys import REFRESH_ALG
from doorkey.server.tokens.reading import is_expired, read_own

MAX_SEALED = 32 * 1024
"""The limit for a sealed login, in characters: a longer text would exceed the limits for reading it back."""


def sealed(login: PendingLogin, at: At, kind: str) -> str:
    """Return `login` as text for a form of this `kind`.

    Raises `InvalidRequest` if the authorization request is too long.
    """
    request = login.request
    claims = {
        "typ": kind,
        "iss": at.issuer,
        "jti": login.id,
        "exp": login.expires_at,
        "browser": login.browser,
        "request": None if request is None else asdict(request),
        "device": login.device,
    }
    text = sign(claims, at.keys.refresh, alg=REFRESH_ALG)
    if len(text) > MAX_SEALED:
        raise InvalidRequest(description="The authorization request is too long.", status=400)
    return text


def unsealed(text: str, at: At, kind: str) -> PendingLogin | None:
    """Return the login in `text`, or None unless this issuer sealed it as this `kind` and it has not expired."""
    claims = read_own(at, text, kind)
    if claims is None or is_expired(at, claims):
        return None
    request = None if claims["request"] is None else AuthorizationRequest.of(claims["request"])
    device: Any = claims.get("device")
    return PendingLogin(claims["jti"], request, claims["browser"], claims["exp"], tuple(device) if device else None)

"""Taking a bearer token from a request, and the challenge when it will not do (RFC 6750 §2.1, §3)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from doorkey.errors import InvalidToken
from doorkey.protocol.flow import Flow
from doorkey.protocol.http import Pairs, Request
from doorkey.server.context import At
from doorkey.server.model import User
from doorkey.server.tokens import live_access_token

_BEARER = re.compile(r"bearer +([A-Za-z0-9\-._~+/]+=*) *", re.IGNORECASE)


def bearer_token(request: Request) -> str | None:
    """Return the token in `Authorization: Bearer`, or None."""
    match = _BEARER.fullmatch(request.header("authorization") or "")
    return match[1] if match else None


def challenge(realm: str, error: str | None = None, description: str | None = None) -> Pairs:
    """Return the `WWW-Authenticate` header of a refusal; without an error if no token was sent (RFC 6750
    §3.1)."""
    parts = [f'realm="{realm}"']
    parts += [f'error="{error}"'] if error else []
    parts += [f'error_description="{description}"'] if description else []
    return (("WWW-Authenticate", "Bearer " + ", ".join(parts)),)


def authorized(
    request: Request, at: At, realm: str, description: str = "Token verification failed"
) -> Flow[tuple[Mapping[str, Any], User | None]]:
    """Return the claims of the request's access token and its user. Raises `InvalidToken` with a
    challenge."""
    token = bearer_token(request)
    if token is None:
        raise InvalidToken(description=description, status=401, headers=challenge(realm))
    found = yield from live_access_token(at, token)
    if found is None:
        headers = challenge(realm, "invalid_token", description)
        raise InvalidToken(description=description, status=401, headers=headers)
    return found

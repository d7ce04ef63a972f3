"""Taking a bearer token from a request, and the challenge if it is missing or invalid (RFC 6750 §2, §3)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from doorkey.errors import InvalidRequest, InvalidToken
from doorkey.server.context import At
from doorkey.server.registrations import User
from doorkey.server.responses.parameters import form_of, has_form
from doorkey.server.tokens.reading import live_access_token
from doorkey.wire.flow import Flow
from doorkey.wire.messages import Pairs, Request

_BEARER = re.compile(r"bearer +([A-Za-z0-9\-._~+/]+=*) *", re.IGNORECASE)


def bearer_token(request: Request, *, in_form: bool = False) -> str | None:
    """Return the token in `Authorization: Bearer`, or with `in_form` in the form of a POST request, or None.

    Raises `InvalidRequest` for a token in both places (RFC 6750 §2).
    """
    match = _BEARER.fullmatch(request.header("authorization") or "")
    in_header = match[1] if match else None
    if not in_form or request.method != "POST" or not has_form(request):
        return in_header
    posted = form_of(request).get("access_token")
    if in_header is not None and posted is not None:
        raise InvalidRequest(description="two access tokens in one request", status=400)
    return in_header or posted


def challenge(realm: str, error: str | None = None, description: str | None = None) -> Pairs:
    """Return the header with the challenge. It must have no `error` if no token was sent (RFC 6750 §3.1)."""
    parts = [f'realm="{realm}"']
    parts += [f'error="{error}"'] if error else []
    parts += [f'error_description="{description}"'] if description else []
    return (("WWW-Authenticate", "Bearer " + ", ".join(parts)),)


def authorized(
    request: Request, at: At, realm: str, *, in_form: bool = False
) -> Flow[tuple[Mapping[str, Any], User | None]]:
    """Return the claims of the request's access token, and its user, or None for a client's own account.

    Raises `InvalidToken` with a challenge, or `InvalidRequest` for two tokens.
    """
    token = bearer_token(request, in_form=in_form)
    if token is None:
        raise InvalidToken(status=401, headers=challenge(realm))
    try:
        return (yield from live_access_token(at, token))
    except InvalidToken as error:
        headers = challenge(realm, error.error, error.description)
        raise InvalidToken(description=error.description, status=401, headers=headers) from None

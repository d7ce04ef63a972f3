"""UserInfo: fetches the claims about the user of an access token (OpenID Connect Core §5.3)."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any, Final

from doorkey.errors import InsufficientScope, InvalidResponse, InvalidToken
from doorkey.protocol.bearer import place
from doorkey.protocol.challenge import bearer_error, is_invalid_token
from doorkey.tokens import OAuthToken
from doorkey.values import Secret
from doorkey.wire.error_context import names_exchange
from doorkey.wire.messages import Request, Response
from doorkey.wire.responses import json_answer, raise_for_status
from doorkey.wire.urls import check_endpoint

_ACCEPT: Final = {"Accept": "application/json, application/jwt"}
_COMPACT: Final = re.compile(rb"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*){2,4}")


def userinfo_request(
    endpoint: str, token: OAuthToken, placement: str = "header", http_hosts: Collection[str] = ()
) -> Request:
    """Return the request for the claims about the user of `token` (§5.3.1).

    endpoint: the URL of the UserInfo endpoint.
    placement: "header", or "body" for a form (RFC 6750 §2). With "uri", the token is sent in the header.
    http_hosts: hosts beside loopback that plain http may reach.

    Raises `UsageError` for an invalid endpoint, and for a token that is not a Bearer token.
    """
    check_endpoint(endpoint, "userinfo endpoint", http_hosts)
    in_body = placement == "body"
    url, headers, body = place(token, "body" if in_body else "header", endpoint, _ACCEPT, None)
    return Request("POST" if in_body else "GET", url, tuple(headers.items()), body=body.encode() if in_body else None)


@names_exchange
def parse_userinfo(response: Response, now: float | None = None) -> dict[str, Any] | Secret:
    """Return the claims of a JSON response, or the JWT of a signed or encrypted one, unverified (§5.3.2).

    now: seconds since the epoch, for a date in `Retry-After` of `response`.

    Raises `InvalidToken` if the server rejects the access token, `InsufficientScope` if it requires another scope,
    another `ServerError` for other error responses, and `InvalidResponse` for any other response without claims.
    """
    if response.status == 401 and is_invalid_token(response.header("www-authenticate")):
        raise InvalidToken("invalid_token", "the userinfo endpoint rejects the access token", status=response.status)
    if response.status == 403 and bearer_error(response.header("www-authenticate")) == "insufficient_scope":
        reason = "the userinfo endpoint requires another scope: was the scope openid requested at the login?"
        raise InsufficientScope("insufficient_scope", reason, status=response.status)
    if response.media_type != "application/jwt":
        return json_answer(response, "userinfo response", now)
    raise_for_status(response, now)
    text = response.body.strip()
    if not _COMPACT.fullmatch(text):
        reason = "the userinfo response has the media type of a JWT, but its body is not a JWT"
        raise InvalidResponse("not_a_jwt", reason, status=response.status)
    return Secret(text.decode("ascii"))

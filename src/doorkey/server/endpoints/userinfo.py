"""The userinfo endpoint (OpenID Connect Core §5.3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from doorkey.errors import InsufficientScope, InvalidToken, ServerError
from doorkey.server.context import At
from doorkey.server.responses.responses import NO_STORE, json_response
from doorkey.server.storage.effects import FindClient
from doorkey.server.tokens.bearer import authorized, challenge
from doorkey.server.tokens.claims import profile
from doorkey.server.tokens.signed import userinfo_token
from doorkey.wire.flow import Flow
from doorkey.wire.messages import Request, Response


def userinfo(request: Request, at: At) -> Flow[Response]:
    """Respond with the claims that the access token permits. An error response has no body, only its challenge."""
    realm = at.issuer.rpartition("/")[2]
    try:
        return (yield from _userinfo(request, at, realm))
    except ServerError as error:
        headers = (("Content-Type", "text/plain;charset=utf-8"), *NO_STORE, *error.headers)
        return Response(error.status or 400, headers)


def _userinfo(request: Request, at: At, realm: str) -> Flow[Response]:
    claims, user = yield from authorized(request, at, realm, in_form=True)
    scope = tuple(claims.get("scope", "").split())
    if "openid" not in scope:
        headers = challenge(realm, InsufficientScope.code, "Missing openid scope")
        raise InsufficientScope(status=403, headers=headers)
    if user is None:
        raise InvalidToken(status=401, headers=challenge(realm, InvalidToken.code, "the token has no user"))
    headers = (("Cache-Control", "no-store, no-cache"), ("Pragma", "no-cache"))
    client = yield from FindClient(claims["azp"])
    added: Mapping[str, Any] = client.userinfo_claims if client else {}
    content = {**added, "sub": user.sub, **profile(user, scope), **user.userinfo_claims}
    token = userinfo_token(at, client, content) if client else None
    if token is None:
        return json_response(content, headers=headers)
    return Response(200, (("Content-Type", "application/jwt"), *headers), token.encode("ascii"))

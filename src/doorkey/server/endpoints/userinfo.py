"""The userinfo endpoint (OpenID Connect Core §5.3)."""

from __future__ import annotations

from doorkey.errors import InsufficientScope, InvalidToken
from doorkey.protocol.flow import Flow
from doorkey.protocol.http import Request, Response
from doorkey.server.answers import answered, json_response
from doorkey.server.bearer import authorized, challenge
from doorkey.server.context import At
from doorkey.server.tokens import profile


def userinfo(request: Request, at: At) -> Flow[Response]:
    """Answer with the claims that the request's access token opens."""
    return answered(_userinfo(request, at))


def _userinfo(request: Request, at: At) -> Flow[Response]:
    claims, user = yield from authorized(request, at, at.issuer)
    scope = tuple(claims["scope"].split())
    if "openid" not in scope:
        headers = challenge(at.issuer, "insufficient_scope", "Missing openid scope")
        raise InsufficientScope(description="Missing openid scope", status=403, headers=headers)
    if user is None:
        headers = challenge(at.issuer, "invalid_token", "Token has no user")
        raise InvalidToken(description="Token has no user", status=401, headers=headers)
    return json_response({"sub": user.sub, **profile(user, scope)})

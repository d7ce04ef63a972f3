"""The revocation endpoint (RFC 7009)."""

from __future__ import annotations

from doorkey.errors import InvalidRequest
from doorkey.server.clients.authentication import authenticate
from doorkey.server.context import At
from doorkey.server.responses.parameters import form_of
from doorkey.server.responses.responses import NO_STORE, answered, json_response
from doorkey.server.sessions import log_out_of_grant
from doorkey.server.storage.effects import RevokeToken
from doorkey.server.tokens.kinds import ACCESS, REFRESH
from doorkey.server.tokens.reading import read_own
from doorkey.wire.flow import Flow
from doorkey.wire.messages import Request, Response


def revoke(request: Request, at: At) -> Flow[Response]:
    """Revoke a token of the requesting client. A refresh token ends its whole grant; an access token only itself."""
    return answered(_revoke(request, at))


def _revoke(request: Request, at: At) -> Flow[Response]:
    form = form_of(request)
    client = yield from authenticate(request, form, at)
    token = form.need("token", description="Token not provided")
    refresh, access = read_own(at, token, REFRESH), read_own(at, token, ACCESS)
    claims = refresh or access
    if claims is None:
        # An invalid token needs no revocation, so the status is 200 (RFC 7009 §2.2); the body is Keycloak's.
        return json_response({"error": "invalid_token", "error_description": "Invalid token"})
    if claims["azp"] != client.client_id:
        raise InvalidRequest(description="Unmatching clients", status=400)
    if refresh is not None:
        yield from log_out_of_grant(refresh["sid"], refresh["gid"])
    else:
        yield from RevokeToken(claims["jti"], claims["exp"])
    return Response(200, NO_STORE)

"""The introspection endpoint (RFC 7662). Only clients that authenticate may use it, for access tokens that have them in
the audience and for their own refresh tokens."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from doorkey.errors import InvalidClient, InvalidRequest, InvalidToken, UnauthorizedClient
from doorkey.jose.claim_rules import audiences
from doorkey.server.clients.authentication import authenticate
from doorkey.server.context import At
from doorkey.server.registrations import Client
from doorkey.server.responses.parameters import form_of
from doorkey.server.responses.responses import NO_STORE, answered, json_response
from doorkey.server.storage.effects import FindSession, FindUser
from doorkey.server.tokens.kinds import ACCESS, REFRESH
from doorkey.server.tokens.reading import is_expired, is_revoked, live_access_token, read_own
from doorkey.server.tokens.signed import INTROSPECTION_TYPE, introspection_token
from doorkey.wire.flow import Flow
from doorkey.wire.messages import Request, Response

INACTIVE = {"active": False}

_JWT_RESPONSE = f"application/{INTROSPECTION_TYPE}"
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"?')
"""A quoted parameter value, which may contain commas and semicolons."""
_WEIGHT_0 = re.compile(r"q\s*=\s*0(\.0*)?")


def introspect(request: Request, at: At) -> Flow[Response]:
    """Respond whether a token is active, and if it is, with its claims (RFC 7662 §2.2)."""
    return answered(_introspect(request, at))


def _introspect(request: Request, at: At) -> Flow[Response]:
    form = form_of(request)
    try:
        client = yield from authenticate(request, form, at)
    except UnauthorizedClient as error:  # Keycloak's wording at this endpoint
        description = "Client authentication failed."
        raise InvalidClient(description=description, status=401, headers=error.headers) from None
    if client.is_public:
        raise InvalidRequest(description="Client not allowed.", status=403)
    token = form.need("token", description="Token not provided.")
    claims = (yield from _access(at, token, client)) or (yield from _refresh(at, token, client))
    content = INACTIVE if claims is None else claims
    if not _accepts_jwt(request):
        return json_response(content)
    headers = (("Content-Type", _JWT_RESPONSE), *NO_STORE)
    return Response(200, headers, introspection_token(at, client, content).encode("ascii"))


def _accepts_jwt(request: Request) -> bool:
    """Return whether the client accepts a JWT as the response (RFC 9701 §4). A media type with the weight 0 is refused
    (RFC 9110 §12.4.2, §12.5.1)."""
    headers = ",".join(value for name, value in request.headers if name.lower() == "accept")
    for media_range in _QUOTED.sub("", headers).lower().split(","):
        media_type, *parameters = (part.strip() for part in media_range.split(";"))
        if media_type == _JWT_RESPONSE and not any(_WEIGHT_0.fullmatch(one) for one in parameters):
            return True
    return False


def _access(at: At, token: str, client: Client) -> Flow[dict[str, Any] | None]:
    try:
        claims, user = yield from live_access_token(at, token)
    except InvalidToken:
        return None
    if client.client_id not in audiences(claims):  # RFC 7662 §4: only a client in the audience may see it
        return None
    username = user.username if user else claims.get("preferred_username")
    return {**_shown(claims), "username": username, "token_type": ACCESS, "active": True}


def _refresh(at: At, token: str, client: Client) -> Flow[dict[str, Any] | None]:
    claims = read_own(at, token, REFRESH)
    if claims is None or is_expired(at, claims) or claims["azp"] != client.client_id:
        return None
    if (yield from is_revoked(claims, REFRESH)):
        return None
    session = yield from FindSession(claims["sid"])
    if session is None or (grant := session.grant(claims["gid"])) is None:
        return None
    if at.settings.rotates(client) and grant.refresh_id != claims["jti"]:
        return None
    user = yield from FindUser(session.sub)
    name = {"username": user.username} if user else {}
    return {**_shown(claims), **name, "token_type": REFRESH, "active": True}


def _shown(claims: Mapping[str, Any]) -> dict[str, Any]:
    shown = {name: value for name, value in claims.items() if name != "gid"}
    shown.setdefault("client_id", claims["azp"])
    return shown

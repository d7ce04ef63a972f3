"""The device authorization endpoint: a device starts a login, and its user finishes it elsewhere (RFC 8628 §3.1)."""

from __future__ import annotations

import secrets
from typing import Final
from urllib.parse import urlencode

from doorkey.errors import TemporarilyUnavailable, UnauthorizedClient
from doorkey.protocol.grants import DEVICE_CODE
from doorkey.server.clients.authentication import authenticate
from doorkey.server.clients.scopes import granted_scope
from doorkey.server.context import At
from doorkey.server.model import DeviceLogin
from doorkey.server.responses.parameters import form_of
from doorkey.server.responses.responses import answered, json_response
from doorkey.server.storage.device_logins import CountDevices, SaveDevice, device_id
from doorkey.server.user_codes import formatted, new_user_code
from doorkey.wire.flow import Flow
from doorkey.wire.messages import Request, Response

MAX_PENDING: Final = 1000
"""Limit of pending user codes in a realm: a guess rarely finds one of them, and callers cannot fill the store."""
RETRY_AFTER: Final = 60


def authorize_device(request: Request, at: At) -> Flow[Response]:
    """Respond to a device authorization request (RFC 8628 §3.2)."""
    return answered(_authorize_device(request, at))


def _authorize_device(request: Request, at: At) -> Flow[Response]:
    form = form_of(request)
    client = yield from authenticate(request, form, at)
    if DEVICE_CODE not in client.grants:
        raise UnauthorizedClient(
            description="Client is not allowed to initiate OAuth 2.0 Device Authorization Grant", status=400
        )
    scope = granted_scope(client, form.get("scope"))
    if (yield from CountDevices()) >= MAX_PENDING:
        raise TemporarilyUnavailable(
            description="Too many logins on devices are pending",
            status=503,
            headers=(("Retry-After", str(RETRY_AFTER)),),
            retry_after=RETRY_AFTER,
        )
    device_code, lifetime = secrets.token_urlsafe(32), at.settings.device_code_lifetime
    while True:
        login = DeviceLogin(
            id=device_id(device_code),
            user_code=new_user_code(),
            client_id=client.client_id,
            scope=scope,
            expires_at=at.now + lifetime,
            interval=at.settings.device_interval,
        )
        if (yield from SaveDevice(login)):
            break
    code = formatted(login.user_code)
    content = {
        "device_code": device_code,
        "user_code": code,
        "verification_uri": at.endpoints.device,
        "verification_uri_complete": f"{at.endpoints.device}?{urlencode({'user_code': code})}",
        "expires_in": lifetime,
        "interval": login.interval,
    }
    return json_response(content)

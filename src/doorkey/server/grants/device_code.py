"""The device code grant: a device polls until its user has allowed or denied the login (RFC 8628 §3.4, §3.5)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from doorkey.errors import (
    AccessDenied,
    AuthorizationPending,
    ExpiredDeviceCode,
    InvalidGrant,
    ServerError,
    SlowDown,
    UnauthorizedClient,
)
from doorkey.protocol.grants import DEVICE_CODE
from doorkey.server.context import At
from doorkey.server.model import DeviceLogin
from doorkey.server.registrations import Client
from doorkey.server.responses.parameters import Parameters
from doorkey.server.sessions import end_grant
from doorkey.server.storage.device_logins import FindDevice, ReplaceDevice, device_id
from doorkey.server.storage.effects import FindSession, FindUser
from doorkey.server.tokens.issuing import user_answer
from doorkey.wire.flow import Flow

TOLERANCE: Final = 0.5
"""Seconds by which a poll may be early, because the timer of a client is not exact."""
SLOWER: Final = 5
"""Seconds by which `slow_down` lengthens the interval (RFC 8628 §3.5)."""


def grant_by_device(form: Parameters, client: Client, at: At) -> Flow[dict[str, Any]]:
    """Return the token response for a device code after its user has allowed the login. A code works once.

    A second use of a code by its client revokes the tokens of the first. Raises `AuthorizationPending`, `SlowDown`,
    `AccessDenied`, `ExpiredDeviceCode`, `InvalidGrant`, `InvalidRequest` or `UnauthorizedClient`.
    """
    if DEVICE_CODE not in client.grants:
        raise UnauthorizedClient(description="Client not allowed OAuth 2.0 Device Authorization Grant", status=400)
    found = device_id(form.need("device_code"))
    while True:
        login = yield from FindDevice(found)
        if login is None:
            raise _invalid_grant("Device code not valid")
        if login.client_id != client.client_id:
            raise _invalid_grant("unauthorized client")
        if login.state == "used":
            yield from end_grant(login.session_id or "", login.grant_id or "")
            raise _invalid_grant("Device code not valid")
        if at.now >= login.expires_at:
            raise ExpiredDeviceCode(description="Device code is expired", status=400)
        if login.state == "denied":
            raise AccessDenied(description="The end user denied the authorization request", status=400)
        after, refused = _after_poll(login, at.now)
        if (yield from ReplaceDevice(login, after)):
            break
    if refused is not None:
        raise refused
    session = yield from FindSession(login.session_id or "")
    grant = session.grant(login.grant_id) if session else None
    user = (yield from FindUser(session.sub)) if session else None
    if session is None or grant is None or user is None:
        raise _invalid_grant("Session not active")
    return user_answer(at, client, user, session, grant)


def _after_poll(login: DeviceLogin, now: float) -> tuple[DeviceLogin, ServerError | None]:
    """Return the login after a poll at `now`, and the error that makes the client poll again, or None."""
    if not login.is_pending:
        return replace(login, state="used"), None
    if now < login.next_poll - TOLERANCE:
        interval = login.interval + SLOWER
        return replace(login, interval=interval, next_poll=now + interval), SlowDown(
            description="Slow down", status=400
        )
    pending = AuthorizationPending(description="The authorization request is still pending", status=400)
    return replace(login, next_poll=now + login.interval), pending


def _invalid_grant(description: str) -> InvalidGrant:
    return InvalidGrant(description=description, status=400)

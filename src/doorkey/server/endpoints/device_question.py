"""The page that asks whether a device may log in as the user of a browser (RFC 8628 §3.3)."""

from __future__ import annotations

from dataclasses import dataclass

from doorkey.errors import InvalidRequest
from doorkey.server.context import At
from doorkey.server.endpoints.forms import fingerprint, mac
from doorkey.server.model import DeviceLogin
from doorkey.server.registrations import User
from doorkey.server.storage.device_logins import FindUserCode
from doorkey.wire.flow import Flow


@dataclass(frozen=True, slots=True, repr=False)
class DeviceQuestion:
    """Show the page with the question, and set the cookie `session_key`, which the browser may not have yet."""

    csrf: str
    user_code: str
    client_id: str
    username: str
    scope: tuple[str, ...]
    session_key: str


def ask_about_device(user_code: str, user: User, session_key: str, at: At) -> Flow[DeviceQuestion]:
    """Return the content of the page for `user`, in the session of the cookie `session_key`.

    Raises `InvalidRequest` if the code is unknown or has expired, or if the user has already allowed or denied it.
    """
    login = yield from pending_device(user_code)
    if login is None:
        raise code_has_ended()
    csrf = question_csrf(user_code, session_key, at)
    return DeviceQuestion(csrf, user_code, login.client_id, user.username, login.scope, session_key)


def pending_device(user_code: str) -> Flow[DeviceLogin | None]:
    """Return the login of `user_code`, or None if it is unknown, expired, or already allowed or denied."""
    login = yield from FindUserCode(user_code)
    return login if login is not None and login.is_pending else None


def question_csrf(user_code: str, session_key: str, at: At) -> str:
    """Return the field `csrf` of the form, which only this page in this browser session contains."""
    return mac(at, "device", user_code, fingerprint(session_key))


def code_has_ended() -> InvalidRequest:
    """Return the error for a code that can no longer be allowed or denied."""
    description = "This code has expired or was already used. Start again on the device."
    return InvalidRequest(description=description, status=400)

"""The page on which a user lets a device log in: enter its code, log in, and allow or refuse it (RFC 8628 §3.3).

Theory of operation. A wrong code may be a guess, so it counts against the caller's address like a wrong password. A
code from the URL is shown, so that the user can compare it with the code on the device. It is not used before the user
agrees. Each form contains a MAC over a cookie of the browser, so no other page can send it (RFC 8628 §5.4).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from doorkey.errors import TemporarilyUnavailable
from doorkey.server.attempts import count_failure_of_address, refuse_waiting_address
from doorkey.server.consents import remember_consent
from doorkey.server.context import At
from doorkey.server.endpoints.consent import ACCEPT, CANCEL
from doorkey.server.endpoints.device_question import (
    DeviceQuestion,
    ask_about_device,
    code_has_ended,
    pending_device,
    question_csrf,
)
from doorkey.server.endpoints.forms import (
    Cookies,
    browser_cookie,
    check_csrf,
    fingerprint,
    mac,
    refuse_other_origins,
)
from doorkey.server.endpoints.login import LoginNeeded, ask_to_log_in
from doorkey.server.model import DeviceLogin, Grant, Session
from doorkey.server.registrations import User
from doorkey.server.responses.parameters import Parameters, form_of, query_of
from doorkey.server.sessions import add_grant, end_grant
from doorkey.server.storage.device_logins import ReplaceDevice
from doorkey.server.storage.effects import FindBrowser, FindSession, FindUser
from doorkey.server.tokens.claims import new_id
from doorkey.server.user_codes import normalized
from doorkey.wire.flow import Flow
from doorkey.wire.messages import Request


@dataclass(frozen=True, slots=True, repr=False)
class CodeNeeded:
    """The user must enter the code. Show the form and set the cookie `browser`.

    `user_code` is the value of the field. `failed` is True after a wrong code. `retry_after` is the delay in seconds
    after too many wrong codes, otherwise None.
    """

    csrf: str
    browser: str
    user_code: str = ""
    failed: bool = False
    retry_after: int | None = None


@dataclass(frozen=True, slots=True)
class DeviceAnswered:
    """The user has decided whether the device of `client_id` is `allowed` to log in."""

    client_id: str
    allowed: bool


def device(
    request: Request, at: At, cookies: Cookies
) -> Flow[CodeNeeded | LoginNeeded | DeviceQuestion | DeviceAnswered]:
    """Respond to a visit to the page, or to one of its forms. Raises `ServerError` for a form of another browser."""
    if request.method != "POST":
        browser = browser_cookie(at, cookies)
        return CodeNeeded(_csrf(browser, at), browser, normalized(query_of(request).get("user_code") or ""))
    refuse_other_origins(request, at)
    form = form_of(request)
    if ACCEPT in form or CANCEL in form:
        return (yield from _answered(form, at, cookies))
    return (yield from _entered(form, at, cookies))


def _entered(form: Parameters, at: At, cookies: Cookies) -> Flow[CodeNeeded | LoginNeeded | DeviceQuestion]:
    browser = cookies.browser or ""
    csrf, user_code = check_csrf(form, _csrf(browser, at)), normalized(form.get("user_code") or "")
    again = CodeNeeded(csrf, browser, user_code, failed=True)
    try:
        yield from refuse_waiting_address(at)
        login = yield from pending_device(user_code)
        if login is None:
            yield from count_failure_of_address(at)
            return again
    except TemporarilyUnavailable as error:
        return replace(again, failed=False, retry_after=int(error.retry_after or 0))
    known = yield from _session_of(cookies)
    if known is None:
        return ask_to_log_in(None, at, cookies, device=(user_code, login.client_id))
    return (yield from ask_about_device(user_code, known[1], cookies.session or "", at))


def _answered(form: Parameters, at: At, cookies: Cookies) -> Flow[DeviceAnswered]:
    user_code = normalized(form.get("user_code") or "")
    check_csrf(form, question_csrf(user_code, cookies.session or "", at))
    known = yield from _session_of(cookies)
    if known is None:
        raise code_has_ended()
    session, allowed = known[0], form.get(ACCEPT) is not None
    while (login := (yield from pending_device(user_code))) is not None:
        if not allowed:
            if (yield from ReplaceDevice(login, replace(login, state="denied"))):
                return DeviceAnswered(login.client_id, allowed=False)
        elif (yield from _allow(login, session, at)):
            return DeviceAnswered(login.client_id, allowed=True)
    raise code_has_ended()


def _allow(login: DeviceLogin, session: Session, at: At) -> Flow[bool]:
    """Give the device a grant in the user's session. Return False if another request changed the login first."""
    grant = Grant(new_id(), login.client_id, login.scope, refresh_id=new_id(), by_login_page=True)
    if (yield from add_grant(session.id, grant)) is None:
        raise code_has_ended()
    allowed = replace(login, state="allowed", session_id=session.id, grant_id=grant.id)
    if not (yield from ReplaceDevice(login, allowed)):
        yield from end_grant(session.id, grant.id)
        return False
    yield from remember_consent(at, session.sub, login.client_id, login.scope)
    return True


def _session_of(cookies: Cookies) -> Flow[tuple[Session, User] | None]:
    session_id = (yield from FindBrowser(cookies.session)) if cookies.session else None
    session = (yield from FindSession(session_id)) if session_id else None
    user = (yield from FindUser(session.sub)) if session else None
    return None if session is None or user is None else (session, user)


def _csrf(browser: str, at: At) -> str:
    return mac(at, "user-code", fingerprint(browser))

"""The login form, which an authorization request, the account page or a device needs.

Theory of operation. The authorization request is sealed into the form (`pending_login`), with the SHA-256 of a cookie
of the browser. A second field of the form is a MAC over the login and that cookie. A form therefore works only in the
browser for which it was made, and no attacker can make another user's browser finish a login that the attacker began
(RFC 9700 §4.7). A cookie that this server did not issue is replaced, and a form that a page of another origin sends is
refused. The flows here return values; the caller renders them as pages.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass, replace

from doorkey.errors import InvalidRequest, TemporarilyUnavailable
from doorkey.server.attempts import user_with_password
from doorkey.server.context import At
from doorkey.server.endpoints.consent import ConsentNeeded, ask_for_consent, is_consent_needed
from doorkey.server.endpoints.device_question import DeviceQuestion, ask_about_device
from doorkey.server.endpoints.forms import (
    Cookies,
    browser_cookie,
    check_csrf,
    fingerprint,
    mac,
    refuse_other_origins,
)
from doorkey.server.endpoints.pending_login import sealed, unsealed
from doorkey.server.model import AuthorizationRequest, PendingLogin
from doorkey.server.responses.authorization import back_to_client
from doorkey.server.responses.parameters import form_of
from doorkey.server.responses.responses import redirect
from doorkey.server.sessions import start_session
from doorkey.server.storage.effects import RememberBrowser, UseOnce
from doorkey.server.tokens.kinds import LOGIN
from doorkey.wire.flow import Flow
from doorkey.wire.messages import Request, Response


@dataclass(frozen=True, slots=True, repr=False)
class LoginNeeded:
    """The user must log in. Show the login page and set the cookie `browser`.

    `client_id` is the client that requested the login, or None for a login to the account page. `failed` is True after
    a wrong password. `retry_after` is the delay in seconds after too many wrong passwords, otherwise None.
    """

    login_id: str
    csrf: str
    browser: str
    client_id: str | None
    username: str = ""
    failed: bool = False
    retry_after: int | None = None


@dataclass(frozen=True, slots=True, repr=False)
class LoggedIn:
    """The user has logged in. Return `response`, a redirect to the client or the account page, and set the cookie
    `session_key`."""

    response: Response
    session_key: str


def ask_to_log_in(
    request: AuthorizationRequest | None, at: At, cookies: Cookies, *, device: tuple[str, str] | None = None
) -> LoginNeeded:
    """Return the content of the login page.

    request: the authorization request; None: the account page or the question about a device follows the login.
    device: the user code and the client ID of a device; the question whether it may log in follows the login.

    Raises `InvalidRequest` for an authorization request that is too long.
    """
    # All tabs of a browser share one ID; each tab has its own login.
    browser = browser_cookie(at, cookies)
    login_id = secrets.token_urlsafe(32)
    login = PendingLogin(login_id, request, fingerprint(browser), int(at.now) + at.settings.login_lifetime, device)
    return LoginNeeded(sealed(login, at, LOGIN), _csrf(login, at), browser, login.client_id)


def log_in(request: Request, at: At, cookies: Cookies) -> Flow[LoggedIn | LoginNeeded | ConsentNeeded | DeviceQuestion]:
    """Respond to a login form. Raises `ServerError` if it was made for another browser, was used, or has expired."""
    refuse_other_origins(request, at)
    form = form_of(request)
    transaction = form.get("transaction") or ""
    login = unsealed(transaction, at, LOGIN)
    if login is None:
        raise _expired()
    browser = cookies.browser or ""
    if not hmac.compare_digest(login.browser, fingerprint(browser)):
        raise InvalidRequest(description="This login was started in another browser.", status=400)
    csrf = check_csrf(form, _csrf(login, at))
    username, authorization_request = form.get("username") or "", login.request
    again = LoginNeeded(transaction, csrf, browser, login.client_id, username, failed=True)
    try:
        user = yield from user_with_password(at, username, form.get("password") or "")
    except TemporarilyUnavailable as error:
        return replace(again, failed=False, retry_after=int(error.retry_after or 0))
    if user is None:
        return again
    if not (yield from UseOnce(f"login/{login.id}", login.expires_at)):
        raise _expired()
    # Always a new session with a new key, against session fixation.
    session = yield from start_session(
        at, user, acr_values=authorization_request.acr_values if authorization_request else ()
    )
    key = secrets.token_urlsafe(32)
    yield from RememberBrowser(key, session)
    if login.device is not None:
        return (yield from ask_about_device(login.device[0], user, key, at))
    if authorization_request is None:
        return LoggedIn(redirect(at.endpoints.account, {}, status=303), key)
    if (yield from is_consent_needed(authorization_request, session)):
        return ask_for_consent(authorization_request, user, key, at)
    return LoggedIn((yield from back_to_client(authorization_request, session, at, status=303)), key)


def _expired() -> InvalidRequest:
    description = "This login has expired or was already finished. Go back to the app and start again."
    return InvalidRequest(description=description, status=400)


def _csrf(login: PendingLogin, at: At) -> str:
    return mac(at, "login", login.id, login.browser)

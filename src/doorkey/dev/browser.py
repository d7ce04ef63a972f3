"""The endpoints that a browser visits: they render the results of the server core as pages, and set cookies."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit

from doorkey.dev.account_pages import account_page, consent_page
from doorkey.dev.client_names import ClientNames, names_on
from doorkey.dev.cookies import cookie_of
from doorkey.dev.device_pages import code_page, device_answered_page, device_page
from doorkey.dev.login_buttons import UsersToPick, with_picked_user
from doorkey.dev.pages import error_page, logged_out_page, login_page, logout_page
from doorkey.errors import OAuthError, ServerError
from doorkey.server.context import At
from doorkey.server.endpoints.account import Account, account
from doorkey.server.endpoints.authorize import authorize
from doorkey.server.endpoints.check_session import check_session
from doorkey.server.endpoints.consent import ConsentNeeded, answer_consent
from doorkey.server.endpoints.device import CodeNeeded, DeviceAnswered, device
from doorkey.server.endpoints.device_question import DeviceQuestion
from doorkey.server.endpoints.forms import Cookies
from doorkey.server.endpoints.login import LoggedIn, LoginNeeded, log_in
from doorkey.server.endpoints.logout import ConfirmLogout, LoggedOut, log_out
from doorkey.wire.flow import Flow
from doorkey.wire.messages import Request, Response

CHECK_SESSION_PATH = "/protocol/openid-connect/login-status-iframe.html"
CHECK_SESSION_SCRIPT_PATH = "/protocol/openid-connect/login-status-iframe.js"
LOGIN_PATH = "/login-actions/authenticate"
CONSENT_PATH = "/login-actions/consent"
ACCOUNT_PATH = "/account"
DEVICE_PATH = "/device"
BROWSER_COOKIE = "doorkey_browser"
SESSION_COOKIE = "doorkey_session"


def authorize_in_browser(request: Request, at: At) -> Flow[Response]:
    """Respond to a visit to the authorization endpoint."""
    return _with_error_page(_authorize(request, at))


def log_in_in_browser(request: Request, at: At) -> Flow[Response]:
    """Respond to the login form."""
    return _with_error_page(_log_in(request, at))


def consent_in_browser(request: Request, at: At) -> Flow[Response]:
    """Respond to the consent form."""
    return _with_error_page(answer_consent(request, at, _cookies(request, at)))


def account_in_browser(request: Request, at: At) -> Flow[Response]:
    """Respond to a visit to the account page, and to its forms."""
    return _with_error_page(_account(request, at))


def device_in_browser(request: Request, at: At) -> Flow[Response]:
    """Respond to a visit to the page on which a user lets a device log in, and to its forms."""
    return _with_error_page(_device(request, at))


def log_out_in_browser(request: Request, at: At) -> Flow[Response]:
    """Respond to a visit to the logout endpoint."""
    return _with_error_page(_log_out(request, at))


def check_session_in_browser(request: Request, at: At) -> Flow[Response]:
    """Respond to the frame that checks whether a browser still has its session."""
    return _with_error_page(check_session(request, at, _cookies(request, at)))


def _authorize(request: Request, at: At) -> Flow[Response]:
    outcome = yield from authorize(request, at, _cookies(request, at))
    return _shown(outcome, at, (yield from names_on(outcome)), (yield from UsersToPick()))


def _log_in(request: Request, at: At) -> Flow[Response]:
    users = yield from UsersToPick()
    outcome = yield from log_in(with_picked_user(request, users), at, _cookies(request, at))
    if isinstance(outcome, LoggedIn):
        return _with_cookie(outcome.response, at, SESSION_COOKIE, outcome.session_key)
    return _shown(outcome, at, (yield from names_on(outcome)), users)


def _account(request: Request, at: At) -> Flow[Response]:
    outcome = yield from account(request, at, _cookies(request, at))
    return _shown(outcome, at, (yield from names_on(outcome)), (yield from UsersToPick()))


def _device(request: Request, at: At) -> Flow[Response]:
    outcome = yield from device(request, at, _cookies(request, at))
    return _shown(outcome, at, (yield from names_on(outcome)), (yield from UsersToPick()))


def _log_out(request: Request, at: At) -> Flow[Response]:
    return _shown((yield from log_out(request, at, _cookies(request, at))), at, ClientNames())


def _shown(
    outcome: Response
    | LoginNeeded
    | ConsentNeeded
    | Account
    | ConfirmLogout
    | LoggedOut
    | CodeNeeded
    | DeviceQuestion
    | DeviceAnswered,
    at: At,
    names: ClientNames,
    users: Iterable[str] = (),
) -> Response:
    """Return the page for the outcome of an endpoint, with the cookie to set.

    names: the names of the clients that the page shows.
    users: the names of the users who can log in without a password on the login page.
    """
    match outcome:
        case LoginNeeded():
            page = login_page(outcome, names, at.issuer + LOGIN_PATH, at.issuer.rpartition("/")[2], users)
            return _with_cookie(page, at, BROWSER_COOKIE, outcome.browser)
        case ConsentNeeded():
            page = consent_page(outcome, names, at.issuer + CONSENT_PATH, at.endpoints.account)
            return _with_cookie(page, at, SESSION_COOKIE, outcome.session_key)
        case CodeNeeded():
            return _with_cookie(code_page(outcome, at.endpoints.device), at, BROWSER_COOKIE, outcome.browser)
        case DeviceQuestion():
            page = device_page(outcome, names, at.endpoints.device)
            return _with_cookie(page, at, SESSION_COOKIE, outcome.session_key)
        case DeviceAnswered():
            return device_answered_page(outcome)
        case Account():
            return account_page(outcome, names, at.endpoints.account, at.endpoints.end_session, at.now)
        case ConfirmLogout():
            return logout_page(outcome, at.endpoints.end_session)
        case LoggedOut():
            return logged_out_page(outcome, at.endpoints.script)
        case Response():
            return outcome


def _with_error_page(flow: Flow[Response]) -> Flow[Response]:
    try:
        return (yield from flow)
    except ServerError as error:
        return error_page(error.description or error.error, error.status or 400)
    except OAuthError:  # for example, the store cannot be used; the page shows no details
        return error_page("Something went wrong here. Try again.", 500)


def _with_cookie(response: Response, at: At, name: str, value: str) -> Response:
    parts = urlsplit(at.issuer)
    # Not `Secure` over http, because some clients do not consider loopback secure.
    place = "Path=/; Secure" if parts.scheme == "https" else f"Path={parts.path}/"
    cookie = f"{_cookie_name(at, name)}={value}; {place}; HttpOnly; SameSite=Lax"
    return Response(response.status, (*response.headers, ("Set-Cookie", cookie)), response.body)


def _cookie_name(at: At, name: str) -> str:
    """Return the name of a realm's cookie. Over https, no subdomain and no plain connection can set it (RFC 6265bis).

    The prefix `__Host-` requires the path `/`, so the name contains the realm. Over http the path contains it.
    """
    parts = urlsplit(at.issuer)
    return f"__Host-{name}_{parts.path.rpartition('/')[2]}" if parts.scheme == "https" else name


def _cookies(request: Request, at: At) -> Cookies:
    """Return the cookies of this realm in a request."""
    return Cookies(*(cookie_of(request, _cookie_name(at, name)) for name in (BROWSER_COOKIE, SESSION_COOKIE)))

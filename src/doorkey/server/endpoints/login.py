"""The login that an authorization request leads to: the form, and the browsers that may send it.

Theory of operation. The authorization request is sealed into the form (`pending_login`), with the SHA-256 of a cookie
of the browser. A second field of the form is a MAC over the login and that cookie. A form therefore works only in the
browser that asked for it, and no page can make another person's browser finish a login that it began (RFC 9700 §4.7). A
cookie that this server did not issue is not taken over, and a form that a page of another origin sends is refused.
The flows here return values; the caller makes pages of them.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from doorkey.errors import InvalidRequest, TemporarilyUnavailable
from doorkey.server.attempts import user_with_password
from doorkey.server.context import At
from doorkey.server.endpoints.pending_login import sealed, unsealed
from doorkey.server.model import AuthorizationRequest, PendingLogin
from doorkey.server.responses.authorization import back_to_client
from doorkey.server.responses.parameters import form_of
from doorkey.server.sessions import start_session
from doorkey.server.storage.effects import RememberBrowser, UseOnce
from doorkey.wire.flow import Flow
from doorkey.wire.messages import Request, Response


@dataclass(frozen=True, slots=True, repr=False)
class Cookies:
    """The cookies of a browser: its id, which came with a login page, and the key of its session."""

    browser: str | None = None
    session: str | None = None


@dataclass(frozen=True, slots=True, repr=False)
class LoginNeeded:
    """The login page is to be shown, and `browser` to be set as a cookie.

    `failed` is set after a wrong password, `retry_after` (seconds) after too many of them.
    """

    login_id: str
    csrf: str
    browser: str
    client_id: str
    username: str = ""
    failed: bool = False
    retry_after: int | None = None


@dataclass(frozen=True, slots=True, repr=False)
class LoggedIn:
    """The user is sent back to the client, and `session_key` is to be set as a cookie."""

    response: Response
    session_key: str


def ask_to_log_in(asked: AuthorizationRequest, at: At, cookies: Cookies) -> LoginNeeded:
    """Return what the login page of an authorization request holds. Raises `InvalidRequest` for one too long."""
    # One id for all tabs of a browser; each tab has its own login.
    browser = cookies.browser if cookies.browser and _is_issued(cookies.browser, at) else _new_browser(at)
    login_id = secrets.token_urlsafe(32)
    login = PendingLogin(login_id, asked, _fingerprint(browser), int(at.now) + at.settings.login_lifetime)
    return LoginNeeded(sealed(login, at), _csrf(login, at), browser, asked.client_id)


def log_in(request: Request, at: At, cookies: Cookies) -> Flow[LoggedIn | LoginNeeded]:
    """Answer a filled-in login form. Raises `ServerError` if it is not this browser's, or has expired."""
    _refuse_other_origins(request, at)
    form = form_of(request)
    transaction = form.get("transaction") or ""
    login = unsealed(transaction, at)
    if login is None:
        raise _expired()
    browser = cookies.browser or ""
    if not hmac.compare_digest(login.browser, _fingerprint(browser)):
        raise InvalidRequest(description="This login was begun in another browser.", status=400)
    csrf = form.get("csrf") or ""
    if not hmac.compare_digest(_csrf(login, at).encode(), csrf.encode()):
        raise InvalidRequest(description="This form is not the one that was sent to you.", status=400)
    username = form.get("username") or ""
    again = LoginNeeded(transaction, csrf, browser, login.request.client_id, username, failed=True)
    try:
        user = yield from user_with_password(at, username, form.get("password") or "")
    except TemporarilyUnavailable as error:
        return replace(again, failed=False, retry_after=int(error.retry_after or 0))
    if user is None:
        return again
    if not (yield from UseOnce(f"login/{login.id}", login.expires_at)):
        raise _expired()
    # A new session with a new key, whatever the browser had before (session fixation).
    session = yield from start_session(at, user, acr_values=login.request.acr_values)
    key = secrets.token_urlsafe(32)
    yield from RememberBrowser(key, session)
    return LoggedIn((yield from back_to_client(login.request, session, at, status=303)), key)


def _refuse_other_origins(request: Request, at: At) -> None:
    """Refuse a form that a page of another origin sent; browsers state the origin of each POST (Fetch §3.2)."""
    parts = urlsplit(at.issuer)
    sent, site = request.header("origin"), request.header("sec-fetch-site")
    if sent not in (None, f"{parts.scheme}://{parts.netloc}") or site not in (None, "same-origin", "none"):
        raise InvalidRequest(description="This form was sent by a page of another site.", status=400)


def _expired() -> InvalidRequest:
    description = "This login has expired, or was finished already. Go back to the app and begin again."
    return InvalidRequest(description=description, status=400)


def _new_browser(at: At) -> str:
    fresh = secrets.token_urlsafe(32)
    return fresh + _mac(at, "browser", fresh)


def _is_issued(value: str, at: At) -> bool:
    fresh, mac = value[:-43], value[-43:]
    return hmac.compare_digest(_mac(at, "browser", fresh).encode(), mac.encode())


def _csrf(login: PendingLogin, at: At) -> str:
    return _mac(at, "login", login.id, login.browser)


def _mac(at: At, *parts: str) -> str:
    return base64.urlsafe_b64encode(at.keys.mac(*parts)).rstrip(b"=").decode()


def _fingerprint(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()

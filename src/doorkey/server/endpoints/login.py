"""The login that an authorization request leads to: the form, and who may send it.

Theory of operation. The request is kept under a random id while its user logs in. The id and a token against forgery go
into the form, and the request is bound to the browser by a cookie, so that nobody can make another person's browser
finish a login they began (RFC 9700 §4.7). Pages are the face's business: the flows here say only what is to be shown.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass

from doorkey.errors import InvalidRequest
from doorkey.server.context import At
from doorkey.server.model import AuthorizationRequest, PendingLogin
from doorkey.server.responses.authorization import back_with_a_code
from doorkey.server.responses.parameters import form_of
from doorkey.server.sessions import start_session
from doorkey.server.storage.effects import CheckPassword, EndLogin, FindLogin, RememberBrowser, SaveLogin
from doorkey.wire.flow import Flow
from doorkey.wire.messages import Request, Response


@dataclass(frozen=True, slots=True, repr=False)
class Cookies:
    """What the browser brought: the id it was given with a login page, and the key of its session."""

    browser: str | None = None
    session: str | None = None


@dataclass(frozen=True, slots=True, repr=False)
class LoginNeeded:
    """The login page is to be shown, and `browser` to be set as a cookie; `failed` after a wrong password."""

    login_id: str
    csrf: str
    browser: str
    client_id: str
    username: str = ""
    failed: bool = False


@dataclass(frozen=True, slots=True, repr=False)
class LoggedIn:
    """The user is sent back to the client, and `session_key` is to be set as a cookie."""

    response: Response
    session_key: str


def ask_to_log_in(asked: AuthorizationRequest, cookies: Cookies) -> Flow[LoginNeeded]:
    """Keep the request, and return the wish for a login."""
    # One id for all tabs of a browser; each tab has its own login.
    browser = cookies.browser or secrets.token_urlsafe(32)
    login_id, csrf = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    yield from SaveLogin(login_id, PendingLogin(asked, _fingerprint(browser), _fingerprint(csrf)))
    return LoginNeeded(login_id, csrf, browser, asked.client_id)


def log_in(request: Request, at: At, cookies: Cookies) -> Flow[LoggedIn | LoginNeeded]:
    """Answer a filled-in login form. Raises `ServerError` if it is not this browser's, or has expired."""
    form = form_of(request)
    login_id = form.get("transaction") or ""
    login = yield from FindLogin(login_id)
    if login is None:
        raise InvalidRequest(description="This login has expired. Go back to the app and begin again.", status=400)
    if not hmac.compare_digest(login.browser, _fingerprint(cookies.browser or "")):
        raise InvalidRequest(description="This login was begun in another browser.", status=400)
    if not hmac.compare_digest(login.csrf, _fingerprint(form.get("csrf") or "")):
        raise InvalidRequest(description="This form is not the one that was sent to you.", status=400)
    username = form.get("username") or ""
    user = yield from CheckPassword(username, form.get("password") or "")
    if user is None:
        again = (login_id, form.get("csrf") or "", cookies.browser or "", login.request.client_id)
        return LoginNeeded(*again, username=username, failed=True)
    if not (yield from EndLogin(login_id)):
        raise InvalidRequest(description="This login has been finished already.", status=400)
    # A new session with a new key, whatever the browser had before (session fixation).
    session = yield from start_session(at, user)
    key = secrets.token_urlsafe(32)
    yield from RememberBrowser(key, session)
    return LoggedIn((yield from back_with_a_code(login.request, session, at, status=303)), key)


def _fingerprint(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()

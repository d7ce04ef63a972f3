"""The authorization endpoint (RFC 6749 §3.1) and the login it leads to.

Theory of operation. What is wrong with the client or its redirect URI is told to the person, and nothing is
redirected; only behind that point do errors go to the client. An acceptable request is kept under a random id
while its user logs in. The id and a token against forgery go into the form, and the request is bound to the
browser by a cookie, so that nobody can make another person's browser finish a login they began (RFC 9700
§4.7). Pages are the face's business: the flows here say only what is to be shown.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from doorkey.errors import (
    InvalidClient,
    InvalidRequest,
    InvalidScope,
    LoginRequired,
    ServerError,
    UnauthorizedClient,
    UnsupportedResponseType,
)
from doorkey.protocol.flow import Flow
from doorkey.protocol.http import Request, Response
from doorkey.protocol.pkce import METHOD
from doorkey.server.answers import redirect
from doorkey.server.context import At
from doorkey.server.form_post import form_post
from doorkey.server.model import (
    AUTHORIZATION_CODE,
    AuthorizationRequest,
    Client,
    Code,
    Grant,
    PendingLogin,
    Session,
)
from doorkey.server.parameters import Parameters, form_of, query_of
from doorkey.server.redirect_uris import is_registered, only_one
from doorkey.server.scopes import granted_scope
from doorkey.server.sessions import add_grant, start_session
from doorkey.server.storage import (
    CheckPassword,
    EndLogin,
    FindBrowser,
    FindClient,
    FindLogin,
    FindSession,
    RememberBrowser,
    SaveCode,
    SaveLogin,
)
from doorkey.server.tokens import new_id

_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
RESPONSE_MODES = ("query", "fragment", "form_post")
_RESPONSE_TYPES = {"code", "token", "id_token", "none"}


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


def authorize(request: Request, at: At, cookies: Cookies) -> Flow[Response | LoginNeeded]:
    """Answer an authorization request: with a redirect to the client, or with the wish for a login.

    Raises `ServerError` for what only the person in front of the browser may be told.
    """
    parameters = query_of(request) if request.method == "GET" else form_of(request)
    client = yield from FindClient(parameters.get("client_id") or "")
    if client is None or AUTHORIZATION_CODE not in client.grants:
        raise InvalidClient(description="Client not found.", status=400)
    uri = parameters.get("redirect_uri") or only_one(client.redirect_uris)
    if uri is None or not is_registered(uri, client.redirect_uris):
        raise InvalidRequest(description="Invalid parameter: redirect_uri", status=400)
    try:
        asked = _acceptable(parameters, client, uri)
        session = yield from _usable_session(parameters, at, cookies)
    except ServerError as error:
        return _refusal(error, parameters, uri, at)
    if session is not None:
        return (yield from _back_with_a_code(asked, session, at))
    return (yield from _ask_to_log_in(asked, cookies))


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
    return LoggedIn((yield from _back_with_a_code(login.request, session, at, status=303)), key)


def _acceptable(parameters: Parameters, client: Client, uri: str) -> AuthorizationRequest:
    """Return the request if the client may make it. Raises the `ServerError` that the client is told."""
    response_type = parameters.need("response_type")
    if not set(response_type.split()) <= _RESPONSE_TYPES:
        raise UnsupportedResponseType
    if response_type != "code":
        raise UnauthorizedClient(
            description="Client is not allowed to initiate browser login with given response_type."
            " Implicit flow is disabled for the client."
        )
    if parameters.get("request") or parameters.get("request_uri"):
        raise ServerError("request_not_supported")
    mode = parameters.get("response_mode") or "query"
    if mode not in RESPONSE_MODES:
        raise InvalidRequest(description="Invalid parameter: response_mode")
    try:
        scope = granted_scope(client, parameters.get("scope"))
    except InvalidScope as error:
        raise InvalidScope(description=error.description) from None
    return AuthorizationRequest(
        client_id=client.client_id,
        redirect_uri=uri,
        redirect_uri_was_sent=parameters.get("redirect_uri") is not None,
        scope=scope,
        state=parameters.get("state"),
        nonce=parameters.get("nonce"),
        code_challenge=_challenge(parameters, client),
        response_mode=mode,
    )


def _challenge(parameters: Parameters, client: Client) -> str | None:
    method, challenge = parameters.get("code_challenge_method"), parameters.get("code_challenge")
    if method is None and challenge is None and not client.require_pkce:
        return None
    if method is None:  # which would mean `plain` (RFC 7636 §4.3)
        raise InvalidRequest(description="Missing parameter: code_challenge_method")
    if method != METHOD:
        raise InvalidRequest(description="Invalid parameter: code challenge method is not matching the configured one")
    challenge = parameters.need("code_challenge")
    if not _CHALLENGE.fullmatch(challenge):
        raise InvalidRequest(description="Invalid parameter: code_challenge")
    return challenge


def _usable_session(parameters: Parameters, at: At, cookies: Cookies) -> Flow[Session | None]:
    """Return the browser's session if it will do, or None if a login page is to be shown.

    Raises `LoginRequired` if one is needed and the request forbids it (OpenID Connect Core §3.1.2.1).
    """
    prompts = (parameters.get("prompt") or "").split()
    session_id = (yield from FindBrowser(cookies.session)) if cookies.session else None
    session = (yield from FindSession(session_id)) if session_id else None
    if session is not None and (max_age := parameters.get("max_age")) is not None:
        if not re.fullmatch(r"\d{1,9}", max_age):
            raise InvalidRequest(description="Invalid parameter: max_age")
        session = session if at.now - session.started_at <= int(max_age) else None
    if "login" in prompts:
        session = None
    if session is None and "none" in prompts:
        raise LoginRequired
    return session


def _ask_to_log_in(asked: AuthorizationRequest, cookies: Cookies) -> Flow[LoginNeeded]:
    # One id for all tabs of a browser; each tab has its own login.
    browser = cookies.browser or secrets.token_urlsafe(32)
    login_id, csrf = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    yield from SaveLogin(login_id, PendingLogin(asked, _fingerprint(browser), _fingerprint(csrf)))
    return LoginNeeded(login_id, csrf, browser, asked.client_id)


def _back_with_a_code(asked: AuthorizationRequest, session: Session, at: At, *, status: int = 302) -> Flow[Response]:
    grant = Grant(new_id(), asked.client_id, asked.scope, nonce=asked.nonce, refresh_id=new_id(), by_login_page=True)
    yield from add_grant(session.id, grant)
    code = secrets.token_urlsafe(32)
    yield from SaveCode(code, Code(asked, session.id, grant.id))
    answer = {"state": asked.state, "session_state": session.id, "iss": at.issuer, "code": code}
    return _sent_back(asked.redirect_uri, answer, asked.response_mode, status)


def _refusal(error: ServerError, parameters: Parameters, uri: str, at: At) -> Response:
    answer = {
        "error": error.error,
        "error_description": error.description or None,
        "state": parameters.get("state"),
        "iss": at.issuer,
    }
    implicit = {"token", "id_token"} & set((parameters.get("response_type") or "").split())
    mode = parameters.get("response_mode") or ("fragment" if implicit else "query")
    return _sent_back(uri, answer, mode)


def _sent_back(uri: str, answer: Mapping[str, str | None], mode: str, status: int = 302) -> Response:
    return form_post(uri, answer) if mode == "form_post" else redirect(uri, answer, mode, status=status)


def _fingerprint(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()

"""`Routes`: the reply to each request to the login, and the user of every other request, for all frameworks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from doorkey.errors import OAuthError
from doorkey.login.next_url import checked_next
from doorkey.login.web.backend import Backend
from doorkey.login.web.logging_in import LoggingIn
from doorkey.login.web.logging_out import LoggingOut
from doorkey.login.web.messages import WebReply, WebRequest, empty_reply, json_reply, redirect
from doorkey.login.web.replies import error_reply, status_of
from doorkey.login.web.session_check import SessionCheck, script_reply
from doorkey.login.web.site import (
    BACKCHANNEL,
    CALLBACK,
    FRONTCHANNEL,
    LOGIN,
    LOGOUT,
    ME,
    SESSION,
    SESSION_SCRIPT,
    Site,
)
from doorkey.login.web.user import User
from doorkey.values import without_frames
from doorkey.wire.flow import Flow

_METHODS: Final = {
    LOGIN: ("GET",),
    CALLBACK: ("GET", "POST"),
    LOGOUT: ("GET", "POST"),
    BACKCHANNEL: ("POST",),
    FRONTCHANNEL: ("GET",),
    ME: ("GET",),
    SESSION: ("GET",),
    SESSION_SCRIPT: ("GET",),
}
_WITH_PROVIDER: Final = (LOGIN, CALLBACK, BACKCHANNEL, FRONTCHANNEL)
_NEEDS_PROVIDER: Final = (CALLBACK, BACKCHANNEL, FRONTCHANNEL)


@dataclass(frozen=True, slots=True)
class Routes:
    """The login of one site."""

    site: Site
    backend: Backend

    def reply(self, route: str, request: WebRequest) -> Flow[WebReply]:
        """Return the reply to a request to `route`, the path below the prefix, such as ``callback/google``.

        Every error becomes a page, or JSON if the request was not made for a page.
        """
        action, _, rest = route.strip("/").partition("/")
        name = rest or None
        method = "GET" if request.method == "HEAD" else request.method
        if action not in _METHODS or not self._is_provider(action, name):
            return json_reply(404, {"error": "not_found"})
        if method not in _METHODS[action]:
            return json_reply(405, {"error": "method_not_allowed"}, [("Allow", ", ".join(_METHODS[action]))])
        try:
            yield from self.backend.prepared()
            return (yield from self._action(action, method, name, request))
        except OAuthError as error:
            return (yield from self._explained(action, request, without_frames(error)))

    def user(self, request: WebRequest) -> Flow[User | None]:
        """Return the user of a request, or None. Raises `StoreError`."""
        cookie = self._cookie(request)
        if cookie is None:
            return None
        yield from self.backend.prepared()
        session = yield from self.backend.sessions.load(cookie, self.backend.clock())
        return None if session is None else User(session, cookie, self.backend)

    def denied(self, request: WebRequest) -> WebReply:
        """Return the reply to a request without its required user: a redirect to the login, or a 401."""
        path = self.site.login_path(request)
        if request.wants_html:
            return redirect(path)
        challenge = f'Cookie realm="login", form-action="{self.site.path(request, LOGIN)}"'
        document = {"error": "login_required", "error_description": "Log in first.", "login_url": path}
        return json_reply(401, document, [("WWW-Authenticate", challenge)])

    def end_and_deny(self, request: WebRequest) -> Flow[WebReply]:
        """End the session of a browser whose token cannot be renewed, and return the reply for a new login."""
        cookie = self._cookie(request)
        session = yield from self.backend.sessions.load(cookie, self.backend.clock())
        if cookie is not None and session is not None:
            yield from self.backend.forget((yield from self.backend.sessions.end(cookie, session)))
        return self.denied(request)

    def failed(self, error: OAuthError, request: WebRequest) -> WebReply:
        """Return the reply for an error that prevents the response to a request, such as an error of the store."""
        again = checked_next(request.target, self.site.after_login)
        return error_reply(error, request, retry_path=again, site=self.site.name)

    def _action(self, action: str, method: str, name: str | None, request: WebRequest) -> Flow[WebReply]:
        logging_in, logging_out = LoggingIn(self.site, self.backend), LoggingOut(self.site, self.backend)
        cookie = self._cookie(request)
        flows: dict[tuple[str, str], Callable[[], Flow[WebReply]]] = {
            (LOGIN, "GET"): lambda: self._begun(logging_in, request, name, cookie),
            (CALLBACK, "GET"): lambda: logging_in.finish(request, name, cookie),
            (CALLBACK, "POST"): lambda: logging_in.finish(request, name, cookie),
            (LOGOUT, "GET"): lambda: logging_out.confirm(request, cookie),
            (LOGOUT, "POST"): lambda: logging_out.by_user(request, cookie),
            (BACKCHANNEL, "POST"): lambda: logging_out.by_back_channel(request, name),
            (FRONTCHANNEL, "GET"): lambda: logging_out.by_front_channel(request, name, cookie),
            (ME, "GET"): lambda: self._me(request),
            (SESSION, "GET"): lambda: SessionCheck(self.site, self.backend).frame(request, cookie),
            (SESSION_SCRIPT, "GET"): script_reply,
        }
        return flows[action, method]()

    def _begun(
        self, logging_in: LoggingIn, request: WebRequest, name: str | None, cookie: str | None
    ) -> Flow[WebReply]:
        """Begin a login, but only for a page: an image on another site must not push out the user's own logins."""
        if not request.may_navigate:
            path = self.site.path(request, LOGIN, name)
            description = "A login is a page: send the browser to login_url, instead of fetching it."
            return json_reply(403, {"error": "not_a_page", "error_description": description, "login_url": path})
        return (yield from logging_in.begin(request, name, cookie))

    def _me(self, request: WebRequest) -> Flow[WebReply]:
        user = yield from self.user(request)
        if user is None:
            return self.denied(request) if not request.wants_html else redirect(self.site.login_path(request))
        who = {"iss": user.iss, "sub": user.sub, "provider": user.provider, "name": user.name}
        return json_reply(200, {**who, "claims": dict(user.claims), "csrf_token": user.csrf_token})

    def _explained(self, action: str, request: WebRequest, error: OAuthError) -> Flow[WebReply]:
        """Return the reply for an error of a route."""
        if action == BACKCHANNEL:
            return _back_channel_error(error)
        cookies: tuple[tuple[str, str], ...] = ()
        if action == CALLBACK:
            try:
                cookies = yield from LoggingIn(self.site, self.backend).removal_headers(request)
            except OAuthError:
                cookies = ()
        retry = self.site.path(request, LOGIN)
        return error_reply(error, request, retry_path=retry, site=self.site.name, cookies=cookies)

    def _is_provider(self, action: str, name: str | None) -> bool:
        providers = self.backend.providers
        if name is not None:
            return action in _WITH_PROVIDER and name in providers
        return len(providers) == 1 or action not in _NEEDS_PROVIDER

    def _cookie(self, request: WebRequest) -> str | None:
        try:
            rules = self.site.rules(self.site.base(request))
        except OAuthError:
            return None
        return request.cookies.get(rules.name())


def _back_channel_error(error: OAuthError) -> WebReply:
    """Return the reply to a provider whose logout token was rejected (Back-Channel Logout 1.0 §2.8)."""
    status = status_of(error)
    if status < 500:
        return json_reply(400, {"error": "invalid_request", "error_description": str(error)})
    return empty_reply(503)

"""`ApiProxy`: a single-page app calls an API through its own site, which adds the token of the logged-in user.

Theory of operation. This is the backend for frontend of "OAuth 2.0 for Browser-Based Applications" (§6.1): the browser
has only the session cookie of its site, and no token. So the cookie authorizes each request to the proxy, and another
site could make the browser send such a request. The proxy therefore requires a header that other sites can set only
after a preflight request, which the proxy never permits. So the header proves that a script of this site has sent the
request (§6.1.3.3.2).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from doorkey.arguments import count, flag, instance, seconds
from doorkey.errors import InvalidGrant, MissingTokenError, OAuthError, TokenExpiredError
from doorkey.login.web.api_calls import APICall, APIError
from doorkey.login.web.api_streams import open_stream
from doorkey.login.web.messages import WebReply, WebRequest, json_reply
from doorkey.login.web.proxied_api import METHODS, ProxiedAPI
from doorkey.observe.logs import logger
from doorkey.runtime.clock import monotonic_time
from doorkey.values import NotPicklable
from doorkey.wire.flow import Flow, Settle

if TYPE_CHECKING:
    from flask import Flask
    from starlette.applications import Starlette

    from doorkey.login.web.login import Login
    from doorkey.login.web.routes import Routes
    from doorkey.wire.messages import Response

__all__ = ["ApiProxy"]

CSRF_HEADER: Final = "X-CSRF"

_WITHOUT_BODY: Final = (204, 304)
_UNBUFFERED: Final = ("X-Accel-Buffering", "no")
"""Prevents nginx and other reverse proxies from buffering the response."""
_LOG_IN_AGAIN: Final = (InvalidGrant, MissingTokenError, TokenExpiredError)
_PROTECTED: Final = (
    ("Cache-Control", "no-store"),
    ("X-Content-Type-Options", "nosniff"),
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; sandbox"),
)
"""The response of the API has the origin of this site, so it must be neither shown as a page nor cached."""


class ApiProxy(NotPicklable):
    """Passes requests below a path of this site to an API, with the valid token of the logged-in user.

    ``ApiProxy(login, "/api", "https://api.example").mount(app)``. A script must send ``X-CSRF: 1`` with each request. A
    request without this header or from another origin gets a 403, and a request without a user gets a 401. The API does
    not receive such a request.

    login: the login of the site.
    prefix: the path of this site below which the API is available.
    url: the URL of the API. No request goes anywhere else.
    request_headers: names of further request headers to pass to the API, such as ``["X-Tenant"]``. Cookies and
        credentials of the browser are never passed on.
    response_headers: names of further response headers to pass to the browser. Cookies of the API are never passed on.
    max_request, max_response: the maximum bytes of a request body and of a response body.
    timeout: maximum seconds for one call of the API; with `stream`, until its response begins and between two parts.
    stream: True: pass on a response while it arrives, for Server-Sent Events and large downloads. If it breaks off or
        exceeds a limit, the connection to the browser is closed.
    max_duration: maximum seconds of a streamed response.

    Raises `UsageError` for an invalid argument.
    """

    def __init__(
        self,
        login: Login,
        prefix: str,
        url: str,
        *,
        request_headers: Iterable[str] = (),
        response_headers: Iterable[str] = (),
        max_request: int = 1024 * 1024,
        max_response: int = 10 * 1024 * 1024,
        timeout: float = 30.0,
        stream: bool = False,
        max_duration: float = 3600.0,
    ) -> None:
        from doorkey.login.web.login import Login

        self.login = instance(login, Login, "login must be the Login of the site")
        self.api = ProxiedAPI.of(prefix, url, request_headers, response_headers)
        self.max_request = count(max_request, "max_request")
        self.max_response = count(max_response, "max_response")
        self._timeout = seconds(timeout, "timeout", least=0.001, most=3600.0)
        duration = seconds(max_duration, "max_duration", least=0.001, most=86_400.0)
        self._lasts = duration if flag(stream, "stream") else None

    def mount(self, app: Starlette) -> None:
        """Add the paths of the proxy to a Starlette or FastAPI application.

        app: the application.
        """
        from doorkey.login.web.on_starlette_proxy import mount

        mount(self, app)

    def init_app(self, app: Flask) -> None:
        """Add the paths of the proxy to a Flask application.

        app: the application.
        """
        from doorkey.login.web.on_flask_proxy import init_app

        init_app(self, app)

    def respond(self, request: WebRequest, body: bytes | None) -> WebReply:
        """Return the reply to a request, for synchronous code.

        request: the request, without its body.
        body: the body of the request; None if it has more than `max_request` bytes.
        """
        routes = self.login.blocking
        reply: WebReply = routes.backend.do(self.reply(routes, request, body))
        return reply

    async def arespond(self, request: WebRequest, body: bytes | None) -> WebReply:
        """Return the reply to a request, for asynchronous code; see `respond`."""
        routes = self.login.awaiting
        reply: WebReply = await routes.backend.do(self.reply(routes, request, body))
        return reply

    def reply(self, routes: Routes, request: WebRequest, body: bytes | None) -> Flow[WebReply]:
        """Return the reply to a request, as a flow. Every error becomes JSON.

        routes: the synchronous or asynchronous routes of the login.
        request, body: as for `respond`.
        """
        script_request = _of_a_script(request)
        try:
            refused, target = self._rejection(request, body), self.api.target(request)
            if refused is not None or target is None or body is None:
                return refused or _problem(404, "not_found", "There is no such path.")
            user = yield from routes.user(script_request)
            if user is None:
                return routes.denied(script_request)
            call = APICall(
                method=request.method,
                url=target,
                headers=self.api.forwarded(request),
                body=body,
                timeout=self._timeout,
                most=self.max_response,
                timer=monotonic_time,
                lasts=self._lasts,
            )
            if call.lasts is None or call.method == "HEAD":
                return self._passed_on(request, target, (yield from Settle(call.send_with(user.client))))
            return (yield from self._streamed(request, call, user.client))
        except _LOG_IN_AGAIN:
            return (yield from routes.end_and_deny(script_request))
        except APIError as error:
            logger.warning("a request to the API failed: %s", error)
            return _problem(error.status, error.code, f"{error.description}. Try again later.")
        except OAuthError as error:
            return routes.failed(error, script_request)

    def _streamed(self, request: WebRequest, call: APICall, client: Any) -> Flow[WebReply]:
        """Return a reply whose body is received from the API while it is sent."""
        head, stream = yield from Settle(open_stream(call, client))
        try:
            reply = self._passed_on(request, call.url, head)
        except APIError:
            yield from Settle(stream.close())
            raise
        if reply.status in _WITHOUT_BODY:
            yield from Settle(stream.close())
            return reply
        return replace(reply.with_headers(_UNBUFFERED), stream=stream)

    def _rejection(self, request: WebRequest, body: bytes | None) -> WebReply | None:
        """Return the error reply to a request that is invalid for every user, or None."""
        if request.method not in METHODS:
            return _problem(405, "method_not_allowed", "The method is not allowed.", ("Allow", ", ".join(METHODS)))
        if request.header(CSRF_HEADER) != "1":
            return _problem(403, "csrf_header_missing", f"Send the header {CSRF_HEADER}: 1 with each request.")
        if not self._is_of_this_site(request):
            return _problem(403, "cross_site_request", "Only pages of this site may send requests here.")
        if body is None:
            return _problem(413, "request_too_large", f"The body has more than {self.max_request} bytes.")
        return None

    def _is_of_this_site(self, request: WebRequest) -> bool:
        """Return whether the headers name this site as the sender, or no sender at all (Fetch Metadata §2.1)."""
        if (request.header("Sec-Fetch-Site") or "same-origin") != "same-origin":
            return False
        return self.login.site.is_own_origin(request)

    def _passed_on(self, request: WebRequest, target: str, response: Response) -> WebReply:
        headers = list(self.api.returned(response.headers))
        location = response.header("location")
        if location is not None:
            own = self.api.location(target, location, request.base_path)
            if own is None and 300 <= response.status < 400:
                raise APIError("the API redirects to a URL that is not below its own URL")
            headers += [] if own is None else [("Location", own)]
        return WebReply(response.status, (*headers, *_PROTECTED), response.body)


def _of_a_script(request: WebRequest) -> WebRequest:
    """Return the request as a script's POST, so that an error is JSON and a login does not return to this path."""
    headers = tuple(one for one in request.headers if one[0].lower() != "sec-fetch-mode")
    return replace(request, method="POST", headers=(("Sec-Fetch-Mode", "cors"), *headers))


def _problem(status: int, error: str, description: str, *headers: tuple[str, str]) -> WebReply:
    document: dict[str, Any] = {"error": error, "error_description": description}
    return json_reply(status, document, headers)

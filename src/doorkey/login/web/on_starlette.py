"""The login on Starlette and FastAPI: its routes, and the user of a request."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import TYPE_CHECKING, Any, Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket

from doorkey.arguments import instance
from doorkey.errors import InvalidGrant, MissingTokenError, OAuthError, TokenExpiredError, UsageError
from doorkey.login.proxy_settings import STARLETTE
from doorkey.login.web.messages import MAX_FORM, WebReply, WebRequest
from doorkey.login.web.user import User
from doorkey.observe.logs import logger
from doorkey.resource.on_starlette import reject_handshake
from doorkey.wire.messages import FORM, Pairs
from doorkey.wire.parameters import parse_form

if TYPE_CHECKING:
    from doorkey.login.web.login import Login

PROXY_SETTING: Final = STARLETTE
LOG_IN_AGAIN: Final = (InvalidGrant, MissingTokenError, TokenExpiredError)
_LOGINS: Final = "_doorkey_logins"
_ROOT: Final = "doorkey.login.root"


class RememberRoot:
    """Middleware that stores the mount path of an application, for requests to applications mounted in it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Store the mount path, and pass the request on."""
        if scope["type"] in ("http", "websocket"):
            scope[_ROOT] = scope.get("root_path", "")
        await self._app(scope, receive, send)


class ReplyRaised(HTTPException):
    """Raised by a dependency to send `reply` in place of the endpoint's response."""

    def __init__(self, reply: WebReply) -> None:
        super().__init__(reply.status, headers=dict(reply.headers))
        self.reply = reply


def mount(login: Login, app: Starlette) -> None:
    """Add the routes of `login` to an application, and handlers for the errors of `user.client`."""

    async def respond(request: Request) -> Response:
        converted = web_request(request, await _form_of(request))
        return response_of(await login.arespond(request.path_params["route"], converted))

    async def raised(request: Request, error: Exception) -> Response:
        assert isinstance(error, ReplyRaised)
        return response_of(error.reply)

    async def log_in_again(request: Request, error: Exception) -> Response:
        for one in logins:
            user = request.scope.get(_name(one))
            if isinstance(user, User) and user.uses_token:
                return response_of(await one.awaiting.backend.do(one.awaiting.end_and_deny(web_request(request))))
        raise error

    route = Route(f"{login.site.prefix}/{{route:path}}", respond, methods=["GET", "POST"], include_in_schema=False)
    if instance(app, Starlette, "mount takes a Starlette or FastAPI application").middleware_stack is not None:
        raise UsageError("add the login before the application has started")
    logins: list[Login] = getattr(app.state, _LOGINS, [])
    setattr(app.state, _LOGINS, [*logins, login])
    logins = getattr(app.state, _LOGINS)
    app.router.routes.insert(0, route)
    app.add_middleware(RememberRoot)
    app.add_exception_handler(ReplyRaised, raised)
    for kind in LOG_IN_AGAIN:
        app.add_exception_handler(kind, log_in_again)


async def user_of(login: Login, connection: HTTPConnection) -> User | None:
    """Return the user of a connection, or None. The session is loaded once for a request.

    Browsers let pages of other sites open a WebSocket without a CORS check. So a handshake from another origin has no
    user (RFC 6455 §10.2).
    """
    scope: MutableMapping[str, Any] = connection.scope
    if _name(login) not in scope:
        routes, converted = login.awaiting, web_request(connection)
        found: User | None = await routes.backend.do(routes.user(converted))
        if found is not None and connection.scope["type"] == "websocket" and not login.site.is_own_origin(converted):
            logger.warning("a WebSocket handshake has no user, because its origin differs from the base URL")
            found = None
        scope[_name(login)] = found
    user: User | None = scope[_name(login)]
    return user


async def denied(login: Login, connection: HTTPConnection) -> WebReply | None:
    """Return the reply to a request that has no user, else None."""
    routes = login.awaiting
    try:
        if await user_of(login, connection) is not None:
            return None
    except UsageError:
        raise
    except OAuthError as error:
        return routes.failed(error, web_request(connection))
    if not login._applications:
        raise UsageError("the application has no routes of the login: call login.mount(app)")
    return routes.denied(web_request(connection))


async def denial(login: Login, connection: HTTPConnection) -> Response | None:
    """Return the response to a request that has no user, else None. Reject a WebSocket that has no user."""
    reply = await denied(login, connection)
    if reply is None:
        return None
    response = response_of(reply)
    if isinstance(connection, WebSocket):
        await reject_handshake(connection, response, close_code(reply))
    return response


def close_code(reply: WebReply) -> int:
    """Return the code that closes a WebSocket in place of a reply (RFC 6455 §7.4.1)."""
    return 1013 if reply.status == 503 else 1008


def web_request(connection: HTTPConnection, form: Pairs = ()) -> WebRequest:
    """Return a request as a value. A WebSocket handshake is a GET (RFC 6455 §4.1)."""
    scope = connection.scope
    given: str = scope["scheme"]
    scheme = {"ws": "http", "wss": "https"}.get(given, given)
    return WebRequest(
        method=scope.get("method", "GET"),
        scheme=scheme,
        host=connection.headers.get("host", ""),
        path=scope["path"],
        query=scope.get("query_string", b"").decode("latin-1"),
        headers=tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]),
        form=form,
        root=scope.get(_ROOT, "").rstrip("/"),
        proxy_setting=PROXY_SETTING,
    )


def response_of(reply: WebReply) -> Response:
    """Return a response of Starlette."""
    response = Response(reply.body, reply.status)
    for name, value in reply.headers:
        response.headers.append(name, value)
    return response


async def _form_of(request: Request) -> Pairs:
    """Return the parameters of a form-encoded body; () for any other body, and for a body that is too long."""
    if request.method != "POST" or not request.headers.get("content-type", "").lower().startswith(FORM):
        return ()
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > MAX_FORM:
            return ()
    try:
        return parse_form(body.decode("utf-8", "replace"))
    except UsageError:  # too many parameters
        return ()


def _name(login: Login) -> str:
    """Return the key of the user in the scope. An application may have several logins.

    The user is not in ``scope["state"]``, because not every server copies this state of the lifespan for each request.
    """
    return f"doorkey.user_{id(login)}"

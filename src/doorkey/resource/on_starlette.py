"""`StarletteGuard`: middleware, a decorator of endpoints, and the route of the API's metadata."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from functools import wraps
from typing import Any, TypeAlias

from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.websockets import WebSocket

from doorkey.arguments import awaits
from doorkey.errors import UsageError
from doorkey.resource.framework_guard import Claims, requirement_of
from doorkey.resource.messages import Rejection, Reply
from doorkey.resource.on_asgi import DENIAL, ASGIGuard, close_code

Endpoint: TypeAlias = Callable[..., Any]

__all__ = ["StarletteGuard"]


class StarletteGuard(ASGIGuard):
    """Checks the access token of each request to a Starlette application; see `FrameworkGuard` for the arguments.

    ``app.add_middleware(guard.middleware)`` protects the application, ``@guard.require("orders:read")`` one endpoint. A
    blocking verifier runs in a worker thread if it must send a request.
    """

    def require(
        self,
        *scopes: str,
        claims: Claims | None = None,
        acr: str | Iterable[str] = (),
        max_age: float | None = None,
        optional: bool = False,
    ) -> Callable[[Endpoint], Callable[..., Awaitable[Any]]]:
        """Return the decorator of an endpoint: a blocking or asynchronous function of a request or a WebSocket.

        scopes, claims, acr, max_age: the requirement of the endpoint; see `Requirement`.
        optional: also call the endpoint for requests without a token. An invalid token is still rejected.

        The endpoint finds the token in `request.state.access_token`. A WebSocket is rejected during its handshake.

        Raises `UsageError` for invalid arguments.
        """
        requirement = requirement_of(scopes, claims, acr, max_age)

        def decorated(endpoint: Endpoint) -> Callable[..., Awaitable[Any]]:
            @wraps(endpoint)
            async def guarded(*args: Any, **kwargs: Any) -> Any:
                connection = _connection_of((*args, *kwargs.values()))
                found = await self._acheck(connection.scope, requirement, optional)
                if isinstance(found, Rejection):
                    return await _reject(found, connection)
                if awaits(endpoint):
                    return await endpoint(*args, **kwargs)
                return await run_in_threadpool(endpoint, *args, **kwargs)

            return guarded

        return decorated

    @property
    def routes(self) -> list[Route]:
        """The route of the API's metadata (RFC 9728 §3), for an application without the middleware."""
        path = self.metadata_path
        if path is None:
            return []

        async def metadata(request: Request) -> Response:
            reply = self.guard.metadata_reply(self._api_request(request.scope))
            assert reply is not None, "the route has the path of the metadata"
            return response_of(reply)

        return [Route(path, metadata, methods=["GET"], include_in_schema=False)]


def response_of(reply: Reply) -> Response:
    """Return `reply` as a Starlette response."""
    return Response(reply.body, reply.status, dict(reply.headers))


def _connection_of(values: Iterable[Any]) -> HTTPConnection[Any]:
    for value in values:
        if isinstance(value, HTTPConnection):
            return value  # pyright: ignore[reportUnknownVariableType]  # the type of its state is unknown
    raise UsageError("an endpoint with @guard.require(…) needs a parameter for the request or the WebSocket")


async def _reject(rejection: Rejection, connection: HTTPConnection[Any]) -> Response | None:
    response = response_of(rejection)
    if not isinstance(connection, WebSocket):
        return response
    await reject_handshake(connection, response, close_code(rejection))
    return None


async def reject_handshake(socket: WebSocket, response: Response, code: int) -> None:
    """Reject the handshake of a WebSocket by `response`, or by the close `code` if the server does not support that."""
    if DENIAL in (socket.scope.get("extensions") or {}):
        await socket.send_denial_response(response)
    else:
        await socket.close(code)

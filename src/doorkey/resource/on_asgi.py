"""`ASGIGuard`: middleware for every ASGI application, HTTP and WebSockets. Imports no framework."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Iterable, MutableMapping
from typing import Any, Final, TypeAlias

from doorkey.errors import UsageError
from doorkey.resource.access_token import AccessToken
from doorkey.resource.framework_guard import (
    Certificate,
    Claims,
    FrameworkGuard,
    accepted_without_token,
    latin1_pairs,
    requirement_of,
    target,
)
from doorkey.resource.messages import ApiRequest, Rejection, Reply
from doorkey.resource.requirement import Requirement

Scope: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send: TypeAlias = Callable[[MutableMapping[str, Any]], Awaitable[None]]
ASGIApp: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

STATE_NAME: Final = "access_token"
"""The name of the token in the state of the request."""

DENIAL: Final = "websocket.http.response"
"""The ASGI extension with which a server rejects a WebSocket handshake by an HTTP response."""

__all__ = ["ASGIGuard"]


class ASGIGuard(FrameworkGuard):
    """Checks the access token of each request to an ASGI application; see `FrameworkGuard` for the arguments.

    A blocking verifier runs in a worker thread if it must send a request.
    """

    def middleware(
        self,
        app: ASGIApp,
        *scopes: str,
        claims: Claims | None = None,
        acr: str | Iterable[str] = (),
        max_age: float | None = None,
        optional: bool = False,
    ) -> Callable[[Scope, Receive, Send], Coroutine[Any, Any, None]]:
        """Return `app` wrapped in middleware, so that it receives only requests that the guard accepts.

        app: the application, which finds the token in ``scope["state"]["access_token"]``.
        scopes, claims, acr, max_age: the requirement for every request; see `Requirement`.
        optional: also accept requests without a token; their token is None. An invalid token is still rejected.

        A CORS preflight request has no token, so CORS middleware must wrap this middleware. The middleware also serves
        the metadata of the API (RFC 9728). A WebSocket is rejected during its handshake.

        Raises `UsageError` for invalid arguments.
        """
        requirement = requirement_of(scopes, claims, acr, max_age)

        async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "lifespan":
                await app(scope, receive, send)
                return
            if scope["type"] not in ("http", "websocket"):  # unknown types have no known headers, so no token
                raise UsageError("this guard checks HTTP requests and WebSockets, and no other kind of connection")
            request = self._api_request(scope)
            reply = self.guard.metadata_reply(request) if scope["type"] == "http" else None
            if reply is None:
                found = await self.guard.acheck(request, requirement)
                if not isinstance(found, Rejection) or accepted_without_token(found, optional):
                    remember(scope, found)
                    await app(scope, receive, send)
                    return
                reply = found
            await respond(reply, scope, send)

        return guarded

    async def _acheck(self, scope: Scope, requirement: Requirement, optional: bool) -> AccessToken | Rejection | None:
        """Return the token of a connection, None if it has no token and `optional` is true, or the rejection."""
        found = await self.guard.acheck(self._api_request(scope), requirement)
        if isinstance(found, Rejection) and not accepted_without_token(found, optional):
            return found
        return remember(scope, found)

    def _api_request(self, scope: Scope) -> ApiRequest:
        """Return the request of a connection. A WebSocket handshake is a GET (RFC 6455 §4.1)."""
        raw: bytes | None = scope.get("raw_path")
        path = scope["path"] if raw is None else raw.partition(b"?")[0]
        url = target(path, scope.get("query_string", b"").decode("latin-1"))
        return self._request(
            scope.get("method", "GET"), url, latin1_pairs(scope["headers"]), lambda: tls_certificate(scope)
        )


def remember(scope: Scope, found: AccessToken | Rejection) -> AccessToken | None:
    """Store the token in the state of the request, and return it. The rejection of an optional token is None."""
    token = None if isinstance(found, Rejection) else found
    scope.setdefault("state", {})[STATE_NAME] = token
    return token


async def respond(reply: Reply, scope: Scope, send: Send) -> None:
    """Send `reply`. A WebSocket is closed with a code if the server does not support a response to its handshake."""
    prefix = "http.response"
    if scope["type"] == "websocket":
        if DENIAL not in (scope.get("extensions") or {}):
            await send({"type": "websocket.close", "code": close_code(reply), "reason": ""})
            return
        prefix = DENIAL
    body = reply.body if scope.get("method") != "HEAD" else b""
    headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in reply.headers]
    headers.append((b"content-length", b"%d" % len(reply.body)))
    await send({"type": f"{prefix}.start", "status": reply.status, "headers": headers})
    await send({"type": f"{prefix}.body", "body": body})


def tls_certificate(scope: Scope) -> Certificate:
    """Return the client certificate of a connection as PEM, or None. It comes from the TLS extension of ASGI."""
    extensions: dict[str, Any] = scope.get("extensions") or {}
    tls: dict[str, Any] = extensions.get("tls") or {}
    return next(iter(tls.get("client_cert_chain") or ()), None)


def close_code(reply: Reply) -> int:
    """Return the close code of a WebSocket for `reply` (RFC 6455 §7.4.1)."""
    return reply.close_code if isinstance(reply, Rejection) else 1008

"""`ApiProxy` on Starlette and FastAPI."""

from __future__ import annotations

from typing import TYPE_CHECKING

from anyio import CancelScope, create_task_group
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from doorkey.login.web.api_calls import APIError
from doorkey.login.web.messages import WebReply
from doorkey.login.web.on_starlette import response_of, web_request
from doorkey.login.web.proxied_api import METHODS

if TYPE_CHECKING:
    from doorkey.login.web.api_proxy import ApiProxy


def mount(proxy: ApiProxy, app: Starlette) -> None:
    """Add the paths of `proxy` to an application."""

    async def respond(request: Request) -> Response:
        body = await _body_of(request, proxy.max_request)
        reply = await proxy.arespond(web_request(request), body)
        return response_of(reply) if reply.stream is None else _Streamed(reply)

    route = Route(f"{proxy.api.prefix}/{{path:path}}", respond, methods=list(METHODS), include_in_schema=False)
    app.router.routes.insert(0, route)


class _Streamed(StreamingResponse):
    """A response that ends when the browser disconnects, even while the API sends nothing, and closes its stream."""

    def __init__(self, reply: WebReply) -> None:
        super().__init__(reply.stream, reply.status)
        self._stream = reply.stream
        for name, value in reply.headers:
            self.headers.append(name, value)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the parts."""
        failed: Exception | None = None

        async def sending() -> None:
            nonlocal failed
            try:
                await self.stream_response(send)
            except (APIError, OSError) as error:  # OSError: the browser has disconnected
                failed = error if isinstance(error, APIError) else None
            group.cancel_scope.cancel()

        try:
            async with create_task_group() as group:
                group.start_soon(sending)
                await self.listen_for_disconnect(receive)
                group.cancel_scope.cancel()
        finally:
            with CancelScope(shield=True):
                await self._stream.close()
        if failed is not None:
            raise failed


async def _body_of(request: Request, most: int) -> bytes | None:
    """Return the body; None if it has more than `most` bytes."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > most:
            return None
    return bytes(body)

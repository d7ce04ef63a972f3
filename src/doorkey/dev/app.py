"""The ASGI application of the provider. It passes requests as values to `Keycloak`, and serves `/echo` itself.

Responses are computed in the event loop's thread. This does not block, and a development server that processes one
request at a time is predictable. Only a fault with `hold` waits, in a separate thread.
"""

from __future__ import annotations

import asyncio
import json

from starlette.requests import ClientDisconnect
from starlette.requests import Request as StarletteRequest
from starlette.responses import Response as StarletteResponse
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from doorkey.dev.control_page import ControlPage
from doorkey.dev.faults import Fault, Faults
from doorkey.dev.keycloak import Keycloak, bad_host
from doorkey.dev.limits import MAX_BODY, Limits, TrustedProxies
from doorkey.dev.logout_calls import LogoutCalls
from doorkey.dev.misbehavior import dripping, held, reset
from doorkey.dev.request_log import RequestLog, grant_type_of, logged
from doorkey.errors import OAuthError
from doorkey.server.responses.responses import NO_STORE, json_response, server_error, without_sniffing
from doorkey.wire.messages import Request, Response

ECHO = "/echo"


class App:
    """The ASGI application of a provider. The header `X-Forwarded-For` is used only from an address in `proxies`."""

    def __init__(
        self,
        keycloak: Keycloak,
        faults: Faults,
        log: RequestLog,
        limits: Limits,
        proxies: TrustedProxies,
        calls: LogoutCalls,
        control_page: ControlPage | None = None,
    ) -> None:
        self._keycloak = keycloak
        self._faults = faults
        self._log = log
        self._limits = limits
        self._proxies = proxies
        self._calls = calls
        self._control_page = control_page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Process one request."""
        if scope["type"] != "http":
            return
        incoming = StarletteRequest(scope, receive)
        try:
            async with asyncio.timeout(self._limits.body_seconds):
                body, size = await _read(incoming)
        except ClientDisconnect:
            return
        except TimeoutError:
            await self._send(_too_slow(), scope, receive, send, head=False)
            return
        request = Request(incoming.method, str(incoming.url), tuple(incoming.headers.items()), body=body)
        path = incoming.url.path
        if self._control_page is not None and self._control_page.serves(path):
            response = self._control_page.answer(request, incoming.client.host if incoming.client else None, size=size)
            await self._calls.post_all(self._keycloak.take_logout_tokens())
            await self._send(response, scope, receive, send, head=incoming.method == "HEAD")
            return
        grant_type = None if path == ECHO else grant_type_of(request)
        fault = self._faults.take(path, grant_type)
        if fault is not None:
            await held(fault)
        lost = fault is not None and fault.reset == "before"
        if self._keycloak.documents is not None and not lost:
            await self._keycloak.documents.prepare(request)
        address = self._proxies.caller(incoming.client.host if incoming.client else None, request.headers)
        response = Response(0) if lost else self._answer(request, path, size, fault, address)
        # Before the response, so that the clients have been notified when the caller sees the end of the session.
        await self._calls.post_all(self._keycloak.take_logout_tokens())
        self._log.add(logged(request, path, response.status, body_is_form=path != ECHO))
        if fault is not None and fault.reset is not None:
            reset(scope)
        else:
            drip = fault.drip if fault else None
            await self._send(response, scope, receive, send, head=incoming.method == "HEAD", drip=drip)

    def _answer(self, request: Request, path: str, size: int, fault: Fault | None, address: str | None) -> Response:
        if fault is not None and fault.status is not None:
            return Response(fault.status, fault.headers, fault.body)
        try:
            if path == ECHO:
                return self._echo(request, size)
            if size > MAX_BODY:
                return json_response({"error": "invalid_request"}, 413)
            return self._keycloak.answer(request, address)
        except OAuthError:  # for example, the store cannot be used
            return server_error()

    def _echo(self, request: Request, size: int) -> Response:
        """Return the request as JSON if it has a valid access token: a protected resource for trying out tokens."""
        if self._keycloak.hosts.origin_of(request) is None:
            return bad_host()
        refusal = self._keycloak.check_bearer(request)
        if refusal is not None:
            return refusal
        seen = {"method": request.method, "authorization": request.header("authorization"), "body_size": size}
        return Response(200, (("Content-Type", "application/json"),), json.dumps(seen).encode())

    async def _send(
        self, response: Response, scope: Scope, receive: Receive, send: Send, *, head: bool, drip: float | None = None
    ) -> None:
        body = b"" if head else response.body
        if drip is not None:
            slow = StreamingResponse(dripping(body, drip, scope), response.status)
            slow.raw_headers += [(b"content-length", str(len(body)).encode())]
            await _with_headers(slow, response)(scope, receive, send)
            return
        answer = _with_headers(StarletteResponse(body or None, response.status), response)
        try:
            async with asyncio.timeout(self._limits.body_seconds):
                await answer(scope, receive, send)
        except TimeoutError:  # the caller does not read the response
            reset(scope)


def _with_headers(answer: StarletteResponse, response: Response) -> StarletteResponse:
    # Raw headers, because a dict could contain only one Set-Cookie header.
    headers = without_sniffing(response).headers
    answer.raw_headers += [(name.lower().encode(), value.encode("latin-1")) for name, value in headers]
    return answer


def _too_slow() -> Response:
    return json_response({"error": "HTTP 408 Request Timeout"}, 408, (*NO_STORE, ("Connection", "close")))


async def _read(request: StarletteRequest) -> tuple[bytes, int]:
    """Return the body, or only its beginning if it is longer than `MAX_BODY`, and its size in bytes."""
    kept, size = bytearray(), 0
    async for chunk in request.stream():
        size += len(chunk)
        if len(kept) <= MAX_BODY:
            kept += chunk[: MAX_BODY + 1]
    return bytes(kept), size

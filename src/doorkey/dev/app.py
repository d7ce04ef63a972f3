"""The provider behind a socket: an ASGI application that hands requests as values to `Keycloak`, and answers
`/echo`.

The answers are made in the event loop's own thread: they wait for nothing, and one at a time is also what
keeps a dev server predictable. Only a held fault waits, and it waits elsewhere.
"""

from __future__ import annotations

import json
from urllib.parse import parse_qsl

from starlette.requests import ClientDisconnect
from starlette.requests import Request as StarletteRequest
from starlette.responses import Response as StarletteResponse
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from doorkey.dev.faults import Fault, Faults
from doorkey.dev.keycloak import Keycloak
from doorkey.dev.misbehaviour import dripping, held, reset
from doorkey.dev.request_log import LoggedRequest, RequestLog
from doorkey.errors import OAuthError
from doorkey.server.responses.parameters import has_form
from doorkey.server.responses.responses import server_error
from doorkey.wire.messages import Request, Response

MAX_BODY = 256 * 1024
ECHO = "/echo"


class App:
    """The ASGI application of a provider."""

    def __init__(self, keycloak: Keycloak, faults: Faults, log: RequestLog) -> None:
        self._keycloak = keycloak
        self._faults = faults
        self._log = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        asked = StarletteRequest(scope, receive)
        try:
            body, size = await _read(asked)
        except ClientDisconnect:
            return
        request = Request(asked.method, str(asked.url), tuple(asked.headers.items()), body=body)
        path = asked.url.path
        names, grant_type = _described(request, path, asked.url.query)
        fault = self._faults.take(path, grant_type)
        if fault is not None:
            await held(fault)
        lost = fault is not None and fault.reset == "before"
        response = Response(0) if lost else self._answer(request, path, size, fault)
        self._log.add(LoggedRequest(request.method, path, grant_type, names, response.status))
        if fault is not None and fault.reset is not None:
            reset(scope)
        else:
            drip = fault.drip if fault else None
            await _send(response, scope, receive, send, head=asked.method == "HEAD", drip=drip)

    def _answer(self, request: Request, path: str, size: int, fault: Fault | None) -> Response:
        if fault is not None and fault.status is not None:
            return Response(fault.status, fault.headers, fault.body)
        try:
            if path == ECHO:
                return self._echo(request, size)
            if size > MAX_BODY:
                return Response(413, (("Content-Type", "application/json"),), b'{"error":"invalid_request"}')
            return self._keycloak.answer(request)
        except OAuthError:  # a store that does not answer, say
            return server_error()

    def _echo(self, request: Request, size: int) -> Response:
        """Answer what came, if it came with a token that counts: a protected resource to try tokens on."""
        refusal = self._keycloak.check_bearer(request)
        if refusal is not None:
            return refusal
        seen = {"method": request.method, "authorization": request.header("authorization"), "body_size": size}
        return Response(200, (("Content-Type", "application/json"),), json.dumps(seen).encode())


def _described(request: Request, path: str, query: str) -> tuple[tuple[str, ...], str | None]:
    """Return the names of a request's parameters, and its grant type if it has one."""
    text = request.content.decode("latin-1") if has_form(request) and path != ECHO else query
    try:
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=100)
    except ValueError:
        pairs = []
    return tuple(name for name, _ in pairs), next((value for name, value in pairs if name == "grant_type"), None)


async def _send(
    response: Response, scope: Scope, receive: Receive, send: Send, *, head: bool, drip: float | None
) -> None:
    body = b"" if head else response.body
    if drip is None:
        answer = StarletteResponse(None if head else body, response.status)
    else:
        answer = StreamingResponse(dripping(body, drip, scope), response.status)
        answer.raw_headers += [(b"content-length", str(len(body)).encode())]
    # Raw, because a dict would fold several Set-Cookie headers into one.
    answer.raw_headers += [(name.lower().encode(), value.encode("latin-1")) for name, value in response.headers]
    await answer(scope, receive, send)


async def _read(request: StarletteRequest) -> tuple[bytes, int]:
    """Return the body, or its beginning if it is too long, and its size."""
    kept, size = bytearray(), 0
    async for chunk in request.stream():
        size += len(chunk)
        if len(kept) <= MAX_BODY:
            kept += chunk[: MAX_BODY + 1]
    return bytes(kept), size

"""Requests to WSGI and ASGI applications without a server: raw headers in, raw headers out."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Callable, Iterable, MutableMapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

Pairs: TypeAlias = tuple[tuple[str, str], ...]
Message: TypeAlias = MutableMapping[str, Any]


@dataclass(frozen=True)
class Call:
    """A request; `certificate` is the PEM of the client certificate of the TLS connection."""

    path: str = "/orders"
    method: str = "GET"
    headers: Pairs = ()
    query: str = ""
    certificate: str | None = None


@dataclass(frozen=True)
class Answer:
    """A response."""

    status: int
    headers: Pairs
    body: bytes

    def all(self, name: str) -> list[str]:
        """The values of a header."""
        return [value for key, value in self.headers if key.lower() == name]

    @property
    def challenge(self) -> str | None:
        """The one challenge, or None."""
        found = self.all("www-authenticate")
        assert len(found) < 2, found
        return found[0] if found else None

    @property
    def json(self) -> Any:
        """The body."""
        return json.loads(self.body)


def bearer(token: str, **more: Any) -> Call:
    """A request with the token in its header."""
    return Call(headers=(("Authorization", f"Bearer {token}"),), **more)


def wsgi(app: Callable[..., Iterable[bytes]], call: Call) -> Answer:
    """The response of a WSGI application (PEP 3333). Repeated headers are joined, as servers do."""
    environ: dict[str, Any] = {
        "REQUEST_METHOD": call.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": call.path,
        "QUERY_STRING": call.query,
        "SERVER_NAME": "api.example",
        "SERVER_PORT": "443",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": "api.example",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "https",
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in call.headers:
        key = "HTTP_" + name.upper().replace("-", "_")
        environ[key] = f"{environ[key]},{value}" if key in environ else value
    if call.certificate is not None:
        environ["SSL_CLIENT_CERT"] = call.certificate
    started: list[Any] = []

    def start_response(status: str, headers: list[tuple[str, str]], _: Any = None) -> Callable[[bytes], None]:
        started[:] = [int(status[:3]), tuple(headers)]
        return started.append

    result = app(environ, start_response)
    body = b"".join(result)
    if callable(close := getattr(result, "close", None)):
        close()
    return Answer(started[0], started[1], body)


@dataclass
class Exchange:
    """One connection to an ASGI application: what it receives, and what it has sent."""

    incoming: list[Message]
    sent: list[Message] = field(default_factory=list[Message])

    async def receive(self) -> Message:
        """The next message; after the last one the client waits."""
        if not self.incoming:
            await asyncio.Event().wait()
        return self.incoming.pop(0)

    async def send(self, message: Message) -> None:
        """Record what the application sends."""
        self.sent.append(message)


def scope_of(call: Call, kind: str, extensions: dict[str, Any] | None = None) -> dict[str, Any]:
    """The connection scope of a call: `kind` is "http" or "websocket"."""
    extensions = extensions or {}
    if call.certificate is not None:
        extensions = {**extensions, "tls": {"client_cert_chain": [call.certificate]}}
    scope: dict[str, Any] = {
        "type": kind,
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "scheme": "https" if kind == "http" else "wss",
        "path": call.path,
        "raw_path": call.path.encode(),
        "root_path": "",
        "query_string": call.query.encode(),
        "headers": [
            (b"host", b"api.example"),
            *((name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in call.headers),
        ],
        "server": ("api.example", 443),
        "client": ("192.0.2.1", 40000),
        "extensions": extensions,
    }
    of_kind: dict[str, Any] = {"method": call.method} if kind == "http" else {"subprotocols": []}
    return scope | of_kind


def asgi(app: Callable[..., Any], call: Call) -> Answer:
    """The response of an ASGI application."""
    exchange = Exchange([{"type": "http.request", "body": b"", "more_body": False}])
    asyncio.run(app(scope_of(call, "http"), exchange.receive, exchange.send))
    return _answer(exchange.sent, "http.response")


def websocket(app: Callable[..., Any], call: Call, *, denial: bool = True) -> Answer | int | str:
    """What becomes of a WebSocket handshake: the text that is sent, the response of a denial, or a close code.

    `denial` says whether the server has the extension for denial responses.
    """
    exchange = Exchange([{"type": "websocket.connect"}, {"type": "websocket.disconnect", "code": 1000}])
    extensions: dict[str, Any] = {"websocket.http.response": {}} if denial else {}
    asyncio.run(app(scope_of(call, "websocket", extensions), exchange.receive, exchange.send))
    first = exchange.sent[0]
    if first["type"] == "websocket.http.response.start":
        return _answer(exchange.sent, "websocket.http.response")
    if first["type"] == "websocket.close":
        return int(first["code"])
    assert first["type"] == "websocket.accept"
    return str(exchange.sent[1]["text"])


def _answer(sent: list[Message], kind: str) -> Answer:
    start, *rest = sent
    assert start["type"] == f"{kind}.start", start
    assert all(message["type"] == f"{kind}.body" for message in rest)
    headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in start.get("headers", ()))
    return Answer(start["status"], headers, b"".join(message.get("body", b"") for message in rest))

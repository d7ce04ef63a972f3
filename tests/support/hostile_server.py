"""A loopback server that answers exactly what a test wrote, byte by byte if need be.

    hostile.on("/token", reply(502, "<html>…"), reply(json={...}))

Each path has its queue of answers, and the last one stays. An answer is a `bytes` of a whole response, or a function
of the `Exchange`, which may write slowly, wait for an event, or hang up.
"""

import json as json_module
import socket
import struct
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeAlias
from urllib.parse import parse_qsl, urlsplit

TLS = b"\x16"
"""How a client begins that speaks TLS, which we do not."""
WAIT = 60.0
"""Seconds after which a test that waits for an event has failed."""


@dataclass(frozen=True, slots=True)
class Received:
    """A request as it stood on the wire."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.target).query, keep_blank_values=True))

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    @property
    def token(self) -> str | None:
        """What came after `Bearer`."""
        return (self.header("authorization") or "").removeprefix("Bearer ") or None


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request, and the connection to answer it on."""

    request: Received
    connection: socket.socket

    def send(self, data: bytes) -> bool:
        """Write; False once the client has hung up."""
        try:
            self.connection.sendall(data)
        except OSError:
            return False
        return True

    def reset(self) -> None:
        """Hang up with a TCP reset."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def until_hung_up(self) -> None:
        """Return when the client has hung up."""
        with suppress(OSError):
            while self.connection.recv(4096):
                pass


Handler: TypeAlias = Callable[[Exchange], object]
Reply: TypeAlias = bytes | Handler


def reply(
    status: int = 200,
    body: bytes | str = b"",
    headers: Mapping[str, str] | Sequence[tuple[str, str]] = (),
    *,
    json: Any = None,
) -> bytes:
    """Return a whole response, its length right."""
    pairs = list(headers.items()) if isinstance(headers, Mapping) else list(headers)
    if json is not None:
        body = json_module.dumps(json)
        pairs.append(("Content-Type", "application/json"))
    content = body.encode() if isinstance(body, str) else body
    head = "".join(f"{name}: {value}\r\n" for name, value in pairs)
    return f"HTTP/1.1 {status} X\r\n{head}Content-Length: {len(content)}\r\n\r\n".encode("latin-1") + content


def token(access_token: str = "at-1", /, **members: Any) -> bytes:
    """Return a valid token response; these members are added to the default members, or replace them."""
    usual = {"access_token": access_token, "token_type": "Bearer", "expires_in": 300}
    return reply(json={name: value for name, value in {**usual, **members}.items() if value is not None})


def reset(exchange: Exchange) -> None:
    """Hang up with a TCP reset instead of an answer."""
    exchange.reset()


def echo(exchange: Exchange) -> None:
    """Answer what came."""
    request = exchange.request
    seen = {"method": request.method, "target": request.target, "headers": request.headers}
    exchange.send(reply(json={**seen, "body": request.body.decode("latin-1")}))


@dataclass(frozen=True, slots=True)
class Whole:
    """An answer of a function that writes a whole response: the connection carries further requests."""

    answer: Handler

    def __call__(self, exchange: Exchange) -> None:
        self.answer(exchange)


@dataclass(slots=True)
class Held:
    """An answer that waits until `release` is set; `arrived` is set when a request has arrived."""

    answer: Reply
    arrived: threading.Event = field(default_factory=threading.Event)
    release: threading.Event = field(default_factory=threading.Event)

    def __call__(self, exchange: Exchange) -> None:
        self.arrived.set()
        self.release.wait(WAIT)
        _send(self.answer, exchange)

    def wait_for_arrival(self) -> None:
        assert self.arrived.wait(WAIT), "no request arrived"


@dataclass(slots=True)
class Endless:
    """`head`, and then `piece` for ever: ends only when the client hangs up, or the test is over.

    `pause` seconds between pieces make it a drip that no read timeout of a client notices.
    """

    head: bytes
    piece: bytes
    pause: float = 0.0
    over: threading.Event = field(default_factory=threading.Event)
    hung_up: threading.Event = field(default_factory=threading.Event)

    def __call__(self, exchange: Exchange) -> None:
        alive = exchange.send(self.head)
        while alive and not self.over.wait(self.pause):
            alive = exchange.send(self.piece)
        self.hung_up.set()

    def wait_for_hang_up(self) -> None:
        assert self.hung_up.wait(WAIT), "the client is still reading"


class Hostile:
    """The server; `url(path)` is where it is."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.accepted = 0
        """Connections that clients have opened so far."""
        self._answers: dict[str, list[Reply]] = {}
        self._told: dict[str, Callable[[bytes], None]] = {}
        self._lock = threading.Lock()
        self._connections: set[socket.socket] = set()
        self._left = threading.Condition(self._lock)
        self._endless: list[Endless] = []
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self._threads: list[threading.Thread] = []
        self._start(self._accept)

    def url(self, path: str = "/api", *, host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}{path}"

    @property
    def port(self) -> int:
        port: int = self._listener.getsockname()[1]
        return port

    @property
    def token_endpoint(self) -> str:
        return self.url("/token")

    def on(self, path: str, *answers: Reply) -> None:
        """Answer requests to `path` so, one after the other; the last answer stays."""
        with self._lock:
            self._answers[path] = list(answers)
            endless = [answer for answer in answers if isinstance(answer, Endless)]
            self._endless += endless
        for answer in endless:  # which may have been another test's
            answer.over.clear()
            answer.hung_up.clear()

    def also_on(self, path: str, other: str) -> None:
        """Answer requests to `path` as those to the `other` path."""
        with self._lock:
            self._answers[path] = list(self._answers[other])

    def on_body(self, path: str, told: Callable[[bytes], None]) -> None:
        """Call `told` with each piece of a chunked body that comes to `path`."""
        self._told[path] = told

    def to(self, path: str) -> list[Received]:
        """Return the requests that have come to `path`."""
        return [request for request in list(self.received) if request.path == path]

    @property
    def token_requests(self) -> list[Received]:
        return self.to("/token")

    def wait_until_left(self) -> None:
        """Return when every client has hung up, also one that was too late to send its request."""
        with self._left:
            assert self._left.wait_for(lambda: not self._connections, WAIT), "a connection is still open"

    def close(self) -> None:
        """Hang up, stop listening, and wait for every thread."""
        for endless in self._endless:
            endless.over.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._threads[0].join(WAIT)  # no connection is accepted any more
        with self._lock:
            connections = list(self._connections)
        for connection in connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(WAIT)

    def _start(self, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, name="hostile", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self.accepted += 1
                self._connections.add(connection)
            self._start(partial(self._serve, connection))

    def _serve(self, connection: socket.socket) -> None:
        try:
            self._serve_each(connection)
        finally:
            with self._left:
                self._connections.discard(connection)
                self._left.notify_all()

    def _serve_each(self, connection: socket.socket) -> None:
        with connection, suppress(OSError), connection.makefile("rb") as stream:
            while (request := _read(stream, self._told)) is not None:
                with self._lock:
                    self.received.append(request)
                    answer = self._next(request.path)
                _send(answer, Exchange(request, connection))
                written = answer.answer if isinstance(answer, Held) else answer
                if not isinstance(written, bytes | Whole) and written is not echo:
                    return  # what a function wrote may have no end that the client can see

    def _next(self, path: str) -> Reply:
        answers = self._answers.get(path)
        if not answers:
            return echo
        return answers.pop(0) if len(answers) > 1 else answers[0]


def _send(answer: Reply, exchange: Exchange) -> None:
    if isinstance(answer, bytes):
        exchange.send(answer)
    else:
        answer(exchange)


def _read(stream: Any, told: Mapping[str, Callable[[bytes], None]]) -> Received | None:
    if stream.peek(1)[:1] == TLS:
        return None
    line = stream.readline().decode("latin-1").split()
    if len(line) != 3:
        return None
    headers: list[tuple[str, str]] = []
    while (raw := stream.readline().decode("latin-1").strip()) != "":
        name, _, value = raw.partition(":")
        headers.append((name.strip(), value.strip()))
    request = Received(line[0], line[1], tuple(headers), b"")
    body = stream.read(int(request.header("content-length") or 0))
    if (request.header("transfer-encoding") or "").lower() == "chunked":
        body = b""
        for piece in _chunks(stream):
            body += piece
            told.get(request.path, len)(piece)
    return Received(request.method, request.target, request.headers, body)


def _chunks(stream: Any) -> Iterator[bytes]:
    while size := int(stream.readline().strip() or b"0", 16):
        yield stream.read(size)
        stream.readline()
    stream.readline()

"""An API for tests: it gives the replies that a test queues, and keeps the requests that it got."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.support.serving_thread import serving_thread


@dataclass
class Got:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Reply:
    status: int = 200
    body: bytes = b"hello\n"
    headers: dict[str, str] = field(default_factory=dict[str, str])
    length: int | None = None


@dataclass
class API:
    port: int
    replies: list[Reply] = field(default_factory=list[Reply])
    got: list[Got] = field(default_factory=list[Got])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def serving() -> Generator[API]:
    """Give a running API. Without a queued reply, it replies with a status of 200."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_one_request(self) -> None:
            self.raw_requestline = self.rfile.readline(65537)
            if not self.raw_requestline or not self.parse_request():
                self.close_connection = True
                return
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            api.got.append(Got(self.command, self.path, {k.lower(): v for k, v in self.headers.items()}, body))
            reply = api.replies.pop(0) if api.replies else Reply()
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(reply.body) if reply.length is None else reply.length))
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(reply.body)
            self.close_connection = True

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # http.server's name
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    api = API(server.server_address[1])
    with serving_thread(server):
        yield api

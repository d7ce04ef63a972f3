"""A server for the measurements, in a separate process: `/api` responds at once, `/slow` late, and `/token` counts.

`python -m bench.server` prints its port, and ends when its standard input ends.
`/connections` returns the number of connections that clients have opened since the last request for it.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import ProxyHandler, build_opener

from bench.timing import CORES

TOKEN_SECONDS = 0.05
"""The duration of `/token`: about the time in which a real server checks a password or signs a token."""
SLOW_SECONDS = 0.3
"""The duration of `/slow`."""


class Served:
    """The URLs and counters of a running server."""

    def __init__(self, port: int) -> None:
        self.origin = f"http://127.0.0.1:{port}"
        self.api = f"{self.origin}/api"
        self.slow = f"{self.origin}/slow"
        self.token_endpoint = f"{self.origin}/token"

    def token_requests(self) -> int:
        """Return the number of token requests since the last call."""
        return self._count("/count")

    def connections(self) -> int:
        """Return the number of connections that were opened since the last call, without that of this call."""
        return self._count("/connections") - 1

    def _count(self, path: str) -> int:
        with build_opener(ProxyHandler({})).open(f"{self.origin}{path}") as answer:
            return int(answer.read())


@contextmanager
def serving(module: str = "bench.server") -> Generator[Served, None, None]:
    """Run the server of `module` during the block."""
    child = subprocess.Popen(
        [sys.executable, "-m", module],
        cwd=Path(__file__).resolve().parents[1],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdin is not None
    assert child.stdout is not None
    try:
        with child.stdin, child.stdout:
            yield Served(int(child.stdout.readline()))
    finally:
        child.wait(10)


class Connection(asyncio.Protocol):
    """A minimal implementation of HTTP/1.1, because only the clients are measured."""

    opened = 0

    def __init__(self) -> None:
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        Connection.opened += 1
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        while (request := self._next()) is not None:
            head, body = request
            path = head.split(b" ", 2)[1]
            if path == b"/connections":
                self.send(str(Connection.opened).encode())
                Connection.opened = 0
            else:
                self.answer(path, body)

    def _next(self) -> tuple[bytes, bytes] | None:
        head, end, rest = self._received.partition(b"\r\n\r\n")
        length = 0
        for line in head.split(b"\r\n")[1:]:
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        if not end or len(rest) < length:
            return None
        self._received = rest[length:]
        return head, rest[:length]

    def answer(self, path: bytes, body: bytes) -> None:
        """Respond to a request, now or later, by calling `send`."""
        raise NotImplementedError

    def send(self, body: bytes) -> None:
        """Send a response."""
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        self._transport.write(head.encode() + body)


class _Server(Connection):
    issued = 0
    counted = 0

    def answer(self, path: bytes, body: bytes) -> None:
        if path == b"/token":
            _Server.issued += 1
            token = {"access_token": f"token-{self.issued}", "token_type": "Bearer", "expires_in": 3600}
            text = json.dumps({**token, "refresh_token": f"refresh-{self.issued}"}).encode()
            asyncio.get_running_loop().call_later(TOKEN_SECONDS, self.send, text)
        elif path == b"/slow":
            asyncio.get_running_loop().call_later(SLOW_SECONDS, self.send, b'{"ok":true}')
        elif path == b"/count":
            self.send(str(_Server.issued - _Server.counted).encode())
            _Server.counted = _Server.issued
        else:
            self.send(b'{"ok":true}')


async def serve(connection: Callable[[int], Connection]) -> None:
    """Serve until standard input ends. `connection` is called with the server's port for each new connection."""
    if CORES:
        os.sched_setaffinity(0, CORES[-1:])  # the core of the client while it is timed: see bench.timing
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: connection(port), "127.0.0.1", 0, backlog=2048)
    port: int = server.sockets[0].getsockname()[1]
    print(port, flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


if __name__ == "__main__":
    asyncio.run(serve(lambda _: _Server()))

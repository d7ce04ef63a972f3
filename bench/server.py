"""A server for the measurements, in a process of its own: `/api` answers at once, `/slow` does not, `/token` counts.

`python -m bench.server` prints its port, and ends when its standard input does.
`/connections` counts the connections that clients have opened since it was last asked.
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
"""How long `/token` takes: about what a real server needs to check a password or sign a token."""
SLOW_SECONDS = 0.3
"""How long `/slow` takes."""


class Served:
    """A running server, seen from the measurements."""

    def __init__(self, port: int) -> None:
        self.origin = f"http://127.0.0.1:{port}"
        self.api = f"{self.origin}/api"
        self.slow = f"{self.origin}/slow"
        self.token_endpoint = f"{self.origin}/token"

    def token_requests(self) -> int:
        """How many there were since the last time this was asked."""
        return self._count("/count")

    def connections(self) -> int:
        """How many were opened since the last time this was asked, without the one that asks."""
        return self._count("/connections") - 1

    def _count(self, path: str) -> int:
        with build_opener(ProxyHandler({})).open(f"{self.origin}{path}") as answer:
            return int(answer.read())


@contextmanager
def serving(module: str = "bench.server") -> Generator[Served, None, None]:
    """Run the server of `module` for as long as the block."""
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
    """As little of HTTP/1.1 as the clients need: what is measured is the clients."""

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
        """Answer a request, now or later, with `send`."""
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
    """Serve until standard input ends; `connection` is called with the server's port for each new one."""
    if CORES:
        os.sched_setaffinity(0, CORES[-1:])  # see bench.timing: so is the client, while it is timed
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: connection(port), "127.0.0.1", 0, backlog=2048)
    port: int = server.sockets[0].getsockname()[1]
    print(port, flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


if __name__ == "__main__":
    asyncio.run(serve(lambda _: _Server()))

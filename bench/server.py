"""A server for the measurements, in a process of its own: `/api` answers at once, `/slow` does not, `/token` counts.

`python -m bench.server` prints its port, and ends when its standard input does.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Generator
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
        with build_opener(ProxyHandler({})).open(f"{self.origin}/count") as answer:
            return int(answer.read())


@contextmanager
def serving() -> Generator[Served, None, None]:
    """Run it for as long as the block."""
    child = subprocess.Popen(
        [sys.executable, "-m", "bench.server"],
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


class _Connection(asyncio.Protocol):
    """As little of HTTP/1.1 as the clients need: what is measured is the clients."""

    issued = 0
    counted = 0

    def __init__(self) -> None:
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        while (request := self._next()) is not None:
            self._answer(request.split(b" ", 2)[1])

    def _next(self) -> bytes | None:
        head, end, rest = self._received.partition(b"\r\n\r\n")
        length = 0
        for line in head.split(b"\r\n")[1:]:
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        if not end or len(rest) < length:
            return None
        self._received = rest[length:]
        return head

    def _answer(self, path: bytes) -> None:
        if path == b"/token":
            _Connection.issued += 1
            token = {"access_token": f"token-{self.issued}", "token_type": "Bearer", "expires_in": 3600}
            body = json.dumps({**token, "refresh_token": f"refresh-{self.issued}"}).encode()
            asyncio.get_running_loop().call_later(TOKEN_SECONDS, self._send, body)
        elif path == b"/slow":
            asyncio.get_running_loop().call_later(SLOW_SECONDS, self._send, b'{"ok":true}')
        elif path == b"/count":
            self._send(str(_Connection.issued - _Connection.counted).encode())
            _Connection.counted = _Connection.issued
        else:
            self._send(b'{"ok":true}')

    def _send(self, body: bytes) -> None:
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        self._transport.write(head.encode() + body)


async def _serve() -> None:
    if CORES:
        os.sched_setaffinity(0, CORES[-1:])  # see bench.timing: so is the client, while it is timed
    loop = asyncio.get_running_loop()
    server = await loop.create_server(_Connection, "127.0.0.1", 0, backlog=2048)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


if __name__ == "__main__":
    asyncio.run(_serve())

"""Time added to a request: `AsyncOAuth2Client` and a bare `httpx2.AsyncClient`, over sockets and in memory."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx2

from bench import peers
from bench.added_time import rows
from bench.row import Row
from bench.server import Served
from bench.timing import Calls, Timing, compare


def measure(served: Served, effort: float) -> list[Row]:
    sockets = _compared(served.api, {}, rounds=int(120 * effort), calls=25)
    memory = _compared(served.api, {"transport": httpx2.MockTransport(peers.answers)}, int(120 * effort), 60)
    return [
        *rows("httpx2 async, loopback", sockets, of_bare=1.10, of_authlib=0.25),
        *rows("httpx2 async, in memory", memory, of_bare=1.10, of_authlib=0.25),
    ]


def _compared(url: str, options: dict[str, Any], rounds: int, calls: int) -> dict[str, Timing]:
    with asyncio.Runner() as runner:

        def calling(client: httpx2.AsyncClient) -> Calls:
            async def make(calls: int) -> None:
                for _ in range(calls):
                    await client.get(url)

            return lambda calls: runner.run(make(calls))

        clients = peers.async_httpx2_clients(**options)
        try:
            return compare({name: calling(client) for name, client in clients.items()}, rounds=rounds, calls=calls)
        finally:
            for client in clients.values():
                runner.run(client.aclose())

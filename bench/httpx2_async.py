"""Time added to a request: `AsyncOAuth2Client` and a bare `httpx2.AsyncClient`, over sockets and in memory."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

import httpx2

from bench import peers
from bench.added_time import SECONDS, rows
from bench.names import AUTHLIB, BARE
from bench.row import Row
from bench.server import Served
from bench.timing import Comparison, awaiting, compare


def measure(served: Served, effort: float) -> list[Row]:
    memory = {"transport": httpx2.MockTransport(peers.answers)}
    return [
        *rows("httpx2 async, loopback", _compared(served.api, effort), time={BARE: 1.10}, cpu={AUTHLIB: 0.20}),
        *rows(
            "httpx2 async, in memory", _compared(served.api, effort, **memory), time={BARE: 1.10}, cpu={AUTHLIB: 0.25}
        ),
    ]


def _compared(url: str, effort: float, **options: Any) -> Comparison:
    with asyncio.Runner() as runner:
        clients = peers.async_httpx2_clients(**options)
        try:
            contenders = {name: awaiting(partial(client.get, url), runner.run) for name, client in clients.items()}
            return compare(contenders, limit=SECONDS * effort)
        finally:
            for client in clients.values():
                runner.run(client.aclose())

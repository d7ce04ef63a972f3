"""Time added to a request: `OAuth2Client` and a bare `httpx2.Client`, over sockets and in memory."""

from __future__ import annotations

from functools import partial

import httpx2

from bench import peers
from bench.added_time import SECONDS, rows
from bench.names import AUTHLIB, BARE
from bench.row import Row
from bench.server import Served
from bench.timing import Comparison, blocking, compare


def measure(served: Served, effort: float) -> list[Row]:
    memory = {"transport": httpx2.MockTransport(peers.answers)}
    return [
        *rows("httpx2, loopback", _compared(served.api, effort), time={BARE: 1.10}, cpu={AUTHLIB: 0.25}),
        *rows("httpx2, in memory", _compared(served.api, effort, **memory), time={BARE: 1.10}, cpu={AUTHLIB: 0.25}),
    ]


def _compared(url: str, effort: float, **options: object) -> Comparison:
    clients = peers.httpx2_clients(**options)
    try:
        contenders = {name: blocking(partial(client.get, url)) for name, client in clients.items()}
        return compare(contenders, limit=SECONDS * effort)
    finally:
        for client in clients.values():
            client.close()

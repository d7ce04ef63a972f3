"""Time added to a request: `OAuth2Client` and a bare `httpx2.Client`, over sockets and in memory."""

from __future__ import annotations

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
        *rows("httpx2, loopback", sockets, of_bare=1.10, of_authlib=0.25),
        *rows("httpx2, in memory", memory, of_bare=1.10, of_authlib=0.25),
    ]


def _compared(url: str, options: dict[str, object], rounds: int, calls: int) -> dict[str, Timing]:
    clients = peers.httpx2_clients(**options)

    def calling(client: httpx2.Client) -> Calls:
        def make(calls: int) -> None:
            for _ in range(calls):
                client.get(url)

        return make

    try:
        return compare({name: calling(client) for name, client in clients.items()}, rounds=rounds, calls=calls)
    finally:
        for client in clients.values():
            client.close()

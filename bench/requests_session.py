"""Time added to a request: `OAuth2Session` and a bare `requests.Session`, over sockets and in memory."""

from __future__ import annotations

import requests

from bench import peers
from bench.added_time import rows
from bench.row import Row
from bench.server import Served
from bench.timing import Calls, Timing, compare


def measure(served: Served, effort: float) -> list[Row]:
    sockets = _compared(served.api, peers.requests_sessions(), rounds=int(120 * effort), calls=25)
    memory = _compared(served.api, peers.requests_sessions(peers.InMemory()), rounds=int(120 * effort), calls=60)
    return [
        *rows("requests, loopback", sockets, of_bare=1.05),
        *rows("requests, in memory", memory, of_bare=1.05),
    ]


def _compared(url: str, sessions: dict[str, requests.Session], rounds: int, calls: int) -> dict[str, Timing]:
    def calling(session: requests.Session) -> Calls:
        def make(calls: int) -> None:
            for _ in range(calls):
                session.get(url)

        return make

    try:
        return compare({name: calling(session) for name, session in sessions.items()}, rounds=rounds, calls=calls)
    finally:
        for session in sessions.values():
            session.close()

"""Time added to a request: `OAuth2Session` and a bare `requests.Session`, over sockets and in memory."""

from __future__ import annotations

from functools import partial

import requests

from bench import peers
from bench.added_time import SECONDS, rows
from bench.names import BARE, PLAIN_AUTH, REQUESTS_OAUTHLIB
from bench.row import Row
from bench.server import Served
from bench.timing import Comparison, blocking, compare


def measure(served: Served, effort: float) -> list[Row]:
    time, cpu = {BARE: 1.05}, {REQUESTS_OAUTHLIB: 1.0}
    in_memory = peers.requests_sessions(peers.InMemory())
    return [
        *rows("requests, loopback", _compared(served.api, effort, peers.requests_sessions()), time=time, cpu=cpu),
        *rows(
            "requests, in memory", _compared(served.api, effort, in_memory), time={**time, PLAIN_AUTH: 1.08}, cpu=cpu
        ),
    ]


def _compared(url: str, effort: float, sessions: dict[str, requests.Session]) -> Comparison:
    try:
        contenders = {name: blocking(partial(session.get, url)) for name, session in sessions.items()}
        return compare(contenders, limit=SECONDS * effort)
    finally:
        for session in sessions.values():
            session.close()

"""32 threads share one session whose token has expired, in a realm where a refresh token works only once.

Each library gets its own login at the same server, and makes the same calls.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Barrier
from typing import Any

import requests

from demo.libraries import SESSIONS, installed
from demo.place import CLIENT, SECRET, Place, token_endpoint
from doorkey.integrations.requests_client import OAuth2Session

THREADS = 32


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of one library: the calls that got 200, and whether its refresh token still works at the end."""

    name: str
    version: str
    answered: int
    refreshes: int
    login_lives: bool

    @property
    def is_as_promised(self) -> bool:
        """Whether all calls succeeded after one refresh, and the user need not log in again."""
        return self.answered == THREADS and self.refreshes == 1 and self.login_lives


def measure(place: Place) -> list[Outcome]:
    """Return the outcome of each installed library, doorkey first."""
    found = installed()
    logins = {name: _login(place) for name in found}
    place.let_tokens_expire()
    return [_measured(name, found[name], token, place) for name, token in logins.items()]


def call_at_once(session: Any, url: str) -> list[int]:
    """Send one request from each thread at the same time, and return the statuses, with 0 for an error."""
    start = Barrier(THREADS)

    def call(_: int) -> int:
        start.wait()
        try:
            return int(session.get(url).status_code)
        except Exception:  # noqa: BLE001  # each library raises its own errors
            return 0

    with ThreadPoolExecutor(THREADS) as threads:
        return list(threads.map(call, range(THREADS)))


def _login(place: Place) -> dict[str, Any]:
    with OAuth2Session(CLIENT, SECRET, token_endpoint=token_endpoint(place.rotating)) as session:
        token = session.fetch_token(username="alice", password="wonderland")
    return {**token, "expires_at": 1}  # in the past on every clock, so the sessions renew it at once


def _measured(name: str, version: str, token: Mapping[str, Any], place: Place) -> Outcome:
    endpoint = token_endpoint(place.rotating)
    before = place.refreshes()
    with SESSIONS[name](token, endpoint) as session:
        statuses = call_at_once(session, place.echo)
        refreshes = place.refreshes() - before
        last = str(session.token["refresh_token"])
    form = {"grant_type": "refresh_token", "refresh_token": last}
    with requests.Session() as http:
        lives = http.post(endpoint, form, auth=(CLIENT, SECRET)).status_code == 200
    return Outcome(name, version, statuses.count(200), refreshes, lives)

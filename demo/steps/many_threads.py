"""Client credentials for 32 threads that share one session and find its token expired at the same moment."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from demo.outcome import Fact, Step
from demo.place import Place
from doorkey.integrations.requests_client import OAuth2Session

CLIENT = ("client-1", "my-secret")
THREADS = 32


def call_from_many_threads(session: OAuth2Session, url: str) -> list[int]:
    """Send one request from each thread, all at once; return their statuses."""
    start = Barrier(THREADS)

    def call(_: int) -> int:
        start.wait()
        return session.get(url).status_code

    with ThreadPoolExecutor(THREADS) as threads:
        return list(threads.map(call, range(THREADS)))


def shows(place: Place) -> list[Fact]:
    """The server counts one token request while they call."""
    with OAuth2Session(*CLIENT, token_endpoint=place.token_endpoint, clock=place.clock) as session:
        session.fetch_token(grant_type="client_credentials")
        place.let_tokens_expire()
        statuses, asked = _counted(place, lambda: call_from_many_threads(session, place.echo))
    return [
        Fact("answers", f"{statuses.count(200)} of {THREADS} threads got 200", statuses == [200] * THREADS),
        Fact("token requests", str(asked), asked == 1),
    ]


def _counted(place: Place, call: Callable[[], list[int]]) -> tuple[list[int], int]:
    before = place.token_requests(CLIENT[0])
    result = call()
    return result, place.token_requests(CLIENT[0]) - before


STEP = Step(f"Client credentials, {THREADS} threads, one session", call_from_many_threads, shows)

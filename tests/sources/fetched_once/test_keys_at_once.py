"""One fetch for any number of callers: threads, tasks of asyncio and of trio that verify tokens at the same time."""

import threading
from collections.abc import Callable
from typing import Any

import anyio.to_thread
import httpx2
import pytest
from anyio.from_thread import BlockingPortal

from doorkey import AsyncKeySource, Issuer, KeySource
from doorkey.errors import InvalidResponse, OAuthError
from doorkey.jose import jwt
from doorkey.jose.key_choice import NoKeyError
from tests.sources.published_keys import FIRST, ISSUER, METADATA, SECOND, jwk, token
from tests.support.every_adapter import in_background
from tests.support.fake_clock import Clock
from tests.support.flights import Watched
from tests.support.hostile_server import WAIT

THREADS = TASKS = 8
ALL = THREADS + 2 * TASKS


class Held:
    """Answers every request for the key set once `go_on` is set; `arrived` says that one is waiting."""

    def __init__(self) -> None:
        self.keys: Any = {"keys": [jwk(FIRST, "1")]}
        self.status = 200
        self.fetches = 0
        self.arrived, self.go_on = threading.Event(), threading.Event()
        self.hold()

    def hold(self) -> None:
        self.fetches = 0
        self.arrived.clear()
        self.go_on.clear()

    def _begun(self, request: Any) -> bool:
        if not request.url.path.endswith("jwks"):
            return False
        self.fetches += 1
        self.arrived.set()
        return True

    def _answer(self, request: Any) -> httpx2.Response:
        if not request.url.path.endswith("jwks"):
            return httpx2.Response(200, json=METADATA)
        return httpx2.Response(self.status, json=self.keys)

    def blocking(self, request: Any) -> httpx2.Response:
        if self._begun(request):
            assert self.go_on.wait(WAIT)
        return self._answer(request)

    async def awaiting(self, request: Any) -> httpx2.Response:
        if self._begun(request):
            await anyio.to_thread.run_sync(self.go_on.wait, WAIT, abandon_on_cancel=True)
        return self._answer(request)


class Callers:
    """Threads and tasks that verify one token each with the keys of one issuer."""

    def __init__(self, server: Held, portals: dict[str, BlockingPortal]) -> None:
        self.server, self.clock = server, Clock()
        self.issuer = Issuer(ISSUER, clock=self.clock)
        self._portals = portals
        http = httpx2.Client(transport=httpx2.MockTransport(server.blocking))
        self.blocking = KeySource(self.issuer, http_client=http, clock=self.clock)
        self.awaiting = {
            name: AsyncKeySource(
                self.issuer,
                http_client=httpx2.AsyncClient(transport=httpx2.MockTransport(server.awaiting)),
                clock=self.clock,
            )
            for name in portals
        }
        self.lock = self.issuer._core.keys._fetched.lock = Watched()

    def calls(self, text: str) -> list[Callable[[], Any]]:
        def awaited(name: str) -> Callable[[], Any]:
            return lambda: self._portals[name].call(jwt.adecode, text, self.awaiting[name])

        return [
            *[lambda: jwt.decode(text, self.blocking)] * THREADS,
            *[awaited("asyncio")] * TASKS,
            *[awaited("trio")] * TASKS,
        ]

    def run(self, text: str) -> list[Any]:
        """Have all verify the token: one fetches the keys, and is held until all others wait for that."""
        outcomes: list[Any] = []
        threads = [threading.Thread(target=self._note, args=(call, outcomes)) for call in self.calls(text)]
        for thread in threads:
            thread.start()
        assert self.server.arrived.wait(WAIT)
        self.lock.wait_for(ALL - 1)
        self.server.go_on.set()
        for thread in threads:
            thread.join(WAIT)
        return outcomes

    @staticmethod
    def _note(call: Callable[[], Any], outcomes: list[Any]) -> None:
        try:
            outcomes.append(call()["sub"])
        except OAuthError as error:
            outcomes.append(error)


@pytest.fixture
def callers(portals: dict[str, BlockingPortal]) -> Callers:
    return Callers(Held(), portals)


def test_threads_and_tasks_that_begin_at_once_fetch_the_keys_once(callers: Callers) -> None:
    assert callers.run(token()) == ["alice"] * ALL
    assert callers.server.fetches == 1


def test_the_waiting_callers_share_the_failure_and_each_gets_an_error_of_its_own(callers: Callers) -> None:
    callers.server.status = 502
    errors = callers.run(token())
    assert {type(error) for error in errors} == {InvalidResponse}
    assert len({id(error) for error in errors}) == ALL
    assert callers.server.fetches == 1


def test_threads_and_tasks_that_find_an_unknown_kid_at_once_fetch_the_keys_once(callers: Callers) -> None:
    callers.server.go_on.set()
    assert jwt.decode(token(), callers.blocking)["sub"] == "alice"
    callers.server.hold()
    callers.server.keys = {"keys": [jwk(SECOND, "2")]}
    assert callers.run(token(SECOND, "2")) == ["alice"] * ALL
    assert callers.server.fetches == 1


def test_a_refetch_that_fails_is_one_for_all_of_them(callers: Callers) -> None:
    callers.server.go_on.set()
    assert jwt.decode(token(), callers.blocking)["sub"] == "alice"
    callers.server.hold()
    callers.server.status = 500
    outcomes = callers.run(token(SECOND, "2"))
    assert [type(error) for error in outcomes] == [NoKeyError] * ALL
    assert callers.server.fetches == 1


def test_callers_do_not_wait_for_keys_that_are_only_old(callers: Callers) -> None:
    callers.server.go_on.set()
    assert jwt.decode(token(), callers.blocking)["sub"] == "alice"
    callers.server.hold()
    callers.clock.advance(600)
    with in_background(callers.calls(token())[0]) as first:
        assert callers.server.arrived.wait(WAIT)
        assert [call()["sub"] for call in callers.calls(token())] == ["alice"] * ALL
        assert callers.server.fetches == 1
        callers.server.go_on.set()
        assert first()["sub"] == "alice"
    assert callers.server.fetches == 1


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_task_that_is_canceled_hands_the_fetch_over_to_a_thread(callers: Callers, backend: str) -> None:
    source = callers.awaiting[backend]
    portal = callers._portals[backend]
    scopes: list[anyio.CancelScope] = []

    async def given_up() -> str:
        with anyio.CancelScope() as scope:
            scopes.append(scope)
            await jwt.adecode(token(), source)
        return "cancelled"

    future = portal.start_task_soon(given_up)
    assert callers.server.arrived.wait(WAIT)
    with in_background(lambda: jwt.decode(token(), callers.blocking)) as second:
        callers.lock.wait_for(1)
        portal.call(scopes[0].cancel)
        assert future.result(WAIT) == "cancelled"
        callers.server.go_on.set()
        assert second()["sub"] == "alice"
    assert callers.server.fetches == 2

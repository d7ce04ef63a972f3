"""One renewal for any number of callers. The interleaving is proved: the clock that a session is given tells who
has queued, the server holds its answer until they all have, and nothing here depends on how fast anything is.
"""

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest

from doorkey.errors import InvalidClient, InvalidGrant, OAuthError, TransportError
from tests.support.every_adapter import KINDS, Adapter, Client, in_background, together
from tests.support.fake_clock import START, Clock
from tests.support.hostile_server import WAIT, Held, Hostile, reply, reset, token

CALLERS = 32
OLD = {"access_token": "at-1", "refresh_token": "rt-1", "expires_at": START + 300, "expires_in": 300}
REFUSED = reply(400, json={"error": "invalid_grant", "error_description": "Session not active"})

only_async = pytest.mark.parametrize("adapter", [n for n, k in KINDS.items() if k.is_async], indirect=True)


class Moment(float):
    """A moment that reports each comparison with another. Every caller that needs a token makes such a comparison."""

    def __new__(cls, seconds: float, told: Callable[["Moment"], None]) -> "Moment":
        return super().__new__(cls, seconds)

    def __init__(self, seconds: float, told: Callable[["Moment"], None]) -> None:
        self._told = told

    def __lt__(self, other: float) -> bool:
        self._told(self)
        return super().__lt__(other)


class Counting(Clock):
    """A clock that tells when `times` callers have compared its moment with the token's expiry for the second time.

    The first comparison shows that the token has expired. Before the second, the caller has noted how many attempts
    there were, so that it gets the outcome of the attempt that is under way.
    """

    def __init__(self, times: int) -> None:
        super().__init__()
        self._times = times
        self._compared_once: dict[int, Moment] = {}
        self._compared_twice: dict[int, Moment] = {}
        self._lock = threading.Lock()
        self.all_here = threading.Event()

    def __call__(self) -> float:
        return Moment(super().__call__(), self._compared)

    def _compared(self, moment: Moment) -> None:
        with self._lock:
            seen = self._compared_twice if id(moment) in self._compared_once else self._compared_once
            seen[id(moment)] = moment
            if len(self._compared_twice) == self._times:
                self.all_here.set()

    def wait(self) -> None:
        assert self.all_here.wait(WAIT), "not everybody came"


def expired(adapter: Adapter, hostile: Hostile, clock: Clock, **options: Any) -> Client:
    client = adapter.client(token=OLD, clock=clock, token_endpoint=hostile.token_endpoint, **options)
    clock.advance(300)
    return client


def test_32_callers_of_an_expired_token_make_one_request(adapter: Adapter, hostile: Hostile) -> None:
    held = Held(token("at-2", refresh_token="rt-2"))
    hostile.on("/token", held)
    clock = Counting(CALLERS)
    client = expired(adapter, hostile, clock)
    with in_background(lambda: together(CALLERS, lambda: client.get(hostile.url()).status_code)) as outcome:
        held.wait_for_arrival()
        clock.wait()
        assert hostile.to("/api") == []
        held.release.set()
        assert outcome() == [200] * CALLERS
    assert len(hostile.token_requests) == 1
    assert [request.token for request in hostile.to("/api")] == ["at-2"] * CALLERS


def test_32_explicit_refreshes_never_use_a_refresh_token_twice(adapter: Adapter, hostile: Hostile) -> None:
    held = Held(token("at-2", refresh_token="rt-2"))
    answers = [token(f"at-{number}", refresh_token=f"rt-{number}") for number in range(3, CALLERS + 2)]
    hostile.on("/token", held, *answers)
    started = threading.Barrier(CALLERS + 1)
    client = adapter.client(token=OLD, token_endpoint=hostile.token_endpoint)

    def refresh() -> str:
        started.wait(WAIT)
        return client.refresh_token().access_token

    with in_background(lambda: together(CALLERS, refresh)) as outcome:
        started.wait(WAIT)
        held.wait_for_arrival()
        held.release.set()
        tokens = outcome()
    # A caller that came during an attempt has its outcome, and one that came later made the next: never the same twice.
    used = [request.form["refresh_token"] for request in hostile.token_requests]
    assert len(set(used)) == len(used)
    assert used == [f"rt-{number}" for number in range(1, len(used) + 1)]
    assert set(tokens) == {f"at-{number}" for number in range(2, len(used) + 2)}


def test_a_failed_renewal_is_raised_for_all_waiting_callers(adapter: Adapter, hostile: Hostile) -> None:
    held = Held(REFUSED)
    hostile.on("/token", held, token("at-2"))
    clock = Counting(CALLERS)
    client = expired(adapter, hostile, clock)
    with in_background(lambda: together(CALLERS, lambda: client.get(hostile.url()))) as outcome:
        held.wait_for_arrival()
        clock.wait()
        held.release.set()
        errors = outcome()
    assert [str(error) for error in errors] == ["invalid_grant: Session not active"] * CALLERS
    assert all(isinstance(error, InvalidGrant) for error in errors)
    assert len({id(error) for error in errors}) == CALLERS
    assert len(hostile.token_requests) == 1
    assert hostile.to("/api") == []


def test_a_failed_renewal_is_raised_for_no_later_caller(adapter: Adapter, hostile: Hostile, clock: Clock) -> None:
    hostile.on("/token", reply(401, json={"error": "invalid_client"}), token("at-2"))
    client = expired(adapter, hostile, clock)
    with pytest.raises(InvalidClient):
        client.get(hostile.url())
    assert client.get(hostile.url()).status_code == 200
    assert len(hostile.token_requests) == 2


def test_a_lost_connection_is_raised_for_all_waiting_callers_and_the_next_call_tries_again(
    adapter: Adapter, hostile: Hostile
) -> None:
    held = Held(reset)
    hostile.on("/token", held, token("at-2"))
    clock = Counting(CALLERS)
    client = expired(adapter, hostile, clock)
    with in_background(lambda: together(CALLERS, lambda: client.get(hostile.url()))) as outcome:
        held.wait_for_arrival()
        clock.wait()
        held.release.set()
        assert {type(error) for error in outcome()} == {TransportError}
    assert len(hostile.token_requests) == 1
    assert client.get(hostile.url()).status_code == 200


def test_while_one_renews_a_token_that_is_still_good_the_others_go_on_with_it(
    adapter: Adapter, hostile: Hostile, clock: Clock
) -> None:
    held = Held(token("at-2"))
    hostile.on("/token", held)
    client = adapter.client(token=OLD, clock=clock, token_endpoint=hostile.token_endpoint)
    clock.advance(250)
    with in_background(lambda: client.get(hostile.url("/first"))) as leader:
        held.wait_for_arrival()
        client.get(hostile.url("/second"))
        assert [request.token for request in hostile.to("/second")] == ["at-1"]
        held.release.set()
        leader()
    assert [request.token for request in hostile.to("/first")] == ["at-2"]
    assert len(hostile.token_requests) == 1


def test_no_api_request_waits_for_another(adapter: Adapter, hostile: Hostile, clock: Clock) -> None:
    """Each is answered once all have arrived: if one waited for another, none would be."""
    everybody = threading.Barrier(8)

    def answer(exchange: Any) -> None:
        everybody.wait(WAIT)
        exchange.send(reply(204))

    hostile.on("/api", answer)
    client = adapter.client(token=OLD, clock=clock)
    statuses = together(8, lambda: client.get(hostile.url()).status_code)
    assert statuses == [204] * 8


def test_an_api_request_does_not_hold_up_a_renewal(adapter: Adapter, hostile: Hostile, clock: Clock) -> None:
    held = Held(reply(200))
    hostile.on("/slow", held)
    hostile.on("/token", token("at-2"))
    client = adapter.client(token=OLD, clock=clock, token_endpoint=hostile.token_endpoint)
    with in_background(lambda: client.get(hostile.url("/slow")).status_code) as slow:
        held.wait_for_arrival()
        clock.advance(300)
        assert client.get(hostile.url()).status_code == 200
        held.release.set()
        assert slow() == 200
    assert [request.token for request in hostile.to("/api")] == ["at-2"]


def test_a_token_fetched_meanwhile_serves_the_waiting_callers(adapter: Adapter, hostile: Hostile) -> None:
    held = Held(REFUSED)
    hostile.on("/token", held)
    hostile.on("/other", token("at-9"))
    clock = Counting(2)
    client = expired(adapter, hostile, clock)
    with in_background(lambda: together(2, lambda: client.get(hostile.url()))) as outcome:
        held.wait_for_arrival()
        clock.wait()
        client.fetch_token(hostile.url("/other"))
        held.release.set()
        assert sum(isinstance(one, OAuthError) for one in outcome()) <= 1
    assert client.access_token == "at-9"


@only_async
def test_1000_tasks_make_one_request(adapter: Adapter, hostile: Hostile) -> None:
    held = Held(token("at-2", refresh_token="rt-2"))
    hostile.on("/token", held)
    clock = Counting(1000)
    client = expired(adapter, hostile, clock)

    async def all_of_them() -> None:
        await asyncio.gather(*(client.native.ensure_active_token() for _ in range(1000)))

    with in_background(lambda: adapter.portal.call(all_of_them)) as outcome:
        held.wait_for_arrival()
        clock.wait()
        held.release.set()
        outcome()
    assert len(hostile.token_requests) == 1
    assert client.access_token == "at-2"


@only_async
def test_6_event_loops_in_6_threads_make_one_request(adapter: Adapter, hostile: Hostile) -> None:
    held = Held(token("at-2", refresh_token="rt-2"))
    hostile.on("/token", held)
    clock = Counting(6 * 4)
    client = expired(adapter, hostile, clock)
    client.request("GET", hostile.url("/home"), withhold_token=True)

    async def four_tasks() -> list[int]:
        answers = await asyncio.gather(*(client.native.get(hostile.url()) for _ in range(4)))
        return [answer.status_code for answer in answers]

    with in_background(lambda: together(6, lambda: asyncio.run(four_tasks()))) as outcome:
        held.wait_for_arrival()
        clock.wait()
        held.release.set()
        assert outcome() == [[200] * 4] * 6
    assert len(hostile.token_requests) == 1
    assert [request.token for request in hostile.to("/api")] == ["at-2"] * 24


@only_async
def test_a_waiting_caller_takes_over_the_renewal_of_a_canceled_lock_holder(adapter: Adapter, hostile: Hostile) -> None:
    held = Held(token("at-2", refresh_token="rt-2"))
    hostile.on("/token", held)
    clock = Counting(2)
    client = expired(adapter, hostile, clock)

    async def cancel_the_first() -> list[Any]:
        leader = asyncio.create_task(client.native.get(hostile.url("/leader")))
        await asyncio.to_thread(held.wait_for_arrival)
        waiter = asyncio.create_task(client.native.get(hostile.url("/waiter")))
        await asyncio.to_thread(clock.wait)
        leader.cancel()
        await asyncio.wait([leader])
        held.release.set()
        return list(await asyncio.gather(leader, waiter, return_exceptions=True))

    cancelled, answered = adapter.portal.call(cancel_the_first)
    assert isinstance(cancelled, asyncio.CancelledError)
    assert answered.status_code == 200
    assert len(hostile.token_requests) == 1
    assert hostile.to("/leader") == []
    assert [request.token for request in hostile.to("/waiter")] == ["at-2"]


@only_async
def test_a_refresh_that_was_sent_is_saved_though_no_caller_waits_any_more(adapter: Adapter, hostile: Hostile) -> None:
    held = Held(token("at-2", refresh_token="rt-2"))
    hostile.on("/token", held)
    clock = Clock()
    saved = threading.Event()

    def save(token: Any, **replaced: str) -> None:
        saved.set()

    client = expired(adapter, hostile, clock, update_token=save)

    async def cancel() -> None:
        leader = asyncio.create_task(client.native.ensure_active_token())
        await asyncio.to_thread(held.wait_for_arrival)
        leader.cancel()
        await asyncio.wait([leader])
        held.release.set()
        await asyncio.to_thread(saved.wait, WAIT)

    adapter.portal.call(cancel)
    assert client.get(hostile.url()).status_code == 200
    assert len(hostile.token_requests) == 1
    assert client.token is not None
    assert client.token.refresh_token == "rt-2"


@only_async
def test_a_canceled_waiter_does_not_affect_the_others(adapter: Adapter, hostile: Hostile) -> None:
    held = Held(token("at-2"))
    hostile.on("/token", held)
    clock = Counting(2)
    client = expired(adapter, hostile, clock)

    async def cancel_the_second() -> list[Any]:
        leader = asyncio.create_task(client.native.get(hostile.url()))
        await asyncio.to_thread(held.wait_for_arrival)
        waiter = asyncio.create_task(client.native.get(hostile.url()))
        await asyncio.to_thread(clock.wait)
        waiter.cancel()
        await asyncio.wait([waiter])
        held.release.set()
        return list(await asyncio.gather(leader, waiter, return_exceptions=True))

    answered, cancelled = adapter.portal.call(cancel_the_second)
    assert answered.status_code == 200
    assert isinstance(cancelled, asyncio.CancelledError)


@only_async
def test_an_event_loop_that_ended_leaves_the_client_usable_in_another(
    adapter: Adapter, hostile: Hostile, clock: Clock
) -> None:
    hostile.on("/token", token("at-2"), token("at-3"))
    client = expired(adapter, hostile, clock)
    client.request("GET", hostile.url("/home"), withhold_token=True)

    async def call() -> int:
        status: int = (await client.native.get(hostile.url())).status_code
        return status

    for _ in range(3):
        assert asyncio.run(call()) == 200
        clock.advance(250)

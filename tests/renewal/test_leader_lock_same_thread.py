"""A thread that would wait for itself gets an error at once; a lock that its interrupted call left held is released."""

import threading
from contextvars import Context
from typing import Any

import anyio
import pytest

from doorkey.errors import UsageError
from doorkey.renewal.leader_lock import LeaderLock
from doorkey.renewal.single_flight import AsyncSingleFlight, SingleFlight
from doorkey.tokens import OAuthToken
from doorkey.wire.messages import Response
from tests.support.backends import both_backends
from tests.support.flights import ASK, EXPIRED, STALE, WAIT, Watched, discovering, now, renewing, slot


def answer(effect: Any) -> Response:
    assert effect is ASK
    return Response(200)


def left_behind(lock: LeaderLock) -> None:
    """Have the effect of an interruption between two lines: this thread holds the lock, and no call will release it."""
    assert lock.try_acquire(blocks=True) is not None


def test_a_lock_that_this_thread_did_not_release_is_taken_over_by_its_next_call() -> None:
    lock = LeaderLock()
    flight = SingleFlight(slot(), answer, now, lock)
    left_behind(lock)
    assert flight.token().access_token.reveal() == "new"


def test_other_threads_that_wait_for_it_are_woken_then() -> None:
    lock = Watched()
    flight = SingleFlight(slot(), answer, now, lock)
    left_behind(lock)
    got: list[str] = []
    other = threading.Thread(target=lambda: got.append(flight.token().access_token.reveal()))
    other.start()
    lock.wait_for(1)
    assert flight.token().access_token.reveal() == "new"
    other.join(WAIT)
    assert got == ["new"]


def test_the_lock_of_a_discovery_is_taken_over_too() -> None:
    lock = LeaderLock()
    left_behind(lock)
    assert discovering(lock).acquire_or_wait() is None
    assert discovering(lock).acquire_or_wait() is not None


@both_backends
async def test_a_blocking_call_in_the_loop_of_the_task_that_holds_the_lock_raises_at_once(anyio_backend: str) -> None:
    arrived, let_go = anyio.Event(), anyio.Event()

    async def held(effect: Any) -> Response:
        arrived.set()
        await let_go.wait()
        return answer(effect)

    lock, shared = LeaderLock(), slot()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(AsyncSingleFlight(shared, held, now, lock).token)
        await arrived.wait()
        with pytest.raises(UsageError, match="event loop that this thread runs"):
            SingleFlight(shared, answer, now, lock).token()
        let_go.set()


@pytest.mark.parametrize("token", [EXPIRED, STALE], ids=["expired", "stale"])
def test_a_call_in_another_context_of_the_thread_that_holds_the_lock_raises_and_releases_nothing(
    token: OAuthToken,
) -> None:
    said: list[str] = []
    asked = 0

    def perform(effect: Any) -> Response:
        nonlocal asked
        asked += 1
        try:
            Context().run(flight.renewed, renewing)
        except UsageError as error:
            said.append(error.description)
        return answer(effect)

    flight = SingleFlight(slot(token), perform, now, LeaderLock())
    assert flight.token().access_token.reveal() == "new"
    assert (asked, len(said)) == (1, 1)
    assert "further up its stack" in said[0]


@pytest.mark.anyio
async def test_a_blocking_call_in_a_thread_that_runs_a_loop_takes_over_its_own_lead() -> None:
    """A notebook runs its cells in such a thread."""
    lock = LeaderLock()
    flight = SingleFlight(slot(), answer, now, lock)
    left_behind(lock)
    assert flight.token().access_token.reveal() == "new"


@pytest.mark.anyio
async def test_other_threads_wait_for_a_blocking_lock_holder_in_a_thread_that_runs_a_loop() -> None:
    lock = LeaderLock()
    left_behind(lock)
    assert not lock.is_abandoned()

"""If the event loop of the lock holder ends in the middle of a renewal, a waiter takes over."""

import asyncio
import gc
import subprocess
import sys
import threading
from collections.abc import Generator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any

import anyio
import pytest

from doorkey.renewal import leader_lock
from doorkey.renewal.single_flight import AsyncSingleFlight, SingleFlight
from doorkey.renewal.slot import Slot
from doorkey.tokens import OAuthToken
from doorkey.wire.messages import Response
from tests.support.flights import ASK, EXPIRED, NEW, STALE, WAIT, Server, Watched, now, slot

KINDS = ("thread", "asyncio", "trio")


class Silent:
    """A server that never answers its first request, and answers each later one at once."""

    def __init__(self) -> None:
        self.asked = 0
        self.first = anyio.Event()

    def __call__(self, effect: Any) -> Response:
        assert effect is ASK
        self.asked += 1
        return Response(200)

    async def answer(self, effect: Any) -> Response:
        response = self(effect)
        if self.asked == 1:
            self.first.set()
            await anyio.sleep_forever()
        return response


class World:
    """One slot for threads and tasks, in the middle of a renewal that its lock holder never finishes."""

    def __init__(self, shared: Slot, *, background: bool = False) -> None:
        self.server, self.lock = Silent(), Watched()
        self.blocking = SingleFlight(shared, self.server, now, self.lock, background=background)
        self.awaiting = AsyncSingleFlight(shared, self.server.answer, now, self.lock, background=background)

    async def led(self) -> asyncio.Task[OAuthToken]:
        """Begin a renewal in this loop of asyncio, and return in the middle of it."""
        leader = asyncio.create_task(self.awaiting.token())
        await self.server.first.wait()
        return leader

    @contextmanager
    def waiting(self, *kinds: str) -> Generator[list[Future[OAuthToken]]]:
        """Have a thread, or a task in a loop of its own, wait for the lock."""
        with ThreadPoolExecutor(len(kinds)) as pool:
            yield [pool.submit(self._token, kind) for kind in kinds]

    def _token(self, kind: str) -> OAuthToken:
        return self.blocking.token() if kind == "thread" else anyio.run(self.awaiting.token, backend=kind)


@pytest.fixture(autouse=True)
def looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leader_lock, "POLL_INTERVAL", 0.01)
    monkeypatch.setattr(leader_lock, "MAX_WAIT", WAIT)


def overlooked(*_: Any) -> None:
    """Ignore asyncio's report that a pending task was destroyed: these tests destroy one on purpose."""


@pytest.fixture
def loop() -> Generator[asyncio.AbstractEventLoop]:
    made = asyncio.new_event_loop()
    made.set_exception_handler(overlooked)
    yield made
    made.close()
    gc.collect()


@pytest.mark.parametrize("kinds", [("thread",), ("asyncio",), ("trio",), KINDS * 3])
def test_a_waiting_caller_takes_over_from_a_loop_that_is_closed_in_mid_renewal(
    loop: asyncio.AbstractEventLoop, kinds: tuple[str, ...]
) -> None:
    world = World(slot())
    leader = loop.run_until_complete(world.led())
    with world.waiting(*kinds) as outcomes:
        world.lock.wait_for(len(kinds))
        assert world.server.asked == 1
        loop.close()
    assert [outcome.result(0) for outcome in outcomes] == [NEW] * len(kinds)
    assert world.server.asked == 2
    assert not leader.done()


@pytest.mark.parametrize("token", [EXPIRED, STALE], ids=["expired", "stale"])
def test_after_a_loop_was_closed_in_mid_renewal_the_next_caller_gets_the_lock_at_once(
    loop: asyncio.AbstractEventLoop, token: OAuthToken
) -> None:
    world = World(slot(token))
    leader = loop.run_until_complete(world.led())
    loop.close()
    assert anyio.run(world.awaiting.token) == NEW
    assert world.blocking.token() == NEW
    assert world.server.asked == 2
    assert not world.lock.queued.acquire(blocking=False)
    assert not leader.done()


def test_a_renewal_in_the_background_of_a_loop_that_is_closed_is_begun_again(loop: asyncio.AbstractEventLoop) -> None:
    world = World(slot(STALE), background=True)
    leader = loop.run_until_complete(world.led())
    assert leader.result() == STALE
    assert world.blocking.token() == STALE
    assert world.server.asked == 1
    loop.close()
    assert world.blocking.token() == STALE
    assert world.lock.left.wait(WAIT)
    assert world.blocking.token() == NEW
    assert world.server.asked == 2


def test_a_renewal_in_the_background_outlives_the_thread_that_began_it() -> None:
    server, lock = Server(), Watched()
    flight = SingleFlight(slot(STALE), server, now, lock, background=True)
    first = threading.Thread(target=flight.token)
    first.start()
    first.join(WAIT)
    assert server.arrived.wait(WAIT)
    assert flight.token() == STALE
    server.go_on.set()
    assert lock.left.wait(WAIT)
    assert flight.token() == NEW
    assert server.asked == 1


def test_a_loop_that_was_stopped_in_mid_renewal_and_runs_again_is_waited_for(loop: asyncio.AbstractEventLoop) -> None:
    world = World(slot())
    leader = loop.run_until_complete(world.led())
    with world.waiting(*KINDS) as outcomes:
        world.lock.wait_for(3)
        assert not world.lock.is_abandoned()
        world.awaiting.state.set_token(NEW)  # what its renewal brings
        leader.cancel()
        with suppress(asyncio.CancelledError):
            loop.run_until_complete(leader)
        tasks = asyncio.all_tasks(loop)
        for task in tasks:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
    assert [outcome.result(0) for outcome in outcomes] == [NEW] * 3
    assert world.server.asked == 1


def test_a_waiting_caller_takes_over_from_a_trio_run_that_crashes_in_mid_renewal() -> None:
    code = """
import trio, trio.testing
from doorkey.renewal import leader_lock
from tests.renewal.test_leader_lock_abandoned import KINDS, NEW, World, slot

leader_lock.POLL_INTERVAL = 0.01
world = World(slot())

async def crash():
    async with trio.open_nursery() as nursery:
        nursery.start_soon(world.awaiting.token)
        await world.server.first.wait()
        arrived.set()
        await trio.to_thread.run_sync(world.lock.wait_for, 3)
        nursery.start_soon(trio.lowlevel.wait_task_rescheduled, lambda _: None)  # a mistake that trio cannot survive
        await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.deadline = 0

def run():
    try:
        trio.run(crash)
    except trio.TrioInternalError:
        crashed.append(True)

import threading
arrived, crashed = threading.Event(), []
thread = threading.Thread(target=run)
thread.start()
assert arrived.wait(30)
with world.waiting(*KINDS) as outcomes:
    pass
thread.join(30)
assert crashed
assert [outcome.result(0) for outcome in outcomes] == [NEW] * 3
assert world.server.asked == 2
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=WAIT, stderr=subprocess.DEVNULL)  # trio's warnings

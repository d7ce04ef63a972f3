"""How a caller waits for the holder: how often it looks, when it gives up, and when it must not wait at all."""

import asyncio
import threading
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from doorkey.errors import TransportError, UsageError
from doorkey.renewal import leader_lock
from doorkey.renewal.leader_lock import AcquireOrWait, Holder, LeaderLock, wait_async, wait_blocking
from doorkey.runtime.deadlock import entered
from doorkey.runtime.latch import Latch
from doorkey.wire.flow import Flow, run
from tests.support.flights import WAIT, discovering


class Waits:
    """Counts the blocks in which a caller waits."""

    def __init__(self) -> None:
        self.begun = self.ended = 0

    def __call__(self) -> AbstractContextManager[None]:
        return self._wait()

    @contextmanager
    def _wait(self) -> Generator[None]:
        self.begun += 1
        try:
            yield
        finally:
            self.ended += 1


class FreeAtTheSecondTry(LeaderLock):
    """A lock that its holder releases between the two tries of a caller."""

    __slots__ = ()

    def try_acquire(self, wake: Callable[[], object] | None = None, *, blocks: bool = False) -> Holder | None:
        return None if wake is None else super().try_acquire(wake, blocks=blocks)


def held_elsewhere() -> tuple[LeaderLock, Callable[[], None]]:
    """Return a lock that another living thread holds, and a function that ends that thread."""
    lock, acquired, over = LeaderLock(), threading.Event(), threading.Event()

    def hold() -> None:
        holder = lock.try_acquire(blocks=True)
        acquired.set()
        over.wait(WAIT)
        assert holder is not None

    thread = threading.Thread(target=hold)
    thread.start()
    assert acquired.wait(WAIT)

    def end() -> None:
        over.set()
        thread.join(WAIT)

    return lock, end


async def set_later(event: anyio.Event) -> None:
    await anyio.lowlevel.checkpoint()
    event.set()


@pytest.fixture
def held() -> Generator[LeaderLock]:
    lock, end = held_elsewhere()
    yield lock
    end()


def acquired(asking: AcquireOrWait, *, awaits: bool) -> Holder | None:
    return asyncio.run(asking.acquire_or_wait_async()) if awaits else asking.acquire_or_wait()


either = pytest.mark.parametrize("awaits", [False, True])


def test_a_lock_is_abandoned_while_it_is_free_and_not_while_a_living_thread_holds_it(held: LeaderLock) -> None:
    free = LeaderLock()
    assert free.is_abandoned()
    holder = free.try_acquire(blocks=True)
    assert holder is not None
    assert not free.is_abandoned()
    free.release(holder)
    assert free.is_abandoned()
    assert not held.is_abandoned()


def test_a_thread_may_block_for_a_lock_that_is_free_or_held_by_another_thread(held: LeaderLock) -> None:
    LeaderLock().check_may_block()
    held.check_may_block()
    assert not held.is_abandoned()


def test_a_lock_that_this_thread_left_behind_is_free_after_the_check() -> None:
    lock = LeaderLock()
    assert lock.try_acquire(blocks=True) is not None  # no local variable has the holder
    lock.check_may_block()
    assert lock.is_abandoned()


def test_a_holder_further_up_the_stack_of_this_thread_keeps_the_lock() -> None:
    lock = LeaderLock()
    holder = lock.try_acquire(blocks=True)
    with pytest.raises(UsageError, match="further up its stack"):
        lock.check_may_block()
    assert not lock.is_abandoned()
    assert holder is not None


def test_the_error_of_a_task_that_blocks_its_own_loop_names_the_loop() -> None:
    lock = LeaderLock()

    async def main() -> None:
        holder = lock.try_acquire()
        with pytest.raises(UsageError, match="a task of the event loop that this thread runs"):
            lock.check_may_block()
        assert not lock.is_abandoned()
        assert holder is not None

    asyncio.run(main())


def test_a_blocking_call_in_an_event_loop_holds_the_lock_longer_than_that_loop_lives() -> None:
    lock = LeaderLock()

    async def main() -> None:
        assert lock.try_acquire(blocks=True) is not None

    asyncio.run(main())
    assert not lock.is_abandoned()


def test_a_thread_that_was_handed_the_lock_must_not_block_for_itself() -> None:
    lock, errors = LeaderLock(), list[UsageError]()
    holder = lock.try_acquire()
    assert holder is not None

    def renew(mine: Holder) -> None:
        try:
            lock.check_may_block()
        except UsageError as error:
            errors.append(error)
        lock.release(mine)

    thread = threading.Thread(target=renew, args=(holder,))
    holder.hand_to(thread)
    thread.start()
    thread.join(WAIT)
    assert ["further up its stack" in error.description for error in errors] == [True]


@pytest.mark.parametrize(("seconds", "parts"), [(0.0, []), (0.5, [0.5]), (1.0, [1.0]), (2.5, [1.0, 1.0, 0.5])])
def test_a_waiter_looks_at_the_lock_once_per_second(seconds: float, parts: list[float]) -> None:
    assert list(leader_lock._intervals(seconds)) == parts


def test_a_wait_ends_without_effect_after_its_seconds_and_with_success_once_it_is_woken(held: LeaderLock) -> None:
    woken = Latch()
    assert not wait_blocking(held, woken, 0.01)
    woken.set()
    assert wait_blocking(held, woken, WAIT)


def test_a_wait_ends_with_success_once_the_holder_has_died(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leader_lock, "POLL_INTERVAL", 0.01)
    lock, end = held_elsewhere()
    end()
    assert wait_blocking(lock, Latch(), WAIT)
    assert anyio.run(wait_async, lock, anyio.Event(), WAIT)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_task_waits_as_a_thread_does(backend: str, held: LeaderLock) -> None:
    async def main() -> None:
        woken, later = anyio.Event(), anyio.Event()
        assert not await wait_async(held, woken, 0.01)
        woken.set()
        assert await wait_async(held, woken, WAIT)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(set_later, later)
            assert await wait_async(held, later, WAIT)

    anyio.run(main, backend=backend)


@either
def test_a_caller_gives_up_with_an_error_that_quotes_the_seconds(
    awaits: bool, held: LeaderLock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leader_lock, "MAX_WAIT", 0.01)
    waits = Waits()
    with pytest.raises(TransportError, match="discovering for 0 s") as caught:
        acquired(replace(discovering(held), waiting=waits), awaits=awaits)
    assert caught.value.retryable
    assert (waits.begun, waits.ended) == (1, 1)


@either
def test_a_caller_that_gets_the_lock_waits_for_nothing_and_holds_it_in_its_own_way(awaits: bool) -> None:
    for lock in (LeaderLock(), FreeAtTheSecondTry()):
        waits = Waits()
        holder = acquired(replace(discovering(lock), waiting=waits), awaits=awaits)
        assert holder is not None
        assert holder.blocks is not awaits
        assert waits.begun == 0


@either
def test_a_caller_inside_the_work_of_the_holder_gets_the_error_of_a_deadlock(awaits: bool, held: LeaderLock) -> None:
    def work() -> Flow[None]:
        yield from ()
        with pytest.raises(UsageError) as caught:
            acquired(discovering(held), awaits=awaits)
        assert caught.value.description == "deadlock"

    run(entered(held, work()), _nothing)


def test_code_inside_work_whose_lock_is_free_again_may_ask_for_it() -> None:
    lock = LeaderLock()

    def work() -> Flow[None]:
        yield from ()
        lock.refuse_reentry("deadlock")
        assert lock.try_acquire(blocks=True) is not None
        with pytest.raises(UsageError, match="deadlock"):
            lock.refuse_reentry("deadlock")

    run(entered(lock, work()), _nothing)


def _nothing(effect: Any) -> Any:
    raise AssertionError(effect)

"""One caller at a time holds the lock, and its release wakes the others: across threads, event loops, and a fork."""

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import anyio
import anyio.lowlevel
import pytest
import trio

from doorkey.renewal.leader_lock import Holder, LeaderLock
from doorkey.runtime.loops import waker_of
from tests.support.backends import both_backends

WAIT = 60.0
"""Seconds after which a test gives up on what never comes; nothing here waits that long."""


def led(lock: LeaderLock, wake: Callable[[], object] | None = None) -> Holder:
    lead = lock.try_acquire(wake)
    assert lead is not None
    return lead


def test_the_first_caller_holds_the_lock_until_it_releases_it() -> None:
    lock = LeaderLock()
    lead = led(lock)
    assert not lock.try_acquire()
    lock.release(lead)
    assert lock.try_acquire()


def test_all_waiting_callers_are_woken_once_when_the_lock_is_released() -> None:
    lock, woken = LeaderLock(), list[str]()
    lead = led(lock, lambda: woken.append("the leader"))
    assert not lock.try_acquire(lambda: woken.append("a"))
    assert not lock.try_acquire(lambda: woken.append("b"))
    assert not lock.try_acquire()
    assert woken == []
    lock.release(lead)
    assert woken == ["a", "b"]
    lock.release(led(lock))
    assert woken == ["a", "b"]


def test_a_waiter_may_acquire_the_lock_as_soon_as_it_is_woken() -> None:
    lock, leads = LeaderLock(), list[bool]()
    lead = led(lock)
    lock.try_acquire(lambda: leads.append(bool(lock.try_acquire())))
    lock.release(lead)
    assert leads == [True]


def test_exactly_one_of_many_threads_acquires_the_lock() -> None:
    lock, start = LeaderLock(), threading.Barrier(16)

    def enter() -> bool:
        start.wait(WAIT)
        return bool(lock.try_acquire())

    with ThreadPoolExecutor(16) as pool:
        assert sum(entered.result() for entered in [pool.submit(enter) for _ in range(16)]) == 1


def test_a_thread_waits_for_another_ones_lead() -> None:
    lock, woken = LeaderLock(), threading.Event()
    lead = led(lock)
    assert not lock.try_acquire(woken.set)
    thread = threading.Thread(target=lock.release, args=(lead,))
    thread.start()
    assert woken.wait(WAIT)
    thread.join(WAIT)


def test_the_lock_of_a_closed_event_loop_is_taken_over_and_its_late_release_has_no_effect() -> None:
    lock, woken, loop = LeaderLock(), list[str](), asyncio.new_event_loop()

    async def enter() -> Holder:
        return led(lock)

    dead = loop.run_until_complete(enter())
    assert not lock.try_acquire(lambda: woken.append("who waited"))  # a loop that was only stopped may be run again
    assert not lock.is_abandoned()
    loop.close()
    assert lock.is_abandoned()
    lead = led(lock)
    lock.release(dead)
    assert not lock.is_abandoned()
    assert not lock.try_acquire()
    assert woken == []
    lock.release(lead)
    assert woken == ["who waited"]


def test_the_lock_of_an_unclosed_loop_is_abandoned_with_its_thread_unless_another_runs_it() -> None:
    lock, loop = LeaderLock(), asyncio.new_event_loop()

    async def enter() -> None:
        led(lock)

    async def look() -> bool:
        return lock.is_abandoned()

    thread = threading.Thread(target=lambda: loop.run_until_complete(enter()))
    thread.start()
    thread.join(WAIT)
    assert lock.is_abandoned()
    assert not loop.run_until_complete(look())
    loop.close()


def test_the_lock_of_a_trio_run_is_abandoned_when_the_run_ends() -> None:
    lock = LeaderLock()

    async def enter() -> None:
        led(lock)
        assert not lock.is_abandoned()

    trio.run(enter)
    assert lock.is_abandoned()
    assert lock.try_acquire()


def test_the_lock_of_a_thread_is_abandoned_when_the_thread_ends() -> None:
    lock = LeaderLock()
    thread = threading.Thread(target=lambda: led(lock))
    thread.start()
    thread.join(WAIT)
    assert lock.is_abandoned()
    assert lock.try_acquire()


def test_a_lock_that_was_handed_to_a_thread_is_abandoned_when_that_thread_ends() -> None:
    lock, over = LeaderLock(), threading.Event()
    thread = threading.Thread(target=over.wait, args=(WAIT,))

    def enter() -> None:
        led(lock).hand_to(thread)

    first = threading.Thread(target=enter)
    first.start()
    first.join(WAIT)
    assert not lock.is_abandoned()
    thread.start()
    assert not lock.is_abandoned()
    over.set()
    thread.join(WAIT)
    assert lock.is_abandoned()


@both_backends
@pytest.mark.anyio
async def test_a_task_is_woken_from_another_thread() -> None:
    lock, event = LeaderLock(), anyio.Event()
    lead = led(lock)
    assert not lock.try_acquire(waker_of(event))
    await anyio.to_thread.run_sync(lock.release, lead)
    with anyio.fail_after(WAIT):
        await event.wait()


@both_backends
@pytest.mark.anyio
@pytest.mark.parametrize("other", ["asyncio", "trio"])
async def test_a_task_is_woken_from_another_event_loop(other: str) -> None:
    lock, event = LeaderLock(), anyio.Event()
    lead = led(lock)
    lock.try_acquire(waker_of(event))

    async def leave() -> None:
        await anyio.lowlevel.checkpoint()
        lock.release(lead)

    await anyio.to_thread.run_sync(lambda: anyio.run(leave, backend=other))
    with anyio.fail_after(WAIT):
        await event.wait()


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_loop_that_has_ended_needs_no_waking(backend: str) -> None:
    lock = LeaderLock()
    lead = led(lock)

    async def queue() -> None:
        await anyio.lowlevel.checkpoint()
        lock.try_acquire(waker_of(anyio.Event()))

    anyio.run(queue, backend=backend)
    woken = threading.Event()
    lock.try_acquire(woken.set)
    lock.release(lead)
    assert woken.is_set()


def test_a_crashed_trio_run_holds_no_lock_and_is_not_woken() -> None:
    code = """
import trio, trio.testing
from doorkey.renewal.leader_lock import LeaderLock
from doorkey.runtime.loops import waker_of

led, waited = LeaderLock(), LeaderLock()
lead = waited.try_acquire()

async def crash():
    led.try_acquire()
    waited.try_acquire(waker_of(trio.Event()))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.lowlevel.wait_task_rescheduled, lambda _: None)  # a mistake that trio cannot survive
        await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.deadline = 0

try:
    trio.run(crash)
except trio.TrioInternalError:
    assert led.try_acquire()
    waited.release(lead)
    print("done")
"""
    done = subprocess.run([sys.executable, "-c", code], check=True, timeout=WAIT, capture_output=True, text=True)
    assert done.stdout == "done\n"


def test_the_lock_of_a_guest_trio_run_is_abandoned_with_the_thread_of_its_host() -> None:
    code = """
import queue, threading, trio
from doorkey.renewal.leader_lock import LeaderLock

lock, calls = LeaderLock(), queue.Queue()

async def enter():
    lock.try_acquire()
    calls.put(None)
    await trio.sleep_forever()

def host():
    trio.lowlevel.start_guest_run(enter, run_sync_soon_threadsafe=calls.put, done_callback=print)
    while (call := calls.get()) is not None:
        call()
    assert not lock.is_abandoned()

thread = threading.Thread(target=host)
thread.start()
thread.join()
assert lock.try_acquire()
print("done", flush=True)
"""
    done = subprocess.run([sys.executable, "-c", code], check=True, timeout=WAIT, capture_output=True, text=True)
    assert done.stdout == "done\n"


def test_a_waker_on_asyncio_needs_no_trio() -> None:
    code = """
import asyncio, sys, anyio
from doorkey.renewal.leader_lock import LeaderLock
from doorkey.runtime.loops import waker_of

async def main():
    lock, event = LeaderLock(), anyio.Event()
    lead = lock.try_acquire()
    lock.try_acquire(waker_of(event))
    lock.release(lead)
    await event.wait()

asyncio.run(main())
assert "trio" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=WAIT)


def test_wakers_belong_to_a_running_loop() -> None:
    with pytest.raises(RuntimeError, match="no running event loop"):
        waker_of(asyncio.Event())


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_releases_the_locks_of_its_parents_threads() -> None:
    code = """
import os, threading, warnings
from doorkey.renewal.leader_lock import LeaderLock

warnings.simplefilter("ignore")  # that forking with threads is dangerous is the point
led, inside = LeaderLock(), LeaderLock()
lead = led.try_acquire()
assert lead and not led.try_acquire(lambda: os._exit(9))
held = threading.Event()

def hold_its_lock():
    with inside._mutex:
        held.set()
        threading.Event().wait()

threading.Thread(target=hold_its_lock, daemon=True).start()
held.wait()
child = os.fork()
if child == 0:
    mine = led.try_acquire()
    leads = mine and inside.try_acquire()
    led.release(mine)
    os._exit(0 if leads else 1)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
assert not led.try_acquire()
os._exit(0)
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=WAIT)

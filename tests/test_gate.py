"""One caller at a time leads, the others are told when it has left: across threads, event loops, and a fork."""

import asyncio
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import anyio
import anyio.lowlevel
import pytest

from doorkey.gate import Gate, waker_of
from tests.backends import both_backends

WAIT = 30.0
"""Seconds after which a test gives up on what never comes; nothing here waits that long."""


def test_the_first_one_leads_and_nobody_else_until_it_has_left() -> None:
    gate = Gate()
    assert gate.enter()
    assert not gate.enter()
    gate.leave()
    assert gate.enter()


def test_all_who_waited_are_woken_once_when_the_leader_leaves() -> None:
    gate, woken = Gate(), list[str]()
    assert gate.enter(lambda: woken.append("the leader"))
    assert not gate.enter(lambda: woken.append("a"))
    assert not gate.enter(lambda: woken.append("b"))
    assert not gate.enter()
    assert woken == []
    gate.leave()
    assert woken == ["a", "b"]
    assert gate.enter()
    gate.leave()
    assert woken == ["a", "b"]


def test_a_waiter_may_lead_as_soon_as_it_is_woken() -> None:
    gate, led = Gate(), list[bool]()
    gate.enter()
    gate.enter(lambda: led.append(gate.enter()))
    gate.leave()
    assert led == [True]


def test_of_many_threads_at_once_exactly_one_leads() -> None:
    gate, start = Gate(), threading.Barrier(16)

    def enter() -> bool:
        start.wait(WAIT)
        return gate.enter()

    with ThreadPoolExecutor(16) as pool:
        assert sum(led.result() for led in [pool.submit(enter) for _ in range(16)]) == 1


def test_a_thread_waits_for_another_ones_lead() -> None:
    gate, woken = Gate(), threading.Event()
    gate.enter()
    assert not gate.enter(woken.set)
    thread = threading.Thread(target=gate.leave)
    thread.start()
    assert woken.wait(WAIT)
    thread.join(WAIT)


@both_backends
@pytest.mark.anyio
async def test_a_task_is_woken_from_another_thread() -> None:
    gate, event = Gate(), anyio.Event()
    gate.enter()
    assert not gate.enter(waker_of(event))
    await anyio.to_thread.run_sync(gate.leave)
    with anyio.fail_after(WAIT):
        await event.wait()


@both_backends
@pytest.mark.anyio
@pytest.mark.parametrize("other", ["asyncio", "trio"])
async def test_a_task_is_woken_from_another_event_loop(other: str) -> None:
    gate, event = Gate(), anyio.Event()
    gate.enter()
    gate.enter(waker_of(event))

    async def leave() -> None:
        await anyio.lowlevel.checkpoint()
        gate.leave()

    await anyio.to_thread.run_sync(lambda: anyio.run(leave, backend=other))
    with anyio.fail_after(WAIT):
        await event.wait()


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_loop_that_has_ended_needs_no_waking(backend: str) -> None:
    gate = Gate()
    gate.enter()

    async def queue() -> None:
        await anyio.lowlevel.checkpoint()
        gate.enter(waker_of(anyio.Event()))

    anyio.run(queue, backend=backend)
    woken = threading.Event()
    gate.enter(woken.set)
    gate.leave()
    assert woken.is_set()


def test_a_waker_on_asyncio_needs_no_trio() -> None:
    code = """
import asyncio, sys, anyio
from doorkey.gate import Gate, waker_of

async def main():
    gate, event = Gate(), anyio.Event()
    gate.enter()
    gate.enter(waker_of(event))
    gate.leave()
    await event.wait()

asyncio.run(main())
assert "trio" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=WAIT)


def test_wakers_belong_to_a_running_loop() -> None:
    with pytest.raises(RuntimeError, match="no running event loop"):
        waker_of(asyncio.Event())


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_child_of_a_fork_forgets_the_leads_and_the_locks_of_its_parents_threads() -> None:
    code = """
import os, threading, warnings
from doorkey.gate import Gate

warnings.simplefilter("ignore")  # that forking with threads is dangerous is the point
led, inside = Gate(), Gate()
assert led.enter() and not led.enter(lambda: os._exit(9))
held = threading.Event()

def hold_its_lock():
    with inside._mutex:
        held.set()
        threading.Event().wait()

threading.Thread(target=hold_its_lock, daemon=True).start()
held.wait()
child = os.fork()
if child == 0:
    leads = led.enter() and inside.enter()
    led.leave()
    os._exit(0 if leads else 1)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
assert not led.enter()
os._exit(0)
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=WAIT)

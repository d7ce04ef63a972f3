"""The threads that blocking calls run in: each is used again, and a few of them stay idle for a while."""

import gc
import os
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar, copy_context
from functools import partial

import pytest

from doorkey.errors import TransportError
from doorkey.runtime.deadline import _Call, within
from doorkey.runtime.reused_threads import MOST_IDLE, ReusedThread

SOON, WAIT = 0.2, 60.0
"""Seconds: a deadline that is there to be missed, and one that is there to be kept."""

VARIABLE = ContextVar("VARIABLE", default="default")


@pytest.fixture
def no_idle_threads(monkeypatch: pytest.MonkeyPatch) -> list[ReusedThread]:
    """None that another test has left; those of this test."""
    idle: list[ReusedThread] = []
    monkeypatch.setattr("doorkey.runtime.reused_threads._idle", idle)
    return idle


def test_the_next_call_runs_in_the_same_thread(no_idle_threads: list[ReusedThread]) -> None:
    assert len({within(WAIT, threading.current_thread) for _ in range(5)}) == 1


def test_calls_at_once_run_in_threads_of_their_own(no_idle_threads: list[ReusedThread]) -> None:
    met = threading.Barrier(3)

    def call() -> threading.Thread:
        met.wait(WAIT)
        return threading.current_thread()

    with ThreadPoolExecutor(3) as pool:
        found = [pool.submit(within, WAIT, call) for _ in range(3)]
    assert len({one.result() for one in found}) == 3


def test_a_reused_thread_sees_the_context_of_each_caller(no_idle_threads: list[ReusedThread]) -> None:
    def seen_with(value: str) -> str:
        VARIABLE.set(value)
        return within(WAIT, VARIABLE.get)

    seen = [copy_context().run(seen_with, value) for value in ("first", "second")]
    within(WAIT, lambda: VARIABLE.set("of a call"))
    assert (seen, within(WAIT, VARIABLE.get)) == (["first", "second"], "default")


def test_a_thread_that_was_abandoned_is_not_reused_although_its_call_ends(no_idle_threads: list[ReusedThread]) -> None:
    started, over = threading.Event(), threading.Event()
    threads: list[threading.Thread] = []

    def late() -> None:
        threads.append(threading.current_thread())
        started.set()
        over.wait(WAIT)

    with pytest.raises(TransportError):
        within(SOON, late)
    assert started.wait(WAIT)
    over.set()
    threads[0].join(WAIT)
    assert not threads[0].is_alive()
    assert within(WAIT, threading.current_thread) is not threads[0]


def test_an_idle_thread_keeps_nothing_of_its_last_call_alive(no_idle_threads: list[ReusedThread]) -> None:
    class Held:
        pass

    def held_by(call: Callable[[Held], object]) -> weakref.ref[Held]:
        held = Held()
        within(WAIT, lambda: call(held))
        return weakref.ref(held)

    alive = held_by(lambda held: held)
    thread = within(WAIT, threading.current_thread)  # it has gone on to another call
    gc.collect()
    assert alive() is None
    assert thread.is_alive()


def test_an_idle_thread_ends_after_a_while(
    no_idle_threads: list[ReusedThread], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("doorkey.runtime.reused_threads.IDLE_SECONDS", 0.001)
    thread = within(WAIT, threading.current_thread)
    thread.join(WAIT)
    assert not thread.is_alive()
    assert within(WAIT, lambda: 7) == 7


def test_no_more_idle_threads_are_kept_than_a_few(no_idle_threads: list[ReusedThread]) -> None:
    calls = MOST_IDLE + 4
    met = threading.Barrier(calls)
    with ThreadPoolExecutor(calls) as pool:
        threads = {one.result() for one in [pool.submit(within, WAIT, partial(_met, met)) for _ in range(calls)]}
    for thread in threads - set(no_idle_threads):
        thread.join(WAIT)
    assert sum(thread.is_alive() for thread in threads) == len(no_idle_threads) <= MOST_IDLE + 3


def _met(met: threading.Barrier) -> threading.Thread:
    met.wait(WAIT)
    return threading.current_thread()


def test_a_job_is_given_to_one_thread_once_whichever_of_two_callers_found_it_idle(
    no_idle_threads: list[ReusedThread],
) -> None:
    within(WAIT, lambda: None)
    idle = no_idle_threads.pop()
    over = threading.Event()
    first = _Call(partial(over.wait, WAIT))
    second = _Call(lambda: 7)
    assert idle.submit(first)
    assert not idle.submit(second)
    over.set()
    assert first.wait(WAIT)


FORKING = """
import os
from doorkey.runtime.deadline import within

assert within(30, lambda: 1) == 1
child = os.fork()
if child == 0:
    os._exit(within(30, lambda: 7))
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), within(30, lambda: 8))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_child_waits_for_no_idle_thread_of_its_parent() -> None:
    ended = subprocess.run([sys.executable, "-c", FORKING], capture_output=True, text=True, timeout=WAIT, check=True)
    assert ended.stdout == "7 8\n"


ENDING = """
from doorkey.runtime.deadline import within

within(30, lambda: None)
print("ends")
"""


def test_an_idle_thread_does_not_keep_the_interpreter_from_ending() -> None:
    ended = subprocess.run([sys.executable, "-c", ENDING], capture_output=True, text=True, timeout=WAIT, check=True)
    assert (ended.stdout, ended.stderr) == ("ends\n", "")

"""A total deadline for a call that blocks: its caller goes on without it, and its thread ends at the next byte."""

import gc
import signal
import socket
import subprocess
import sys
import threading
import weakref
from contextlib import suppress
from contextvars import ContextVar
from typing import Any

import pytest

from doorkey.errors import TransportError
from doorkey.runtime.deadline import _abandon, _Call, within
from tests.support.interrupts import no_garbage_collection

SOON, WAIT = 0.2, 60.0
"""Seconds: a deadline that is there to be missed, and one that is there to be kept."""

VARIABLE = ContextVar("VARIABLE", default="default")


def test_the_result_of_the_call_is_returned() -> None:
    assert within(WAIT, lambda: 7) == 7


def test_the_call_runs_in_another_thread_and_sees_the_context_of_its_caller() -> None:
    mark = VARIABLE.set("the caller's")
    try:
        seen = within(WAIT, lambda: (VARIABLE.get(), threading.current_thread().name, threading.get_ident()))
    finally:
        VARIABLE.reset(mark)
    assert seen[:2] == ("the caller's", "doorkey-exchange")
    assert seen[2] != threading.get_ident()


def test_a_ctrl_c_that_does_not_end_the_wait_itself_is_seen_long_before_the_deadline() -> None:
    """The system may give the signal to another thread, or the wait may begin right after it."""
    kind: Any = _Call
    seen, ended, waiter = threading.Event(), list[bool](), threading.get_ident()

    def call() -> None:
        while sys._current_frames()[waiter].f_code is not kind.wait.__code__:
            seen.wait(SOON)
        signal.pthread_kill(threading.get_ident(), signal.SIGINT)
        ended.append(seen.wait(SOON * 50))

    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a process in the background ignores it
    try:
        with no_garbage_collection(), pytest.raises(KeyboardInterrupt):
            within(WAIT, call)
        assert ended == []
    finally:
        seen.set()
        signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("error", [ValueError("odd"), KeyboardInterrupt(), SystemExit(3)])
def test_an_exception_of_the_call_keeps_its_traceback(error: BaseException) -> None:
    def fail() -> None:
        raise error

    with pytest.raises(type(error)) as caught:
        within(WAIT, fail)
    assert caught.value is error
    assert "fail" in [entry.name for entry in caught.traceback]


def test_an_error_that_was_raised_is_not_kept_alive() -> None:
    class Odd(Exception):
        pass

    def fail() -> None:
        raise Odd

    alive: list[weakref.ref[Odd]] = []
    gc.disable()
    try:
        try:
            within(WAIT, fail)
        except Odd as error:
            alive.append(weakref.ref(error))
        assert alive[0]() is None
    finally:
        gc.enable()


class Hanging:
    """Reads from a peer that sends nothing unless told to, as a stalled exchange does."""

    def __init__(self) -> None:
        self.ours, self.theirs = socket.socketpair()
        self.started = threading.Event()
        self.thread = threading.current_thread()
        self.cleaned_up = threading.Event()

    def __call__(self) -> None:
        self.thread = threading.current_thread()
        self.started.set()
        try:
            while True:
                self.ours.recv(1)
        finally:
            self.cleaned_up.set()

    def close(self) -> None:
        self.ours.close()
        self.theirs.close()


interrupting = pytest.mark.skipif(
    sys.version_info < (3, 12) and sys.gettrace() is not None,
    reason="under a tracer CPython 3.11 cannot interrupt a thread; see doorkey.runtime.deadline",
)


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """However busy the machine is, a thread is where it hangs before it is interrupted."""
    monkeypatch.setattr("doorkey.runtime.deadline.GRACE", (2.0, 10.0))


@interrupting
@pytest.mark.usefixtures("patient")
def test_a_call_that_hangs_is_left_at_the_deadline_and_its_thread_ends_at_a_byte_some_time_later() -> None:
    call = Hanging()
    with pytest.raises(TransportError, match=r"within 0\.2 s") as caught:
        within(SOON, call)
    assert not caught.value.retryable
    assert call.started.wait(WAIT)
    assert call.thread.is_alive()
    assert not call.cleaned_up.is_set()
    for _ in range(int(WAIT / SOON)):
        if call.thread.is_alive():
            call.theirs.send(b"x")
            call.thread.join(SOON)
    assert not call.thread.is_alive()
    assert call.cleaned_up.is_set()
    call.close()


@interrupting
@pytest.mark.usefixtures("patient")
def test_a_drip_does_not_extend_the_deadline() -> None:
    call, over = Hanging(), threading.Event()

    def drip() -> None:
        call.theirs.settimeout(0)
        while not over.is_set():
            with suppress(BlockingIOError):
                call.theirs.send(b"x")

    dripping = threading.Thread(target=drip)
    dripping.start()
    with pytest.raises(TransportError):
        within(SOON, call)
    assert call.started.wait(WAIT)
    call.thread.join(WAIT)
    over.set()
    dripping.join(WAIT)
    assert not call.thread.is_alive()
    call.close()


class Spinning:
    """Runs Python code until `over`; notes in `struck` what strikes it, and goes on as often as `deaf` says."""

    def __init__(self, deaf: int) -> None:
        self.started, self.over, self.struck = threading.Event(), threading.Event(), list[str]()
        self.listening = threading.Semaphore(0)
        self.thread = threading.current_thread()
        self._deaf = deaf

    def __call__(self) -> None:
        self.thread = threading.current_thread()
        for _ in range(self._deaf + 1):
            try:
                self._spin()  # a call: in a loop of its own, Python 3.13 guards all but the jump back
            except BaseException as error:  # noqa: BLE001  # as a destructor does: it is printed and lost
                self.struck.append(type(error).__name__)

    def _spin(self) -> None:
        self.started.set()
        self.listening.release()
        while not self.over.is_set():
            pass


class Listening(threading.Thread):
    """A thread in whose call the grace is over as soon as it can be struck, however busy the machine is."""

    def __init__(self, call: Spinning) -> None:
        super().__init__(target=call)
        self._call = call

    def join(self, timeout: float | None = None) -> None:
        self._call.listening.acquire(timeout=WAIT)


@interrupting
def test_a_thread_that_survives_an_interrupt_is_interrupted_again() -> None:
    call = Spinning(deaf=1)
    thread = Listening(call)
    thread.start()
    _abandon(thread)
    threading.Thread.join(thread, WAIT)
    call.over.set()
    assert call.struck == ["Abandoned", "Abandoned"]


def test_a_thread_that_ends_of_itself_in_time_is_not_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a connection that is just being opened, or closed, is not lost."""
    monkeypatch.setattr("doorkey.runtime.deadline.GRACE", (WAIT,))
    call = Spinning(deaf=0)
    with pytest.raises(TransportError):
        within(SOON, call)
    assert call.started.wait(WAIT)
    call.over.set()
    call.thread.join(WAIT)
    assert not call.thread.is_alive()
    assert call.struck == []


def test_a_process_that_cannot_start_a_thread_gets_a_typed_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", full)
    monkeypatch.setattr("doorkey.runtime.reused_threads._idle", [])  # none is left of another test
    with pytest.raises(TransportError, match="no thread can be started") as error:
        within(WAIT, lambda: 7)
    assert error.value.retryable


def test_a_deadline_does_not_hang_a_program_that_is_traced() -> None:
    code = """
import sys, threading
from doorkey.runtime.deadline import within
from doorkey.errors import TransportError

sys.settrace(lambda *_: (lambda *_: None))
try:
    within(0.2, threading.Event().wait)
except TransportError:
    print("on we go")
"""
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=WAIT)
    assert told.stdout == "on we go\n"


def test_the_outcome_of_an_abandoned_call_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("doorkey.runtime.deadline.GRACE", (WAIT,))
    started, go_on, holding = threading.Event(), threading.Event(), list[weakref.ref[Exception]]()
    threads: list[threading.Thread] = []

    class Late(Exception):
        pass

    def late() -> None:
        threads.append(threading.current_thread())
        started.set()
        try:
            go_on.wait(WAIT)
        finally:
            error = Late()
            holding.append(weakref.ref(error))
            raise error

    with pytest.raises(TransportError):
        within(SOON, late)
    assert started.wait(WAIT)
    go_on.set()
    threads[0].join(WAIT)
    gc.collect()
    assert holding[0]() is None


AT_EXIT = """
import atexit
from doorkey.runtime.deadline import within

atexit.register(lambda: print(within(5, lambda: "exchanged")))
"""


def test_an_exchange_at_the_end_of_the_interpreter_is_made_in_the_thread_of_its_caller() -> None:
    ended = subprocess.run([sys.executable, "-c", AT_EXIT], capture_output=True, text=True, timeout=WAIT, check=True)
    assert (ended.stdout, ended.stderr) == ("exchanged\n", "")

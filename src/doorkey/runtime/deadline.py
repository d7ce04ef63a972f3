"""A total deadline for a blocking call.

The timeouts of HTTP clients bound each read, so a server that sends one byte at a time can block a thread forever, even
in the headers. Here the call runs in another thread, and at the deadline its caller continues without it. A thread
whose call has ended in time is reused for the next call (`reused_threads`); an abandoned thread is not.

If the server is silent, an abandoned thread ends by the timeouts of its HTTP client. If the server sends slowly, the
thread would stay alive, so it is interrupted some time later, at its next byte. It is not interrupted at once, because
that could happen anywhere, also between the opening of a connection and the line that stores it, or in the pool of the
user's client. After that time, the interruption happens in a read.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from contextvars import copy_context
from time import monotonic
from typing import Final, Generic, TypeVar

from doorkey.errors import TransportError
from doorkey.runtime.interrupts import current
from doorkey.runtime.reused_threads import Abandoned, ReusedThread, idle_thread

T = TypeVar("T")

GRACE: Final = (0.5, 10.0)
"""Seconds from the deadline to the first interruption of an abandoned thread, and from there to the second one."""

POLL_INTERVAL: Final = 0.5
"""Seconds of one wait. A signal that arrives right before a wait, or in another thread, does not end the wait, and its
handler runs only afterwards."""


class _Call(Generic[T]):
    """One call as a job for another thread. It runs in a copy of the caller's context."""

    result: T

    def __init__(self, call: Callable[[], T]) -> None:
        self._call, self._context = call, copy_context()
        # A bare lock, because an interruption between two lines of an `Event` would leave the Event's lock locked.
        self._under_way = threading.Lock()
        self._under_way.acquire()
        self._claim = threading.Lock()  # acquired once: by the thread at the end of the call, or earlier by the caller
        self._done = False
        self.thread: ReusedThread | None = None
        self.error: BaseException | None = None

    def begin(self) -> None:
        """Give the call to an idle thread, or to a new one. Raises `RuntimeError` if none can be started."""
        while (idle := idle_thread()) is not None:
            self.thread = idle
            if idle.submit(self):
                return
        self.thread = ReusedThread(self)
        self.thread.start()

    def has_begun(self) -> bool:
        """Return whether a thread runs the call or has run it. For a caller whose `begin` may have been interrupted."""
        return (self.thread is not None and self.thread.has_job(self)) or self.wait(0)

    def execute(self) -> bool:
        """Run the call in this thread. Return False if the caller has abandoned it meanwhile."""
        try:
            self.result = self._context.run(self._call)
        except BaseException as error:  # noqa: BLE001  # any error is raised in the caller's thread
            if self._claim.acquire(blocking=False):  # else the error has no reader, and would keep the connection open
                self.error = error
                return True
            return False
        return self._claim.acquire(blocking=False)

    def finish(self) -> None:
        """Wake the caller."""
        self._done = True
        self._under_way.release()

    def wait(self, seconds: float) -> bool:
        """Wait up to `seconds`, and return whether the call is done. Can be called again after an interruption."""
        while not (self._done or self._under_way.acquire(timeout=min(seconds, POLL_INTERVAL)) or self._done):
            seconds -= POLL_INTERVAL
            if seconds <= 0:
                return False
        return True

    def abandon(self) -> bool:
        """Make the thread end after the call instead of being reused. Return False if the call has ended meanwhile."""
        return self._claim.acquire(blocking=False)


def too_late(seconds: float) -> TransportError:
    """Return the error for an exchange that had not ended after `seconds`."""
    return TransportError(
        f"the server did not send a complete response within {seconds:g} s (timeout= bounds only a single read): a "
        "program can allow more time by exchange=ExchangePolicy(deadline=…)"
    )


def within(seconds: float, call: Callable[[], T]) -> T:
    """Return the result of `call()` or raise its error. Raises `TransportError` after `seconds`.

    The call has the context variables of its caller. At the end of the interpreter no thread can be started. Then the
    call runs in the caller's thread, and is bounded only by the timeouts of the HTTP client.
    """
    work = _Call(call)
    try:
        done = _waited(work, seconds)
    except RuntimeError as error:
        if not threading.main_thread().is_alive():  # an atexit callback, from Python 3.12 on
            return call()
        if isinstance(error.__context__, KeyboardInterrupt):
            raise error.__context__ from None  # it interrupted start(), which then raises a RuntimeError
        # the process or the system has reached its limit of threads
        raise TransportError("no thread can be started for the exchange with the server", retryable=True) from error
    if not done:
        if work.thread is not None and work.abandon():
            _abandon(work.thread)
            raise too_late(seconds)
        work.wait(seconds)  # it ended at the deadline, and its thread is about to call `finish`
    if work.error is not None:
        try:
            raise work.error
        finally:
            work.error = None  # breaks the reference cycle of the error and this frame, so that it is freed at once
    return work.result


def _waited(work: _Call[T], seconds: float) -> bool:
    """Run `work` in a thread, and return whether it was done within `seconds`."""
    begun = monotonic()
    try:
        work.begin()
        return work.wait(seconds)
    except KeyboardInterrupt as interrupt:
        deferral = current()
        if not work.has_begun() or deferral is None or not deferral.defer(interrupt):
            raise
    return work.wait(max(0.0, begun + seconds - monotonic()))


def _abandon(thread: threading.Thread) -> None:
    """Interrupt the thread if it does not end by itself: when it next runs Python code, which it does for each byte."""
    if sys.version_info < (3, 12) and sys.gettrace() is not None:
        return  # CPython 3.11 hangs in traced code while another thread has a pending asynchronous exception
    with suppress(RuntimeError):  # no more threads: then only the timeouts of the HTTP client end the thread
        threading.Thread(target=_interrupt, args=(thread,), name="doorkey-abandoned", daemon=True).start()


def _interrupt(thread: threading.Thread) -> None:
    import ctypes

    for seconds in GRACE:  # twice: an exception in a destructor or a callback of the garbage collector is lost
        thread.join(seconds)
        if thread.is_alive() and thread.ident is not None and hasattr(ctypes, "pythonapi"):
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), ctypes.py_object(Abandoned))

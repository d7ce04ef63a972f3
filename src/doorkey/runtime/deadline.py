"""A total deadline for a call that blocks.

The timeouts of HTTP clients bound each read, so a server that sends one byte at a time can hold a thread for ever,
even in the headers. Here the call runs in another thread, and at the deadline its caller goes on without it. A thread
whose call has ended in time runs the next one (`reused_threads`); one that was left behind never does.

What is left behind ends by its own timeouts where the server is silent. A drip would keep it alive, so a while later it
is interrupted, at its next byte. Not at once: an interruption may strike anywhere, also between the opening of a
connection and the line that remembers it, or in the pool of the user's client; after that while, it strikes a read.
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
"""Seconds after the deadline, and after that once more, until the thread that is left behind is interrupted."""


LOOK: Final = 0.5
"""Seconds of one wait. A signal that comes right before it, or in another thread, does not end it, so that its handler
runs after it."""


class _Call(Generic[T]):
    """One call, as a job for another thread; runs in a copy of the caller's context."""

    result: T

    def __init__(self, call: Callable[[], T]) -> None:
        self._call, self._context = call, copy_context()
        # A bare lock, not an Event: an interruption between two lines of an Event's would leave it locked for ever.
        self._under_way = threading.Lock()
        self._under_way.acquire()
        self._claim = threading.Lock()  # acquired once: by the thread when the call has ended, or by the caller before
        self._done = False
        self.thread: ReusedThread | None = None
        self.error: BaseException | None = None

    def begin(self) -> None:
        """Give the call to an idle thread, or to a new one. Raises `RuntimeError` if none can be started."""
        while (idle := idle_thread()) is not None:
            self.thread = idle
            if idle.give(self):
                return
        self.thread = ReusedThread(self)
        self.thread.start()

    def has_begun(self) -> bool:
        """Return whether a thread runs the call or has run it; asked where `begin` may have been interrupted."""
        return (self.thread is not None and self.thread.has(self)) or self.wait(0)

    def execute(self) -> bool:
        """Run the call in this thread; return False if the caller had abandoned it by its end."""
        try:
            self.result = self._context.run(self._call)
        except BaseException as error:  # noqa: BLE001  # handed to the caller's thread, whatever it is
            if self._claim.acquire(blocking=False):  # else it has no reader, and would keep the connection open
                self.error = error
                return True
            return False
        return self._claim.acquire(blocking=False)

    def finish(self) -> None:
        """Wake the caller."""
        self._done = True
        self._under_way.release()

    def wait(self, seconds: float) -> bool:
        """Return whether the call is done within `seconds`; asked again where the first wait was interrupted."""
        while not (self._done or self._under_way.acquire(timeout=min(seconds, LOOK)) or self._done):
            seconds -= LOOK
            if seconds <= 0:
                return False
        return True

    def abandon(self) -> bool:
        """Have the thread end instead of being reused; return False if the call has ended meanwhile."""
        return self._claim.acquire(blocking=False)


def too_late(seconds: float) -> TransportError:
    """Return the error of an exchange that was not over after `seconds`."""
    return TransportError(
        f"the server did not answer in full within {seconds:g} s, whatever timeout= allows a single read: a program "
        "can give it longer by exchange=ExchangePolicy(deadline=…)"
    )


def within(seconds: float, call: Callable[[], T]) -> T:
    """Return the result of `call()` or raise its error; raise `TransportError` after `seconds`.

    The call sees the context variables of its caller. At the end of the interpreter no thread can be started: then it
    is made in the caller's, bounded by nothing but the timeouts of the HTTP client.
    """
    work = _Call(call)
    try:
        done = _waited(work, seconds)
    except RuntimeError as error:
        if not threading.main_thread().is_alive():  # an atexit callback, from Python 3.12 on
            return call()
        if isinstance(error.__context__, KeyboardInterrupt):
            raise error.__context__ from None  # struck in the middle of start(), which is not made for that
        # the limit of the process or the system
        raise TransportError("no thread can be started for the exchange with the server", retryable=True) from error
    if not done:
        if work.thread is not None and work.abandon():
            _abandon(work.thread)
            raise too_late(seconds)
        work.wait(seconds)  # it ended at the deadline: its thread is about to say so
    if work.error is not None:
        try:
            raise work.error
        finally:
            work.error = None  # an error that holds its own frame would live until the garbage collector comes
    return work.result


def _waited(work: _Call[T], seconds: float) -> bool:
    """Have a thread do `work`, and return whether it was done within `seconds`."""
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
    """Have the thread end: of itself, or else when it next runs Python code, which each byte of a drip makes it do."""
    if sys.version_info < (3, 12) and sys.gettrace() is not None:
        return  # CPython 3.11 hangs in traced code while another thread has an exception coming
    with suppress(RuntimeError):  # no more threads: silence ends by its own timeouts
        threading.Thread(target=_interrupt, args=(thread,), name="doorkey-abandoned", daemon=True).start()


def _interrupt(thread: threading.Thread) -> None:
    import ctypes

    for seconds in GRACE:  # twice: what strikes in a destructor or a callback of the garbage collector is lost
        thread.join(seconds)
        if thread.is_alive() and thread.ident is not None and hasattr(ctypes, "pythonapi"):
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), ctypes.py_object(Abandoned))

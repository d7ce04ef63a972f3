"""One lock for threads, tasks, event loops and forked processes: one caller renews, the others wait for its outcome.

Theory of operation. `asyncio.Lock` belongs to one event loop, `anyio.Lock` to one thread, and a `threading.Lock` would
block the loop. A `LeaderLock` itself never waits. `try_acquire` returns a `Holder` to the caller that gets the lock.
For any other caller it registers a wake function, which sets the object that this caller waits for: a latch for a
thread, an event of its own loop for a task. `release` calls every wake function at once, because all waiters need the
same outcome and none of them needs the lock for itself. A waiter that finds no outcome (the holder was canceled) tries
again.

A holder may also end without releasing: its event loop is closed in the middle of the request, its thread dies, a
coroutine is dropped. Then nothing wakes the waiters. Therefore each holder can report whether it can still continue, a
lock whose holder cannot continue is free, and waiters check this once per `POLL_INTERVAL`. If a holder that was
replaced in this way continues nevertheless, it releases nothing, because `release` compares identities.

Three ways of waiting would never end, and raise `UsageError` instead: code that runs inside the renewal and requests
its token (see `doorkey.runtime.deadlock`), a blocking call in the thread whose event loop runs the holder, and a
blocking call further down the holder's own stack. The last case differs from a holder that Ctrl-C left behind between
two lines, which the same thread may replace: only the former is a local variable of a frame on the stack.

A forked child has none of the threads of its parent, so it starts with the lock free.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from doorkey.errors import TransportError, UsageError
from doorkey.runtime.deadlock import refuse_reentry
from doorkey.runtime.forks import after_fork
from doorkey.runtime.latch import Latch
from doorkey.runtime.loops import liveness_check, waker_of
from doorkey.wire.flow import Effect

if TYPE_CHECKING:
    from types import FrameType

__all__: list[str] = []

MAX_WAIT: Final = 120.0
"""Seconds that a caller waits for the holder before it raises an error."""
POLL_INTERVAL: Final = 1.0
"""Seconds between two checks by a waiter whether the holder's event loop or thread has ended."""


class Holder:
    """The thread, or the task of an event loop, that holds a `LeaderLock`.

    blocks: True for a thread.

    `can_continue()` returns whether it can still run and release the lock; `thread` is the thread in which it runs.
    """

    __slots__ = ("blocks", "can_continue", "thread")

    def __init__(self, *, blocks: bool) -> None:
        self.thread, self.blocks = threading.current_thread(), blocks
        self.can_continue = self.thread.is_alive if blocks else liveness_check(self.thread)

    def hand_to(self, thread: threading.Thread) -> None:
        """Make `thread`, which is not started yet, the holder in place of the caller that acquired the lock."""
        self.thread, self.blocks = thread, True
        self.can_continue = lambda: thread.ident is None or thread.is_alive()


class LeaderLock:
    """A lock that never waits by itself, for one holder at a time."""

    __slots__ = ("__weakref__", "_holder", "_mutex", "_wakers")

    def __init__(self) -> None:
        self.reset_in_child()
        after_fork(self, LeaderLock.reset_in_child)

    def reset_in_child(self) -> None:
        """Forget a holder that runs in the parent process."""
        self._mutex = threading.RLock()  # a coroutine that the garbage collector closes may release in any thread
        self._holder: Holder | None = None
        self._wakers: list[Callable[[], object]] = []

    def try_acquire(self, wake: Callable[[], object] | None = None, *, blocks: bool = False) -> Holder | None:
        """Return the holder, for `release`, or None if the lock has another holder.

        wake: called once when that other holder releases the lock.
        blocks: True if the caller's thread is the holder, even if an event loop runs in that thread.
        """
        with self._mutex:
            if self._holder is None or not self._holder.can_continue():
                self._holder = holder = Holder(blocks=blocks)
                return holder
            if wake is not None:
                self._wakers.append(wake)
            return None

    def is_abandoned(self) -> bool:
        """Return whether there is no holder that can still release the lock. A waiter should then try to acquire it."""
        holder = self._holder
        return holder is None or not holder.can_continue()

    def refuse_reentry(self, message: str) -> None:
        """Raise `UsageError(message)` if the current code runs inside the work of the holder."""
        if not self.is_abandoned():
            refuse_reentry(self, message)

    def check_may_block(self) -> None:
        """Check that the holder can continue while this thread blocks.

        If the holder ran in this thread and was left behind by an interruption (Ctrl-C) between two lines, its lock is
        released. Raises `UsageError` if the holder is further up the stack, or is a task of this thread's event loop.
        """
        holder = self._holder
        if holder is None or holder.thread is not threading.current_thread():
            return
        if holder.blocks and _is_on_this_stack(holder):
            raise UsageError("deadlock: this thread is already renewing the token further up its stack")
        if not holder.blocks:
            raise UsageError(
                "deadlock: a task of the event loop that this thread runs is renewing the token, and cannot continue "
                "while a blocking call waits for it: await the token, or make the blocking call in another thread"
            )
        self.release(holder)

    def release(self, holder: Holder) -> None:
        """Release the lock and wake every waiter. Do nothing if another holder has replaced this one."""
        with self._mutex:
            if self._holder is not holder:
                return
            wakers, self._wakers, self._holder = self._wakers, [], None
        for wake in wakers:
            wake()


@dataclass(frozen=True, slots=True)
class AcquireOrWait(Effect["Holder | None"]):
    """The effect that acquires `lock`, or waits until its current holder has released it.

    The outcome is the new holder, which the caller must release, or None after a wait.

    deadlock: the message for code that would wait for itself.
    timeout: the message after `MAX_WAIT` seconds; ``{seconds}`` in it is replaced by that number.
    waiting: returns the context manager in which a caller waits.
    """

    lock: LeaderLock
    deadlock: str
    timeout: str
    waiting: Callable[[], AbstractContextManager[None]] = nullcontext

    def acquire_or_wait(self) -> Holder | None:
        """Perform this effect for a thread. Raises `UsageError` for a deadlock, `TransportError` after `MAX_WAIT`."""
        lock = self.lock
        if (holder := lock.try_acquire(blocks=True)) is not None:
            return holder
        lock.refuse_reentry(self.deadlock)
        woken = Latch()
        if (holder := lock.try_acquire(woken.set, blocks=True)) is None:
            with self.waiting():
                self._check(wait_blocking(lock, woken, MAX_WAIT))
        return holder

    async def acquire_or_wait_async(self) -> Holder | None:
        """Perform this effect for a task. Raises the errors of `acquire_or_wait`."""
        lock = self.lock
        if (holder := lock.try_acquire()) is not None:
            return holder
        lock.refuse_reentry(self.deadlock)
        import anyio

        woken = anyio.Event()
        if (holder := lock.try_acquire(waker_of(woken))) is None:
            with self.waiting():
                self._check(await wait_async(lock, woken, MAX_WAIT))
        return holder

    def _check(self, ended: bool) -> None:
        if not ended:
            raise TransportError(self.timeout.format(seconds=f"{MAX_WAIT:.0f}"), retryable=True)


def wait_blocking(lock: LeaderLock, woken: Latch, seconds: float) -> bool:
    """Return True once `woken` is set or `lock` is abandoned, False after `seconds`.

    Raises `UsageError` if the holder could not continue during the wait; see `LeaderLock.check_may_block`.
    """
    lock.check_may_block()
    return any(woken.wait(interval) or lock.is_abandoned() for interval in _intervals(seconds))


async def wait_async(lock: LeaderLock, woken: Any, seconds: float) -> bool:
    """Return True once `woken`, an `anyio.Event`, is set or `lock` is abandoned, False after `seconds`."""
    import anyio

    for interval in _intervals(seconds):
        with anyio.move_on_after(interval):
            await woken.wait()
        if woken.is_set() or lock.is_abandoned():
            return True
    return False


def _intervals(seconds: float) -> Iterator[float]:
    """Yield the seconds until each check of the lock, `seconds` in total."""
    while seconds > 0:
        yield min(POLL_INTERVAL, seconds)
        seconds -= POLL_INTERVAL


def _is_on_this_stack(holder: Holder) -> bool:
    """Return whether a frame of this thread's stack has `holder` as a local variable, and so will release it.

    `tests/renewal/test_leader_lock_same_thread.py` has an example of both cases.
    """
    frame: FrameType | None = sys._getframe(2)  # not the caller, which has it as a local variable too
    while frame is not None:
        if any(value is holder for value in frame.f_locals.values()):
            return True
        frame = frame.f_back
    return False

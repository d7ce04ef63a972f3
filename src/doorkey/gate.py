"""Who leads, and who is told when the leader is done: across threads, tasks, event loops and a fork.

`asyncio.Lock` belongs to one loop, `anyio.Lock` to one thread, and a `threading.Lock` would block a loop. A `Gate`
never waits: it says whether the caller leads, and otherwise keeps a `wake` callable, which each world makes from what
it can wait for. All are woken at once, because all of them want the same outcome and none wants a turn.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Protocol
from weakref import WeakSet

from doorkey.shield import running_trio


class Gate:
    """Lets one caller at a time lead."""

    __slots__ = ("__weakref__", "_busy", "_mutex", "_wakers")

    def __init__(self) -> None:
        self.reset_in_child()
        reset_after_fork(self)

    def reset_in_child(self) -> None:
        """Forget a leader that a fork left behind."""
        self._mutex = threading.Lock()
        self._busy = False
        self._wakers: list[Callable[[], object]] = []

    def enter(self, wake: Callable[[], object] | None = None) -> bool:
        """Return True if the caller leads now and must `leave()`; else have `wake` called when the leader has left."""
        with self._mutex:
            if not self._busy:
                self._busy = True
                return True
            if wake is not None:
                self._wakers.append(wake)
            return False

    def leave(self) -> None:
        """End the lead, and wake everybody who waited for it."""
        with self._mutex:
            wakers, self._wakers, self._busy = self._wakers, [], False
        for wake in wakers:
            wake()


class Resettable(Protocol):
    """What holds a lock, or remembers who leads."""

    def reset_in_child(self) -> None:
        """Make a new lock."""
        ...


# A child of fork() has none of its parent's other threads: whoever led or held a lock there will never let go here.
_resettable: WeakSet[Resettable] = WeakSet()


def reset_after_fork(one: Resettable) -> None:
    """Have `one.reset_in_child()` called in each child of fork(), for as long as it lives."""
    _resettable.add(one)


def _reset_all() -> None:
    for one in list(_resettable):
        one.reset_in_child()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_reset_all)


def waker_of(event: Any) -> Callable[[], object]:
    """Return a callable that sets `event` (an `anyio.Event` of the running loop) from any thread and any loop."""
    trio = running_trio()
    if trio is not None:
        token = trio.lowlevel.current_trio_token()
        return lambda: _ignoring(trio.RunFinishedError, token.run_sync_soon, event.set)
    import asyncio

    loop = asyncio.get_running_loop()
    return lambda: _ignoring(RuntimeError, loop.call_soon_threadsafe, event.set)


def _ignoring(error: type[Exception], call: Callable[..., object], *arguments: object) -> None:
    with suppress(error):  # the loop that waited is closed: nobody is left there to be woken
        call(*arguments)

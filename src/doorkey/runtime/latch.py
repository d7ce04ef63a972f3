"""An event that is set once, for one waiting thread. Safe in signal handlers, finalizers and interrupted threads."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import Final

__all__: list[str] = []


class Latch:
    """An event that is set once, for one waiting thread.

    It uses a bare lock, because the lock of a `threading.Event` is not re-entrant: a finalizer or signal handler that
    sets the event while the same thread is about to wait would block forever.
    """

    __slots__ = ("_lock",)

    def __init__(self) -> None:
        self._lock: Final = threading.Lock()
        self._lock.acquire()

    def set(self) -> None:
        """Set the event, which wakes the thread that waits now or later."""
        with suppress(RuntimeError):  # it was set already
            self._lock.release()

    def wait(self, seconds: float) -> bool:
        """Return True as soon as the event is set, False after `seconds`. Returning True clears the event."""
        return self._lock.acquire(timeout=seconds)

"""An event that is set once, for one thread that waits: safe in signal handlers, finalizers and interrupted threads."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import Final

__all__: list[str] = []


class Latch:
    """Set once, waited for by one thread.

    A bare lock and not a `threading.Event`, whose own lock is not re-entrant: a finalizer or a signal handler that sets
    it while the same thread is about to wait would block for ever.
    """

    __slots__ = ("_lock",)

    def __init__(self) -> None:
        self._lock: Final = threading.Lock()
        self._lock.acquire()

    def set(self) -> None:
        """Wake the thread that waits, or that comes to wait."""
        with suppress(RuntimeError):  # it is set already
            self._lock.release()

    def wait(self, seconds: float) -> bool:
        """Return True as soon as it is set, False after `seconds`. It stays set only for the call that returns True."""
        return self._lock.acquire(timeout=seconds)

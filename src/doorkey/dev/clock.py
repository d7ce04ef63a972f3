"""A clock that tests can move, so that no test has to wait."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Clock:
    """Seconds since 1970 by `source`, moved on by every `advance`. Safe to share between threads."""

    def __init__(self, source: Callable[[], float]) -> None:
        self._source = source
        self._offset = 0.0
        self._lock = threading.Lock()

    def now(self) -> float:
        """Return the present moment, in POSIX seconds."""
        return self._source() + self._offset

    def advance(self, seconds: float) -> None:
        """Move the clock on by `seconds`."""
        with self._lock:
            self._offset += seconds

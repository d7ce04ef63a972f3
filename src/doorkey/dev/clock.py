"""A clock that tests can move, so that no test has to wait."""

from __future__ import annotations

from collections.abc import Callable

from doorkey import arguments
from doorkey.runtime.forks import ForkSafeLock


class Clock:
    """Seconds since 1970 by `source`, moved on by every `advance`. Safe to share between threads."""

    def __init__(self, source: Callable[[], float]) -> None:
        arguments.function(source, "clock is a callable that returns seconds since the epoch")
        self._source = source
        self._offset = 0.0
        self._lock = ForkSafeLock()

    def now(self) -> float:
        """Return the present moment, in POSIX seconds."""
        return arguments.seconds(self._source(), "what clock returns") + self._offset

    def advance(self, seconds: float) -> None:
        """Move the clock on by `seconds`, or back where they are less than none. Raises `UsageError` for no number."""
        checked = arguments.seconds(seconds, "what a clock is moved by", least=-arguments.LATEST)
        with self._lock:
            self._offset += checked

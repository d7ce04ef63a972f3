"""A clock that tests can move, so that no test has to wait."""

from __future__ import annotations

from collections.abc import Callable

from doorkey import arguments
from doorkey.runtime.forks import ForkSafeLock


class Clock:
    """The time of `source`, a callable that returns POSIX seconds, plus every `advance`. Thread-safe."""

    def __init__(self, source: Callable[[], float]) -> None:
        arguments.function(source, "clock must be a callable that returns seconds since the epoch")
        self._source = source
        self._offset = 0.0
        self._lock = ForkSafeLock()

    def now(self) -> float:
        """Return the current time in POSIX seconds."""
        return arguments.seconds(self._source(), "the return value of clock") + self._offset

    def advance(self, seconds: float) -> None:
        """Advance the clock by `seconds`; a negative number sets it back. Raises `UsageError` for anything else."""
        checked = arguments.seconds(seconds, "the step of a clock", least=-arguments.LATEST)
        with self._lock:
            self._offset += checked

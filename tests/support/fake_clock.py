"""A clock that tests move: given to clients, and to the embedded provider, as their `clock=`."""

import time
from collections.abc import Callable

START = 1_800_000_000.0


class Clock:
    """Seconds since the epoch: frozen at a moment of our own, or (`Clock(time.time)`) real time moved forward."""

    def __init__(self, source: Callable[[], float] | None = None) -> None:
        self._source = source or (lambda: START)
        self._moved = 0.0

    def __call__(self) -> float:
        return self._source() + self._moved

    def advance(self, seconds: float) -> None:
        self._moved += seconds


def real_time() -> Clock:
    """For real servers, whose own clock stands where it stands."""
    return Clock(time.time)

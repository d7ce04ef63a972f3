"""The default clock. It looks `time.time` up at each call, so that tests which replace it replace it here too."""

from __future__ import annotations

import time

__all__: list[str] = []


def wall_time() -> float:
    """Return the seconds since the epoch."""
    return time.time()


def monotonic_time() -> float:
    """Return seconds that never go backwards."""
    return time.monotonic()

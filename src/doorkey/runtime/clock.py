"""The default clock. It looks up `time.time` at each call, so that a test that replaces it replaces it here too."""

from __future__ import annotations

import time

__all__: list[str] = []


def wall_time() -> float:
    """Return the current time in seconds since the epoch."""
    return time.time()


def monotonic_time() -> float:
    """Return seconds of a clock that never goes backwards."""
    return time.monotonic()

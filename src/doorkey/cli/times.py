"""Times and durations in words, for people."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

_UNITS: Final = ((86_400 * 365, "year"), (86_400, "day"), (3600, "hour"), (60, "minute"))


def in_words(seconds: float) -> str:
    """Return a duration in its largest unit, rounded down: `3 minutes`, `1 day`, `0 seconds`."""
    size = abs(seconds)
    for length, name in _UNITS:
        if size >= length:
            return _counted(size // length, name)
    return _counted(size // 1, "second")


def relative(at: float, now: float) -> str:
    """Return the time `at` relative to `now`: `3 minutes ago`, `in 1 day`. Both are in seconds since the epoch."""
    return f"{in_words(now - at)} ago" if at <= now else f"in {in_words(at - now)}"


def absolute(at: float) -> str:
    """Return the time `at`, in seconds since the epoch, as date and time in UTC.

    A time beyond the year 9999 is returned as a number of seconds.
    """
    try:
        return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    except (OverflowError, ValueError, OSError):
        return f"{at:.0f} seconds after 1970-01-01 00:00:00 UTC"


def _counted(number: float, unit: str) -> str:
    return f"{number:.0f} {unit}" + ("" if number == 1 else "s")

"""Warns if a program constructs an auth object for each request, because each object requests its own token."""

from __future__ import annotations

import warnings
from collections.abc import Hashable
from typing import Final

from doorkey.runtime.callers import program_stacklevel

MOST: Final = 64
"""The maximum number of different credentials that are counted. A further one replaces the oldest."""
OFTEN: Final = 20
"""The number of auth objects with equal credentials that causes the warning."""


class Repetitions:
    """Counts how often auth objects were constructed with equal credentials. It stores hashes, not credentials."""

    def __init__(self) -> None:
        self._counts: dict[int, int] = {}
        self._has_warned = False

    def note(self, credentials: Hashable) -> None:
        """Count one more auth object with `credentials`. Warn once in each process, at the `OFTEN`th object."""
        if self._has_warned:
            return
        key = hash(credentials)
        count = self._counts.pop(key, 0) + 1
        if len(self._counts) >= MOST:
            self._counts.pop(next(iter(self._counts), key), None)
        self._counts[key] = count
        if count >= OFTEN:
            self._has_warned = True
            warnings.warn(
                f"OAuth2Auth(credentials, …) was constructed {count} times with equal credentials, and each object "
                "requests a token of its own: construct it once and share it, or share a TokenSource",
                RuntimeWarning,
                stacklevel=program_stacklevel(),
            )


repetitions: Final = Repetitions()
"""The counts of this process."""

"""Warns of an auth object that is constructed for each request: each one requests a token of its own."""

from __future__ import annotations

import warnings
from collections.abc import Hashable
from typing import Final

from doorkey.runtime.callers import depth_of_ours

MOST: Final = 64
"""Different credentials that are counted; the oldest is forgotten for one more."""
OFTEN: Final = 20
"""Auth objects with equal credentials at which the warning is given."""


class Repetitions:
    """How often auth objects were constructed with equal credentials: a count for each hash, and no credentials."""

    def __init__(self) -> None:
        self._counts: dict[int, int] = {}
        self._has_warned = False

    def note(self, credentials: Hashable) -> None:
        """Count one more auth object with `credentials`, and warn at the `OFTEN`th: once in each process."""
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
                stacklevel=depth_of_ours(),
            )


repetitions: Final = Repetitions()
"""Of this process."""

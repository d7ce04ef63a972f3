"""A cache that stays within its budget: the least recently used entries go first, and idle ones after a while."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from doorkey.errors import UsageError
from doorkey.gate import reset_after_fork

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class BoundedCache(Generic[K, V]):
    """At most `entries` values, none unused for longer than `idle` seconds of `clock`; safe under threads."""

    def __init__(
        self, entries: int = 10_000, idle: float = 3600.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        if entries < 1 or idle <= 0:
            raise UsageError("a cache holds at least one entry, for some seconds")
        self._entries, self._idle, self._clock = entries, idle, clock
        self._values: OrderedDict[K, tuple[V, float]] = OrderedDict()
        self.reset_in_child()
        reset_after_fork(self)

    def reset_in_child(self) -> None:
        """Make a new lock: in a child of fork(), whoever held the old one is gone."""
        self._mutex = threading.Lock()

    def get(self, key: K, make: Callable[[], V]) -> V:
        """Return the value of `key`, made now by `make()` where there is none; `make` must not block."""
        now = self._clock()
        with self._mutex:
            self._shrink(now)  # first: a value that nobody used for too long is not used now either
            found = self._values.get(key)
            value = make() if found is None else found[0]
            self._values[key] = (value, now)
            self._values.move_to_end(key)
            self._shrink(now)
            return value

    def drop(self, key: K) -> None:
        """Forget `key`, if it is there."""
        with self._mutex:
            self._values.pop(key, None)

    def __len__(self) -> int:
        return len(self._values)

    def _shrink(self, now: float) -> None:
        while self._values:
            oldest = next(iter(self._values))
            if len(self._values) <= self._entries and now - self._values[oldest][1] <= self._idle:
                return
            del self._values[oldest]

"""A cache that stays within its budget: the least recently used entries go first, and idle ones after a while.

What must not be lost is pinned, and stays until it is not. What was dropped while it is still in use is found again
for as long as it lives, so that there are never two of one key, each renewing the same grant.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar
from weakref import WeakValueDictionary

from doorkey.arguments import count, seconds
from doorkey.errors import UsageError
from doorkey.runtime.clock import monotonic_time
from doorkey.runtime.forks import ForkSafeLock

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class BoundedCache(Generic[K, V]):
    """At most `entries` values, none unused for longer than `idle` seconds of `clock`; safe under threads.

    Values can be referred to weakly. Those that are pinned come on top. Raises `UsageError`, in which `names` are what
    its owner calls the two bounds, where they bound nothing.
    """

    def __init__(
        self,
        entries: int = 10_000,
        idle: float = 3600.0,
        clock: Callable[[], float] = monotonic_time,
        names: tuple[str, str] = ("entries", "idle"),
    ) -> None:
        count(entries, names[0])
        seconds(idle, names[1], least=0.001)
        self._entries, self._idle, self._clock = entries, idle, clock
        self._recent: OrderedDict[K, tuple[V, float]] = OrderedDict()  # the longest unused first
        self._pinned: dict[K, V] = {}
        self._all: WeakValueDictionary[K, V] = WeakValueDictionary()
        self._mutex = ForkSafeLock()

    def get(self, key: K, make: Callable[[], V]) -> V:
        """Return the value of `key`, made now by `make()` where there is none; `make` must not block."""
        with self._mutex:
            now = self._clock()
            self._evict(now)  # first: a value that was idle for too long is not used again
            value = self._all.get(key)
            if value is None:
                value = self._all.setdefault(key, make())  # a finalizer that runs here may have made it meanwhile
            self._recent[key] = value, now
            self._recent.move_to_end(key)
            if len(self._recent) > self._entries:
                self._recent.popitem(last=False)
        return value

    def get_pinned(self, key: K, make: Callable[[], V], spent: Callable[[V], bool], full: str) -> V:
        """Return the value of `key`, which stays until it is dropped.

        Where `entries` are pinned, those that are `spent` make room; raises `UsageError(full)` where none is.
        """
        with self._mutex:
            before = self._pinned  # what makes room is freed after the lock is
            value = before.get(key)
            if value is None:
                if len(before) >= self._entries:
                    self._pinned = {one: kept for one, kept in before.items() if not spent(kept)}
                    if len(self._pinned) >= self._entries:
                        raise UsageError(full)
                value = self._all.get(key)
                if value is None:
                    value = self._all[key] = make()
                self._pinned[key] = value
        return value

    def pin(self, key: K, stays: bool) -> None:
        """Keep the value of `key` while it `stays` pinned, beyond the bounds."""
        with self._mutex:
            value = self._all.get(key) if stays else self._pinned.pop(key, None)
            if stays and value is not None:
                self._pinned[key] = value

    def drop(self, key: K) -> None:
        """Forget `key`, if it is there."""
        with self._mutex:
            gone = self._recent.pop(key, None), self._pinned.pop(key, None), self._all.pop(key, None)
        del gone  # freed after the lock is, whatever its end sets off

    def __len__(self) -> int:
        return len(self._all)

    def _evict(self, now: float) -> None:
        """Drop the entries that are idle at `now`. A finalizer of it may use this cache: each drop leaves the cache
        consistent."""
        while self._recent:
            _, used = next(iter(self._recent.values()))
            if now - used <= self._idle:
                break
            self._recent.popitem(last=False)

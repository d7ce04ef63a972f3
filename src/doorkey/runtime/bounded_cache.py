"""A bounded cache: it evicts the least recently used entries, and entries that were idle for too long.

An entry that must not be lost is pinned, and stays until it is unpinned. An evicted value that is still in use can be
found again while it is alive. So there are never two values of one key, which would both renew the same grant.
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
    """A cache of values that support weak references. Thread-safe.

    entries: the maximum number of values, without the pinned ones; `get_pinned` has the same limit of its own.
    idle: seconds without use after which a value is evicted.
    clock: returns the time in seconds.
    names: the names of `entries` and `idle` in messages.

    Raises `UsageError` for a bound that is not a positive number.
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
        """Return the value of `key`. If there is none, `make()` creates it; `make` must not block."""
        with self._mutex:
            now = self._clock()
            self._evict(now)  # first, so that a value that was idle for too long is not used again
            value = self._all.get(key)
            if value is None:
                value = self._all.setdefault(key, make())  # a finalizer that runs here may have added one meanwhile
            self._recent[key] = value, now
            self._recent.move_to_end(key)
            if len(self._recent) > self._entries:
                self._recent.popitem(last=False)
        return value

    def get_pinned(self, key: K, make: Callable[[], V], spent: Callable[[V], bool], full: str) -> V:
        """Return the value of `key`, pinned until it is dropped. If there is none, `make()` creates it.

        If `entries` values are pinned, those for which `spent(value)` is true are unpinned. Raises `UsageError(full)`
        if there is still no room.
        """
        with self._mutex:
            before = self._pinned  # this reference frees unpinned values only after the lock is released
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
        """Pin the value of `key` if `stays`, in addition to the bounds, else unpin it."""
        with self._mutex:
            value = self._all.get(key) if stays else self._pinned.pop(key, None)
            if stays and value is not None:
                self._pinned[key] = value

    def drop(self, key: K) -> None:
        """Remove `key`, if it is in the cache."""
        with self._mutex:
            gone = self._recent.pop(key, None), self._pinned.pop(key, None), self._all.pop(key, None)
        del gone  # freed after the lock is released, because finalizers may run

    def __len__(self) -> int:
        return len(self._all)

    def _evict(self, now: float) -> None:
        """Evict the entries that are idle at `now`.

        A finalizer of a value may use this cache, so each eviction leaves the cache consistent.
        """
        while self._recent:
            _, used = next(iter(self._recent.values()))
            if now - used <= self._idle:
                break
            self._recent.popitem(last=False)

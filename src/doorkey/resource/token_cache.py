"""A cache of verified tokens, so that the next request with the same token needs no signature check.

Theory of operation. Every request makes a lookup, so the cache does not keep the order of use, and a hit in the young
generation takes no lock. There are two generations of entries. New entries go into the young generation. When it has
half of the maximum number of entries, it becomes the old generation, and the previous old generation is dropped. An
entry that is found in the old generation is added to the young generation.
"""

from __future__ import annotations

from typing import Generic, NamedTuple, TypeVar

from doorkey.arguments import count
from doorkey.runtime.forks import ForkSafeLock

__all__: list[str] = []

V = TypeVar("V")


class _Entry(NamedTuple, Generic[V]):
    value: V
    since: float
    until: float


class TokenCache(Generic[V]):
    """A cache of at most `entries` values by the hash of their token, each with its own expiry. Thread-safe."""

    def __init__(self, entries: int) -> None:
        self._half = count(entries, "cache_entries", least=2) // 2
        self._young: dict[bytes, _Entry[V]] = {}
        self._old: dict[bytes, _Entry[V]] = {}
        self._mutex = ForkSafeLock()

    def get(self, key: bytes, now: float) -> V | None:
        """Return the value of `key`, or None if it is missing or expired. A clock that was set back expires it too."""
        entry = self._young.get(key)
        is_old = entry is None
        if is_old:
            entry = self._old.get(key)
        if entry is None or not entry.since <= now < entry.until:
            return None
        if is_old:
            self._add(key, entry)
        return entry.value

    def put(self, key: bytes, value: V, now: float, until: float) -> None:
        """Cache `value` from `now` to `until`, in seconds since the epoch, unless `until` has passed."""
        if now < until:
            self._add(key, _Entry(value, now, until))

    def __len__(self) -> int:
        with self._mutex:
            return len(self._young.keys() | self._old.keys())

    def _add(self, key: bytes, entry: _Entry[V]) -> None:
        with self._mutex:
            if len(self._young) >= self._half and key not in self._young:
                self._young, self._old = {}, self._young
            self._young[key] = entry

"""Verified tokens, so that the next request with the same token costs no signature check.

Theory of operation. A lookup is on the path of every request, so it takes no lock and moves nothing: two generations of
entries replace the order of use. New entries go into the young generation. Once that is half of the bound, it becomes
the old one, and the old one is dropped. An entry that is found in the old generation moves to the young one.
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
    """At most `entries` values by the hash of their token, each for its own time; for any number of threads."""

    def __init__(self, entries: int) -> None:
        self._half = count(entries, "cache_entries", least=2) // 2
        self._young: dict[bytes, _Entry[V]] = {}
        self._old: dict[bytes, _Entry[V]] = {}
        self._mutex = ForkSafeLock()

    def get(self, key: bytes, now: float) -> V | None:
        """Return the value of `key`, unless its time is over. A clock that was set back ends it too."""
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
        """Keep `value` from `now` until then, in seconds since the epoch; not at all if that is over."""
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

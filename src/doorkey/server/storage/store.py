"""Where a server keeps its records: one small protocol, and a store in memory.

A record is a text under a kind and a key, until a moment. What the texts mean is `storage`'s business, so a
store is six short methods, and every promise of atomicity stands here.
"""

from __future__ import annotations

import threading
from typing import Protocol

SWEEP_EVERY = 512
"""So many writes make a store look for records that have expired."""


class Store(Protocol):
    """Records by kind and key. Times are POSIX seconds; an expired record is an absent one."""

    def get(self, kind: str, key: str, now: float) -> str | None:
        """Return the record, or None."""
        ...

    def put(self, kind: str, key: str, value: str, *, expires_at: float, now: float) -> None:
        """Write the record, whatever was there."""
        ...

    def add(self, kind: str, key: str, value: str, *, expires_at: float, now: float) -> bool:
        """Write the record if there is none, and say so; of several callers exactly one does."""
        ...

    def swap(self, kind: str, key: str, old: str, new: str, *, expires_at: float, now: float) -> bool:
        """Write `new` if the record is still `old`, and say so; of several callers exactly one does."""
        ...

    def remove(self, kind: str, key: str, now: float) -> bool:
        """Remove the record, and say whether there was one."""
        ...

    def close(self) -> None:
        """Let go of what the store holds open."""
        ...


class MemoryStore:
    """Records in this process, for as long as it lives. Safe to share between threads."""

    def __init__(self) -> None:
        self._records: dict[tuple[str, str], tuple[str, float]] = {}
        self._lock = threading.Lock()
        self._writes = 0

    def get(self, kind: str, key: str, now: float) -> str | None:
        """Return the record, or None."""
        with self._lock:
            return self._live(kind, key, now)

    def put(self, kind: str, key: str, value: str, *, expires_at: float, now: float) -> None:
        """Write the record, whatever was there."""
        with self._lock:
            self._write(kind, key, value, expires_at=expires_at, now=now)

    def add(self, kind: str, key: str, value: str, *, expires_at: float, now: float) -> bool:
        """Write the record if there is none, and say whether this call did."""
        with self._lock:
            if self._live(kind, key, now) is not None:
                return False
            self._write(kind, key, value, expires_at=expires_at, now=now)
            return True

    def swap(self, kind: str, key: str, old: str, new: str, *, expires_at: float, now: float) -> bool:
        """Write `new` if the record is still `old`, and say whether it was."""
        with self._lock:
            if self._live(kind, key, now) != old:
                return False
            self._write(kind, key, new, expires_at=expires_at, now=now)
            return True

    def remove(self, kind: str, key: str, now: float) -> bool:
        """Remove the record, and say whether there was one."""
        with self._lock:
            there = self._live(kind, key, now) is not None
            self._records.pop((kind, key), None)
            return there

    def close(self) -> None:
        """Do nothing: there is nothing open."""

    def _live(self, kind: str, key: str, now: float) -> str | None:
        value, expires_at = self._records.get((kind, key), (None, 0.0))
        return value if expires_at > now else None

    def _write(self, kind: str, key: str, value: str, *, expires_at: float, now: float) -> None:
        self._records[kind, key] = (value, expires_at)
        self._writes += 1
        if self._writes % SWEEP_EVERY == 0:
            self._records = {name: record for name, record in self._records.items() if record[1] > now}

"""The records of an authorization server: the protocol of a store, and a store in memory.

A record is a text under a kind and a key, with an expiry time. `storage.effects` and its neighbors define the format of
the texts. A store therefore has only seven short methods, and this protocol states every guarantee of atomicity.
"""

from __future__ import annotations

from typing import Protocol

from doorkey.runtime.forks import ForkSafeLock

SWEEP_EVERY = 512
"""Number of writes after which a store removes its expired records."""


class Records(Protocol):
    """Records by kind and key. Times are POSIX seconds; an expired record counts as absent."""

    def get(self, kind: str, key: str, now: float) -> str | None:
        """Return the record, or None."""
        ...

    def put(self, kind: str, key: str, value: str, *, expires_at: float, now: float) -> None:
        """Write the record, and replace an existing one."""
        ...

    def add(self, kind: str, key: str, value: str, *, expires_at: float, now: float) -> bool:
        """Write the record unless it exists. Exactly one of several concurrent callers gets True."""
        ...

    def swap(self, kind: str, key: str, old: str, new: str, *, expires_at: float, now: float) -> bool:
        """Replace `old` with `new` if the record is still `old`. Exactly one of several callers gets True."""
        ...

    def remove(self, kind: str, key: str, now: float) -> bool:
        """Remove the record. Return whether it existed."""
        ...

    def keys(self, kind: str, prefix: str, now: float) -> list[str]:
        """Return the keys of this kind that begin with `prefix`, sorted."""
        ...

    def close(self) -> None:
        """Release files and connections."""
        ...


class MemoryRecords:
    """Records in the memory of this process. Thread-safe."""

    def __init__(self) -> None:
        self._records: dict[tuple[str, str], tuple[str, float]] = {}
        self._lock = ForkSafeLock()
        self._writes = 0

    def get(self, kind: str, key: str, now: float) -> str | None:
        """Return the record, or None."""
        with self._lock:
            return self._live(kind, key, now)

    def put(self, kind: str, key: str, value: str, *, expires_at: float, now: float) -> None:
        """Write the record, and replace an existing one."""
        with self._lock:
            self._write(kind, key, value, expires_at=expires_at, now=now)

    def add(self, kind: str, key: str, value: str, *, expires_at: float, now: float) -> bool:
        """Write the record unless it exists. Return whether this call wrote it."""
        with self._lock:
            if self._live(kind, key, now) is not None:
                return False
            self._write(kind, key, value, expires_at=expires_at, now=now)
            return True

    def swap(self, kind: str, key: str, old: str, new: str, *, expires_at: float, now: float) -> bool:
        """Replace `old` with `new` if the record is still `old`. Return whether it was replaced."""
        with self._lock:
            if self._live(kind, key, now) != old:
                return False
            self._write(kind, key, new, expires_at=expires_at, now=now)
            return True

    def remove(self, kind: str, key: str, now: float) -> bool:
        """Remove the record. Return whether it existed."""
        with self._lock:
            there = self._live(kind, key, now) is not None
            self._records.pop((kind, key), None)
            return there

    def keys(self, kind: str, prefix: str, now: float) -> list[str]:
        """Return the keys of this kind that begin with `prefix`, sorted."""
        with self._lock:
            records = list(self._records.items())
        return sorted(
            key for (one, key), (_, until) in records if one == kind and until > now and key.startswith(prefix)
        )

    def close(self) -> None:
        """Do nothing, because this store has no open files or connections."""

    def _live(self, kind: str, key: str, now: float) -> str | None:
        value, expires_at = self._records.get((kind, key), (None, 0.0))
        return value if expires_at > now else None

    def _write(self, kind: str, key: str, value: str, *, expires_at: float, now: float) -> None:
        self._records[kind, key] = (value, expires_at)
        self._writes += 1
        if self._writes % SWEEP_EVERY == 0:
            self._records = {name: record for name, record in self._records.items() if record[1] > now}

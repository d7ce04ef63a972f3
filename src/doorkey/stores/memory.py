"""Stores in this process's memory: for one process, and for tests."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from doorkey.arguments import count, function, seconds
from doorkey.clock import monotonic_time
from doorkey.forks import after_fork
from doorkey.stores.arguments import KEPT, check_commit, check_lease, checked_key, checked_lease, new_owner
from doorkey.stores.protocol import Lease, Record
from doorkey.values import Unpickled

__all__ = ["AsyncMemoryStore", "MemoryStore"]


@dataclass(frozen=True, slots=True)
class _Entry:
    record: Record | None  # None: deleted, and only the version is remembered
    version: int
    used: float


class MemoryStore(Unpickled):
    """Keeps records in memory: at most `max_entries`, each for `max_age` seconds since its last use (None: for ever).

    What is over either bound is dropped, longest unused first: that grant is lost, so choose the bounds for the number
    of accounts. `clock` returns seconds and never goes backwards; leases expire by it as well. A forked child has the
    records of its parent, as they were.
    """

    def __init__(
        self,
        *,
        max_entries: int = 100_000,
        max_age: float | None = None,
        clock: Callable[[], float] = monotonic_time,
    ) -> None:
        count(max_entries, "max_entries")
        if max_age is not None:
            seconds(max_age, "max_age", least=0.001)
        function(clock, "clock is a callable that returns seconds")
        self._max_entries = max_entries
        self._max_age = max_age
        self._clock = clock
        self._entries: OrderedDict[str, _Entry] = OrderedDict()  # the longest unused first
        self._leases: OrderedDict[str, tuple[str, float]] = OrderedDict()  # owner and end
        self._sweep_leases_at = 1024
        self._forgotten = 0  # the highest version that was dropped: a key that returns begins above it
        self._renew_lock()
        after_fork(self, MemoryStore._renew_lock)

    def _renew_lock(self) -> None:
        self._lock = threading.Lock()

    def load(self, key: str) -> Record | None:
        """Return the record of `key`, or None."""
        checked_key(key)
        with self._lock:
            now = self._clock()
            entry = self._live(key, now)
            if entry is None or entry.record is None:
                return None
            self._keep(key, _Entry(entry.record, entry.version, now))
            return entry.record

    def try_lease(self, key: str, seconds: float) -> Lease | None:
        """Take the lease of `key` for `seconds` of the store's clock, or return None: somebody holds it."""
        checked_key(key)
        check_lease(seconds)
        with self._lock:
            now = self._clock()
            held = self._leases.get(key)
            if held is not None and held[1] > now:
                return None
            lease = Lease(key, new_owner())
            self._leases[key] = (lease.owner, now + seconds)
            self._drop_expired_leases(now)
            return lease

    def commit(self, key: str, data: bytes | None, *, expected: int) -> int:
        """Save `data`, or delete (None), if the version is still `expected`; the new version, or 0."""
        checked_key(key)
        check_commit(data, expected)
        with self._lock:
            now = self._clock()
            entry = self._live(key, now)
            current = entry.version if entry is not None and entry.record is not None else 0
            if current != expected:
                return 0
            version = (entry.version if entry is not None else self._forgotten) + 1
            self._keep(key, _Entry(None if data is None else Record(version, data), version, now))
            self._drop(now)
            return version

    def release(self, lease: Lease) -> None:
        """Give the lease back; nothing happens when it has expired."""
        checked_lease(lease)
        with self._lock:
            held = self._leases.get(lease.key)
            if held is not None and held[0] == lease.owner:
                del self._leases[lease.key]

    def close(self) -> None:
        """Forget everything."""
        with self._lock:
            self._entries.clear()
            self._leases.clear()

    def _live(self, key: str, now: float) -> _Entry | None:
        self._drop(now)
        return self._entries.get(key)

    def _keep(self, key: str, entry: _Entry) -> None:
        self._entries[key] = entry
        self._entries.move_to_end(key)

    def _drop(self, now: float) -> None:
        while self._entries:
            key, entry = next(iter(self._entries.items()))
            age = KEPT if entry.record is None else self._max_age
            if len(self._entries) <= self._max_entries and (age is None or now - entry.used < age):
                return
            del self._entries[key]
            self._forgotten = max(self._forgotten, entry.version)

    def _drop_expired_leases(self, now: float) -> None:
        if len(self._leases) < self._sweep_leases_at:
            return
        for key in [key for key, (_, end) in self._leases.items() if end <= now]:
            del self._leases[key]
        self._sweep_leases_at = max(1024, 2 * len(self._leases))  # so that sweeping costs each lease O(1)


class AsyncMemoryStore(Unpickled):
    """The same as `MemoryStore`, awaited; no call waits for anything, and any number of event loops may share it."""

    def __init__(
        self,
        *,
        max_entries: int = 100_000,
        max_age: float | None = None,
        clock: Callable[[], float] = monotonic_time,
    ) -> None:
        self._store = MemoryStore(max_entries=max_entries, max_age=max_age, clock=clock)

    async def load(self, key: str) -> Record | None:
        """Return the record of `key`, or None."""
        return self._store.load(key)

    async def try_lease(self, key: str, seconds: float) -> Lease | None:
        """Take the lease of `key` for `seconds` of the store's clock, or return None: somebody holds it."""
        return self._store.try_lease(key, seconds)

    async def commit(self, key: str, data: bytes | None, *, expected: int) -> int:
        """Save `data`, or delete (None), if the version is still `expected`; the new version, or 0."""
        return self._store.commit(key, data, expected=expected)

    async def release(self, lease: Lease) -> None:
        """Give the lease back; nothing happens when it has expired."""
        self._store.release(lease)

    async def close(self) -> None:
        """Forget everything."""
        self._store.close()

"""Stores in this process's memory: for one process, and for tests."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from doorkey import arguments
from doorkey.arguments import count, seconds
from doorkey.runtime.clock import monotonic_time
from doorkey.runtime.forks import ForkSafeLock
from doorkey.stores.limits import KEPT, check_commit, check_lease, checked_key, checked_lease, new_owner
from doorkey.stores.protocol import Lease, Record
from doorkey.values import NotPicklable

__all__ = ["AsyncMemoryStore", "MemoryStore"]


@dataclass(frozen=True, slots=True)
class _Entry:
    record: Record
    used: float


@dataclass(frozen=True, slots=True)
class _Deleted:
    version: int
    since: float


class MemoryStore(NotPicklable):
    """A store in this process's memory.

    max_entries: the largest number of records. The least recently used record is dropped first, and its grant is lost
        with it, so choose at least the number of accounts. The versions of as many deleted records are kept too.
    max_idle: seconds since its last use after which a record is dropped; None: never.
    clock: returns seconds and never goes backwards; leases expire by it too. None: `time.monotonic`.

    A forked child has a copy of its parent's records.
    """

    def __init__(
        self,
        *,
        max_entries: int = 100_000,
        max_idle: float | None = None,
        clock: Callable[[], float] | None = None,
    ) -> None:
        count(max_entries, "max_entries")
        if max_idle is not None:
            seconds(max_idle, "max_idle", least=0.001)
        clock = monotonic_time if clock is None else clock
        arguments.clock(clock, "clock must be a callable that returns seconds")
        self._max_entries = max_entries
        self._max_idle = max_idle
        self._clock = clock
        self._entries: OrderedDict[str, _Entry] = OrderedDict()  # the least recently used first
        self._deleted: OrderedDict[str, _Deleted] = OrderedDict()  # the earliest deletion first
        self._leases: OrderedDict[str, tuple[str, float]] = OrderedDict()  # owner and expiry
        self._sweep_leases_at = 1024
        self._forgotten = 0  # the highest dropped version: a key that is saved again starts above it
        self._lock = ForkSafeLock()

    def load(self, key: str) -> Record | None:
        """Return the record of `key`, or None."""
        checked_key(key)
        with self._lock:
            now = self._clock()
            self._drop(now)
            kept = self._entries.get(key)
            if kept is None:
                return None
            self._keep(key, kept.record, now)
            return kept.record

    def try_lease(self, key: str, seconds: float) -> Lease | None:
        """Acquire the lease of `key` for `seconds` of the store's clock; return None if another caller holds it."""
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
        """Save `data` as the record of `key`, or delete the record (None). See `StoreCalls.commit`."""
        checked_key(key)
        check_commit(data, expected)
        with self._lock:
            now = self._clock()
            self._drop(now)
            while (version := self._changed(key, data, expected, now)) is None:
                pass
            self._drop(now)
            return version

    def _changed(self, key: str, data: bytes | None, expected: int, now: float) -> int | None:
        """Change the record and return its new version, or return 0 if the current version is not `expected`.

        Returns None if a finalizer or a signal handler of this thread used the record meanwhile: the lock is reentrant.
        """
        entries, deletions = self._entries, self._deleted
        kept, deleted = entries.get(key), deletions.get(key)
        if (0 if kept is None else kept.record.version) != expected:
            return 0
        version = 1 + (expected or (deleted.version if deleted is not None else self._forgotten))
        new, gone = _Entry(Record(version, data or b""), now), _Deleted(version, now)
        # No call and no new object from here on, so that no other code runs in this thread.
        if (entries[key] if key in entries else None) is not kept:  # noqa: SIM401  # get() is a call
            return None
        if kept is not None:
            del entries[key]
        if data is None:
            deletions[key] = gone
        else:
            entries[key] = new
            if deleted is not None:
                del deletions[key]
        return version

    def release(self, lease: Lease) -> None:
        """Release a `lease`. An expired lease is ignored."""
        checked_lease(lease)
        with self._lock:
            held = self._leases.get(lease.key)
            if held is not None and held[0] == lease.owner:
                del self._leases[lease.key]

    def close(self) -> None:
        """Delete all records, versions and leases."""
        with self._lock:
            self._entries.clear()
            self._deleted.clear()
            self._leases.clear()

    def _keep(self, key: str, record: Record, now: float) -> None:
        self._entries[key] = _Entry(record, now)
        self._entries.move_to_end(key)

    def _drop(self, now: float) -> None:
        # A finalizer that commits may change the records between any two lines.
        while (oldest := next(iter(self._entries.items()), None)) is not None:
            key, kept = oldest
            idle = self._max_idle is not None and now - kept.used >= self._max_idle
            if len(self._entries) <= self._max_entries and not idle:
                break
            self._entries.pop(key, None)
            self._forgotten = max(self._forgotten, kept.record.version)
        while (gone := next(iter(self._deleted.items()), None)) is not None:
            key, deleted = gone
            if len(self._deleted) <= self._max_entries and now - deleted.since < KEPT:
                break
            self._deleted.pop(key, None)
            self._forgotten = max(self._forgotten, deleted.version)

    def _drop_expired_leases(self, now: float) -> None:
        if len(self._leases) < self._sweep_leases_at:
            return
        for key in [key for key, (_, end) in self._leases.items() if end <= now]:
            del self._leases[key]
        self._sweep_leases_at = max(1024, 2 * len(self._leases))  # so that sweeping costs each lease O(1)


class AsyncMemoryStore(NotPicklable):
    """The asynchronous `MemoryStore`. No call waits, and any number of event loops may share it.

    max_entries, max_idle, clock: as for `MemoryStore`.
    """

    def __init__(
        self,
        *,
        max_entries: int = 100_000,
        max_idle: float | None = None,
        clock: Callable[[], float] | None = None,
    ) -> None:
        self._store = MemoryStore(max_entries=max_entries, max_idle=max_idle, clock=clock)

    async def load(self, key: str) -> Record | None:
        """Return the record of `key`, or None."""
        return self._store.load(key)

    async def try_lease(self, key: str, seconds: float) -> Lease | None:
        """Acquire the lease of `key` for `seconds` of the store's clock; return None if another caller holds it."""
        return self._store.try_lease(key, seconds)

    async def commit(self, key: str, data: bytes | None, *, expected: int) -> int:
        """Save `data` as the record of `key`, or delete the record (None). See `StoreCalls.commit`."""
        return self._store.commit(key, data, expected=expected)

    async def release(self, lease: Lease) -> None:
        """Release a `lease`. An expired lease is ignored."""
        self._store.release(lease)

    async def close(self) -> None:
        """Delete all records, versions and leases."""
        self._store.close()

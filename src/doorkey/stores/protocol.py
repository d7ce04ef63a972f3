"""The contract of a token store: versioned records, and leases that choose the process that renews one.

Theory of operation. A record is bytes under a key with a version, and a commit is a compare-and-set on that version:
of all processes that read version 7, one makes version 8. A lease is advice, not permission. It keeps other processes
from requesting a token that one process is already requesting. It expires by the store's clock, so that a killed
process blocks the others for a short time only. An owner that outlived its lease still saves its new token, unless
another commit came first.

Versions do not start again when a record is deleted: a deletion is a commit as well. So a renewal that began before a
logout never overwrites the record of the next login. A store remembers the version of a deleted record for at least
a day.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NoReturn, Protocol, runtime_checkable

from doorkey.errors import UsageError

__all__ = ["AsyncStore", "AsyncStoreCalls", "Lease", "Record", "Store", "StoreCalls"]


@dataclass(frozen=True, slots=True)
class Record:
    """The record of a key.

    version: the number that the next commit must name. The first version of a key is 1, and every commit adds 1, also
        a commit that deletes.
    data: at most 1 MiB, opaque to the store.
    """

    version: int
    data: bytes

    def __repr__(self) -> str:
        return f"Record(version={self.version}, data=<{len(self.data)} bytes>)"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise UsageError("a record is not pickled, as it holds a token: commit it to a store")


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to renew the token of `key`; only the process that knows the random `owner` can release it."""

    key: str
    owner: str = field(repr=False)


@runtime_checkable
class StoreCalls(Protocol):
    """The four calls that a vault needs of a store. Any thread may make any call.

    A key is non-empty text of at most 1024 UTF-8 bytes without NUL. Every call raises `StoreError` when the store
    cannot be reached or used, `RecordError` when the file or the record is not one of doorkey's, and `UsageError` for
    wrong arguments.
    """

    def load(self, key: str) -> Record | None:
        """Return the record of `key`, or None when there is none.

        Raises `RecordError` for one that no `commit` wrote: of another type, with a version that is no whole number
        from 1 to 2**53 - 1, or with more than 1 MiB of data, which is not loaded.
        """
        ...

    def try_lease(self, key: str, seconds: float) -> Lease | None:
        """Take the lease of `key` for `seconds` (more than 0, at most 600); None if another caller holds it.

        Never waits for the holder. The key needs no record. The seconds pass on the store's clock, not the caller's. A
        lease that would end more than 1200 seconds from now has ended: the store's clock was set back.
        """
        ...

    def commit(self, key: str, data: bytes | None, *, expected: int) -> int:
        """Save or delete a record if its version is still `expected`. No lease is needed.

        key: the key of the record.
        data: the new data, at most 1 MiB; None deletes the record.
        expected: the version that was loaded; 0: there is no record, or `load` raises `RecordError` for it. Such a
            record is replaced by one of a high version.

        Returns the new version (never 0), or 0 if another commit came first; the record is unchanged then. After a
        `StoreError` the commit may have been made or not: `load` shows it, by version and data.
        """
        ...

    def release(self, lease: Lease) -> None:
        """Release the lease. An expired lease is ignored, also when another caller holds the next one."""
        ...


@runtime_checkable
class Store(StoreCalls, Protocol):
    """A store as `doorkey.stores` provides them: the four calls of a vault, and `close`."""

    def close(self) -> None:
        """Close the connections that the store opened itself. A later call opens them again."""
        ...


@runtime_checkable
class AsyncStoreCalls(Protocol):
    """The same as `StoreCalls`, awaited."""

    async def load(self, key: str) -> Record | None:
        """Return the record of `key`, or None when there is none."""
        ...

    async def try_lease(self, key: str, seconds: float) -> Lease | None:
        """Take the lease of `key` for `seconds`; None if another caller holds it. See `StoreCalls.try_lease`."""
        ...

    async def commit(self, key: str, data: bytes | None, *, expected: int) -> int:
        """Save or delete if the version is still `expected`; the new version, or 0. See `StoreCalls.commit`."""
        ...

    async def release(self, lease: Lease) -> None:
        """Release the lease; an expired lease is ignored."""
        ...


@runtime_checkable
class AsyncStore(AsyncStoreCalls, Protocol):
    """The same as `Store`, awaited."""

    async def close(self) -> None:
        """Close the connections that the store opened itself. A later call opens them again."""
        ...

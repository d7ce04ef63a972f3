"""What a store of tokens is: versioned records, and leases that say who renews one.

Theory of operation. A record is bytes under a key with a version, and a commit is a compare-and-set on that version:
of all who saw version 7, one makes version 8. A lease is advice, not permission. It keeps others from asking for a
token that somebody is already fetching; but it expires by the store's clock, so that a killed process blocks nobody
for long, and an owner that outlived its lease still saves the token it was given, if nobody was faster.

Versions do not start anew when a record is deleted: a deletion is a commit as well. So a renewal that began before a
logout never overwrites what the next login saved (a store forgets that there was a record after a day at the
earliest).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NoReturn, Protocol, runtime_checkable

from doorkey.errors import UsageError

__all__ = ["AsyncStore", "AsyncStoreCalls", "Lease", "Record", "Store", "StoreCalls"]


@dataclass(frozen=True, slots=True)
class Record:
    """What a store holds under a key: `data`, opaque to the store, and the `version` that a commit must name.

    A key's first version is 1 and every commit adds 1, also one that deletes.
    """

    version: int
    data: bytes

    def __repr__(self) -> str:
        return f"Record(version={self.version}, data=<{len(self.data)} bytes>)"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise UsageError("a record is not pickled, as it holds a token: commit it to a store")


@dataclass(frozen=True, slots=True)
class Lease:
    """Says that its holder renews `key`; `owner` is random, and what only the holder can release it by."""

    key: str
    owner: str = field(repr=False)


@runtime_checkable
class StoreCalls(Protocol):
    """Where tokens are kept for threads, processes and machines: all that a vault needs. Any thread may make any call.

    Keys are non-empty text of at most 1024 UTF-8 bytes without NUL. All raise `StoreError` when the store cannot be
    reached or used, `RecordError` when what is there is not a store of ours, and `UsageError` for wrong arguments.
    """

    def load(self, key: str) -> Record | None:
        """Return the record of `key`, or None when there is none.

        Raises `RecordError` for one that no `commit` wrote: of another type, with a version that is no whole number
        from 1 to 2**53 - 1, or with more than 1 MiB of data, which is not loaded.
        """
        ...

    def try_lease(self, key: str, seconds: float) -> Lease | None:
        """Take the lease of `key` for `seconds` (more than 0, at most 600), or return None: somebody holds it.

        Never waits for the holder. The key needs no record. The seconds pass on the store's clock, not the caller's;
        a lease that ends more than 600 seconds from now, as that clock was set back, is over.
        """
        ...

    def commit(self, key: str, data: bytes | None, *, expected: int) -> int:
        """Save `data` if the version is still `expected` (0: there is no record), or delete the record (None).

        `expected=0` also replaces a record for which `load` raises `RecordError`, by one of a high version.

        Returns the new version (never 0), or 0 when somebody else committed first: nothing was changed then. No lease
        is needed. After a `StoreError` it is open whether the commit was made; `load` tells, by version and data.
        `data` has at most 1 MiB.
        """
        ...

    def release(self, lease: Lease) -> None:
        """Give the lease back; nothing happens when it has expired, whoever holds the next one."""
        ...


@runtime_checkable
class Store(StoreCalls, Protocol):
    """A store as `doorkey.stores` has them: the four calls, and one that ends."""

    def close(self) -> None:
        """Close what the store opened itself, not what it was given. A later call opens it again."""
        ...


@runtime_checkable
class AsyncStoreCalls(Protocol):
    """The same as `StoreCalls`, awaited."""

    async def load(self, key: str) -> Record | None:
        """Return the record of `key`, or None when there is none."""
        ...

    async def try_lease(self, key: str, seconds: float) -> Lease | None:
        """Take the lease of `key` for `seconds`, or return None: somebody holds it. See `StoreCalls.try_lease`."""
        ...

    async def commit(self, key: str, data: bytes | None, *, expected: int) -> int:
        """Save or delete if the version is still `expected`; the new version, or 0. See `StoreCalls.commit`."""
        ...

    async def release(self, lease: Lease) -> None:
        """Give the lease back; nothing happens when it has expired."""
        ...


@runtime_checkable
class AsyncStore(AsyncStoreCalls, Protocol):
    """The same as `Store`, awaited."""

    async def close(self) -> None:
        """Close what the store opened itself, not what it was given. A later call opens it again."""
        ...

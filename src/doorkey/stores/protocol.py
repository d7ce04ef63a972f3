"""The contract of a token store: versioned records, and leases that choose the process that renews a token.

Theory of operation. A record is bytes under a key with a version, and a commit is a compare-and-set on that version:
of all processes that read version 7, one makes version 8. A lease is advice, not permission. It keeps other processes
from requesting a token that one process is already requesting. It expires by the store's clock, so that a killed
process blocks the others for a short time only. An owner that outlived its lease still saves its new token, unless
another commit came first.

A deletion is a commit as well, so versions do not start again after it. Therefore a renewal that began before a logout
never overwrites the record of the next login. A store remembers the version of a deleted record for at least a day.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NoReturn, Protocol, runtime_checkable

from doorkey.errors import UsageError

__all__ = ["AsyncStore", "AsyncStoreCalls", "Lease", "Record", "Store", "StoreCalls"]


@dataclass(frozen=True, slots=True)
class Record:
    """The record of a key.

    version: the number that the next commit must pass as `expected`. The first version of a key is 1, and every commit
        adds 1, including a commit that deletes the record.
    data: bytes that only the caller interprets, at most 1 MiB.
    """

    version: int
    data: bytes

    def __repr__(self) -> str:
        return f"Record(version={self.version}, data=<{len(self.data)} bytes>)"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise UsageError("a record is not pickled, as it holds a token: commit it to a store")


@dataclass(frozen=True, slots=True)
class Lease:
    """The lease of a key, as `try_lease` returns it.

    key: the key.
    owner: random text that identifies the holder; only a caller that has it can release the lease.
    """

    key: str
    owner: str = field(repr=False)


@runtime_checkable
class StoreCalls(Protocol):
    """The four calls of a store that a vault uses. Any thread may make any call.

    A key is non-empty text of at most 1024 UTF-8 bytes without NUL. Every call raises `StoreError` if the store cannot
    be reached or used, `RecordError` if the file or the record was not written by doorkey, and `UsageError` for invalid
    arguments.
    """

    def load(self, key: str) -> Record | None:
        """Return the record of `key`, or None if there is no record.

        Raises `RecordError` for a record that no `commit` wrote: its type is wrong, its version is not an integer from
        1 to 2**53 - 1, or its data is larger than 1 MiB. Such data is not loaded.
        """
        ...

    def try_lease(self, key: str, seconds: float) -> Lease | None:
        """Acquire the lease of `key`, and return it, or None if another caller holds it. Never waits for the holder.

        key: the key, which needs no record.
        seconds: the duration of the lease on the store's clock, not the caller's: more than 0, at most 600.

        A lease that ends more than 1200 seconds from now counts as expired, because the store's clock was set back.
        """
        ...

    def commit(self, key: str, data: bytes | None, *, expected: int) -> int:
        """Save or delete a record if its version is still `expected`. No lease is needed.

        key: the key of the record.
        data: the new data, at most 1 MiB; None deletes the record.
        expected: the version that was loaded; 0 if there is no record, or if `load` raises `RecordError` for it. Such
            a record is replaced, and the new version is a high number.

        Returns the new version (never 0), or 0 if another commit came first; the record is unchanged then. After a
        `StoreError`, the commit may or may not have been made. The version and data that `load` returns show which.
        """
        ...

    def release(self, lease: Lease) -> None:
        """Release a `lease`. An expired lease is ignored, even if another caller holds the next lease of its key."""
        ...


@runtime_checkable
class Store(StoreCalls, Protocol):
    """The calls of the stores in `doorkey.stores`: the four that a vault uses, and `close`."""

    def close(self) -> None:
        """Close the connections that the store opened itself. A later call opens them again."""
        ...


@runtime_checkable
class AsyncStoreCalls(Protocol):
    """The asynchronous version of `StoreCalls`."""

    async def load(self, key: str) -> Record | None:
        """Return the record of `key`, or None if there is no record. See `StoreCalls.load`."""
        ...

    async def try_lease(self, key: str, seconds: float) -> Lease | None:
        """Acquire the lease of `key` for `seconds`, or return None. See `StoreCalls.try_lease`."""
        ...

    async def commit(self, key: str, data: bytes | None, *, expected: int) -> int:
        """Save or delete a record if its version is still `expected`. See `StoreCalls.commit`."""
        ...

    async def release(self, lease: Lease) -> None:
        """Release a `lease`. An expired lease is ignored."""
        ...


@runtime_checkable
class AsyncStore(AsyncStoreCalls, Protocol):
    """The asynchronous version of `Store`."""

    async def close(self) -> None:
        """Close the connections that the store opened itself. A later call opens them again."""
        ...

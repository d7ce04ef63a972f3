"""A store in an SQLite file: for programs, command lines, and the processes of one machine."""

from __future__ import annotations

import itertools
import os
import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from doorkey.arguments import encodable, seconds
from doorkey.errors import UsageError
from doorkey.stores.limits import (
    KEPT,
    MAX_DATA,
    MAX_TIMEOUT,
    MAX_VERSION,
    SWEEP_EVERY,
    TOO_LATE,
    check_commit,
    check_lease,
    checked_key,
    checked_lease,
    checked_record,
    new_owner,
    new_version,
)
from doorkey.stores.private_file import resolved
from doorkey.stores.protocol import Lease, Record
from doorkey.stores.sqlite_connection import Connection
from doorkey.values import NotPicklable

__all__ = ["AsyncSQLiteStore", "SQLiteStore"]

# SQLite's own clock, in seconds since the epoch: the same for all processes
_NOW = "((julianday('now') - 2440587.5) * 86400.0)"
# An invalid record was planted or is damaged. It is not loaded, and the next save replaces it
_VALID = f"""typeof(version) = 'integer' AND version BETWEEN 1 AND {MAX_VERSION}
    AND typeof(data) = 'blob' AND length(data) <= {MAX_DATA}"""
_LOAD = f"""SELECT CASE WHEN {_VALID} THEN version END, CASE WHEN {_VALID} THEN data END FROM record
    WHERE key = ? AND data IS NOT NULL"""  # noqa: S608  # only constants of this module
_LEASE = f"""INSERT INTO record (key, version, owner, leased_until, gone_at)
    VALUES (:key, 0, :owner, {_NOW} + :seconds, {_NOW})
    ON CONFLICT (key) DO UPDATE SET owner = excluded.owner, leased_until = excluded.leased_until
    WHERE leased_until <= {_NOW} OR leased_until > {_NOW} + {TOO_LATE}"""  # noqa: S608
_RELEASE = "UPDATE record SET owner = '', leased_until = 0 WHERE key = ? AND owner = ?"
_FIRST = f"""INSERT INTO record (key, version, data) VALUES (:key, 1, :data)
    ON CONFLICT (key) DO UPDATE SET data = excluded.data, gone_at = NULL, version = CASE
        WHEN data IS NULL AND typeof(version) = 'integer' AND version BETWEEN 0 AND {MAX_VERSION - 1} THEN version + 1
        ELSE :new_version END
    WHERE data IS NULL OR NOT ({_VALID})"""  # noqa: S608
_NEXT = """UPDATE record SET version = version + 1, data = :data
    WHERE key = :key AND version = :expected AND data IS NOT NULL"""
_DELETE = f"""UPDATE record SET version = version + 1, data = NULL, gone_at = {_NOW}
    WHERE key = :key AND version = :expected AND data IS NOT NULL"""  # noqa: S608
_SWEEP = f"DELETE FROM record WHERE gone_at < {_NOW} - {KEPT} AND leased_until < {_NOW}"  # noqa: S608


class SQLiteStore(NotPicklable):
    """A store in an SQLite file, for the threads and processes of one machine (not over a network file system).

    path: the file, which is created with mode 0600 if it is missing. No other user may have write access to its
        directory.
    timeout: seconds that a call waits for another connection's write.

    Raises `UsageError` if the file, or a file of SQLite beside it, is a symbolic link, belongs to another user or can
    be accessed by its group or others, and for a directory that other users can write to. Raises `RecordError` for a
    file that is not a store of doorkey, is damaged, or was written by a newer version; the file is left unchanged.
    Raises `StoreError` for a file that cannot be used, for instance because it is locked.
    """

    def __init__(self, path: str | os.PathLike[str], *, timeout: float = 5.0) -> None:
        given: object = path
        name: object = os.fspath(path) if isinstance(given, str | os.PathLike) else None
        if not isinstance(name, str) or name in ("", ":memory:") or "\0" in name:
            raise UsageError("an SQLite store needs a file's path; MemoryStore keeps records in memory")
        if not encodable(name):
            raise UsageError("an SQLite store's path has a lone surrogate, which no file name can hold")
        seconds(timeout, "timeout", most=MAX_TIMEOUT)
        self._connection = Connection(resolved(name), timeout)
        self._creations = itertools.count(1)
        self._check_file()

    def _check_file(self) -> None:
        with self._connection.used():
            pass

    def load(self, key: str) -> Record | None:
        """Return the record of `key`, or None."""
        checked_key(key)
        with self._connection.used() as db:
            row = db.execute(_LOAD, (key,)).fetchone()
        return None if row is None else checked_record(*row)

    def try_lease(self, key: str, seconds: float) -> Lease | None:
        """Acquire the lease of `key` for `seconds` of the machine's clock; return None if another caller holds it."""
        checked_key(key)
        check_lease(seconds)
        lease = Lease(key, new_owner())
        with self._connection.used() as db:
            taken = db.execute(_LEASE, {"key": key, "owner": lease.owner, "seconds": seconds})
            return lease if taken.rowcount == 1 else None

    def commit(self, key: str, data: bytes | None, *, expected: int) -> int:
        """Save `data` as the record of `key`, or delete the record (None). See `StoreCalls.commit`.

        When this returns, a saved record is on the disk, and no file of the store contains a deleted record.
        """
        checked_key(key)
        check_commit(data, expected)
        values: dict[str, object] = {"key": key, "data": data, "expected": expected}
        with self._connection.used() as db:
            with _durable(db):
                version = self._committed(db, values)
            self._connection.empty_log(db, deleted=data is None and version > 0)
        return version

    def release(self, lease: Lease) -> None:
        """Release a `lease`. An expired lease is ignored."""
        held = checked_lease(lease)
        with self._connection.used() as db:
            db.execute(_RELEASE, (held.key, held.owner))

    def close(self) -> None:
        """Close the file. The next call opens it again."""
        self._connection.close()

    def _committed(self, db: sqlite3.Connection, values: dict[str, Any]) -> int:
        if values["expected"] == 0:
            return self._first(db, values)
        changed = db.execute(_DELETE if values["data"] is None else _NEXT, values).rowcount
        version: int = values["expected"] + 1
        return version if changed == 1 else 0

    def _first(self, db: sqlite3.Connection, values: dict[str, object]) -> int:
        db.execute("BEGIN IMMEDIATE")  # the version is read in the same transaction
        try:
            changed = db.execute(_FIRST, {**values, "new_version": new_version()}).rowcount
            version = db.execute("SELECT version FROM record WHERE key = :key", values).fetchone()[0]
            if next(self._creations) % SWEEP_EVERY == 0:
                db.execute(_SWEEP)
            db.execute("COMMIT")
        except BaseException:
            if db.in_transaction:
                db.execute("ROLLBACK")
            raise
        return int(version) if changed == 1 else 0


@contextmanager
def _durable(db: sqlite3.Connection) -> Generator[None]:
    db.execute("PRAGMA synchronous = FULL")
    try:
        yield
    finally:
        db.execute("PRAGMA synchronous = NORMAL")


class _Unopened(SQLiteStore):
    def _check_file(self) -> None:
        """Do nothing: the first call opens the file, in a worker thread."""


class AsyncSQLiteStore(NotPicklable):
    """The asynchronous `SQLiteStore`, on asyncio and trio. Worker threads use the file.

    path, timeout: as for `SQLiteStore`.

    It needs anyio, which `doorkey[sqlite]` installs; without it, it raises `UsageError`. The first call opens the file,
    and raises the errors of the constructor of `SQLiteStore`.
    """

    def __init__(self, path: str | os.PathLike[str], *, timeout: float = 5.0) -> None:
        try:
            from anyio.to_thread import run_sync
        except ModuleNotFoundError:
            raise UsageError(
                "AsyncSQLiteStore needs anyio, which is not installed: pip install 'doorkey[sqlite]'"
            ) from None
        self._run = run_sync
        self._store = _Unopened(path, timeout=timeout)

    async def load(self, key: str) -> Record | None:
        """Return the record of `key`, or None."""
        return await self._run(self._store.load, key)

    async def try_lease(self, key: str, seconds: float) -> Lease | None:
        """Acquire the lease of `key` for `seconds` of the machine's clock; return None if another caller holds it."""
        return await self._run(self._store.try_lease, key, seconds)

    async def commit(self, key: str, data: bytes | None, *, expected: int) -> int:
        """Save `data` as the record of `key`, or delete the record (None). See `StoreCalls.commit`."""
        return await self._run(lambda: self._store.commit(key, data, expected=expected))

    async def release(self, lease: Lease) -> None:
        """Release a `lease`. An expired lease is ignored."""
        await self._run(self._store.release, lease)

    async def close(self) -> None:
        """Close the file. The next call opens it again."""
        await self._run(self._store.close)

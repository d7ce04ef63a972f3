"""A store in an SQLite file: what the server knew is still known after a restart.

The file holds the realm's private keys and live sessions in the clear, so it is its owner's alone: mode 0600,
no symbolic link, no other owner, and never a file that is something else. `doorkey.stores.private_file` is the policy.

It has a write-ahead log, so that a reader does not block a writer. A file of an older doorkey has none, and gets one
when it is opened, unless another process uses it just then.
"""

from __future__ import annotations

import os
import sqlite3
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress

from doorkey.errors import StoreError, UsageError
from doorkey.runtime.forks import ForkSafeLock
from doorkey.server.storage.records import SWEEP_EVERY
from doorkey.stores.private_file import resolved
from doorkey.stores.sqlite_file import open_private, truncate_log

APPLICATION_ID = 0x646B6579  # "dkey": distinguishes our files from those of other programs
_LIVE = "SELECT value FROM record WHERE kind = ? AND key = ? AND expires_at > ?"
_KEYS = "SELECT key FROM record WHERE kind = ? AND key >= ? AND key < ? AND expires_at > ? ORDER BY key"
_WRITE = "INSERT OR REPLACE INTO record (kind, key, value, expires_at) VALUES (?, ?, ?, ?)"
_TABLES = f"""
PRAGMA application_id = {APPLICATION_ID};
PRAGMA journal_mode = WAL;
CREATE TABLE record (
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    expires_at REAL NOT NULL,
    PRIMARY KEY (kind, key)
) WITHOUT ROWID;
"""


class SQLiteRecords:
    """Records in the file at `path`, which is made if need be. Safe between threads, and between processes.

    A call waits `timeout` seconds for another process that writes, and raises `StoreError` then.

    Raises `UsageError` if the file is a symbolic link, another user's, open to others, or not one of ours, and
    `StoreError` or `RecordError` if it cannot be reached or only its journal is left; it is then left as it is.
    """

    def __init__(self, path: str | os.PathLike[str], *, timeout: float = 5.0) -> None:
        self._path = resolved(path)
        self._lock = ForkSafeLock()
        self._writes = 0
        try:
            self._db, _ = open_private(self._path, _TABLES, self._check_ours, timeout=timeout)
        except sqlite3.Error as error:
            raise UsageError(f"the store at {self._path} cannot be opened") from error

    def get(self, kind: str, key: str, now: float) -> str | None:
        """Return the record, or None."""
        with self._transaction():
            return self._live(kind, key, now)

    def put(self, kind: str, key: str, value: str, *, expires_at: float, now: float) -> None:
        """Write the record, and replace an earlier one."""
        with self._transaction("IMMEDIATE"):
            self._write(kind, key, value, expires_at=expires_at, now=now)

    def add(self, kind: str, key: str, value: str, *, expires_at: float, now: float) -> bool:
        """Write the record if there is none. Return whether this call wrote it."""
        with self._transaction("IMMEDIATE"):
            if self._live(kind, key, now) is not None:
                return False
            self._write(kind, key, value, expires_at=expires_at, now=now)
            return True

    def swap(self, kind: str, key: str, old: str, new: str, *, expires_at: float, now: float) -> bool:
        """Replace `old` by `new` if the record is still `old`. Return whether it was."""
        with self._transaction("IMMEDIATE"):
            if self._live(kind, key, now) != old:
                return False
            self._write(kind, key, new, expires_at=expires_at, now=now)
            return True

    def remove(self, kind: str, key: str, now: float) -> bool:
        """Remove the record. Return whether there was one."""
        with self._transaction("IMMEDIATE"):
            there = self._live(kind, key, now) is not None
            self._db.execute("DELETE FROM record WHERE kind = ? AND key = ?", (kind, key))
            return there

    def keys(self, kind: str, prefix: str, now: float) -> list[str]:
        """Return the keys of this kind that begin with `prefix`, in order."""
        with self._transaction():
            rows = self._db.execute(_KEYS, (kind, prefix, prefix + chr(sys.maxunicode), now)).fetchall()
        return [str(key) for (key,) in rows]

    def close(self) -> None:
        """Close the file, with nothing in its log that was deleted."""
        with self._lock:
            truncate_log(self._db, 0)
            self._db.close()

    def _check_ours(self, db: sqlite3.Connection) -> None:
        try:
            found = db.execute("PRAGMA application_id").fetchone()[0]
            tables = {row[0] for row in db.execute("SELECT name FROM sqlite_master")}
        except sqlite3.Error as error:
            raise UsageError(f"{self._path} is not a doorkey store; it was left as it is") from error
        if found != APPLICATION_ID or "record" not in tables:
            raise UsageError(f"{self._path} is a database, but not one of doorkey's; it was left as it is")
        with suppress(
            sqlite3.OperationalError
        ):  # another process uses a file that has no log yet: it works without one
            db.execute("PRAGMA journal_mode = WAL")

    @contextmanager
    def _transaction(self, kind: str = "DEFERRED") -> Generator[None]:
        with self._lock:
            try:
                self._db.execute(f"BEGIN {kind}")
                try:
                    yield
                    self._db.execute("COMMIT")
                finally:
                    # Also where the commit failed: it leaves the transaction open when it finds the file in use.
                    if self._db.in_transaction:
                        self._db.execute("ROLLBACK")
            except sqlite3.Error as error:
                name = getattr(error, "sqlite_errorname", type(error).__name__)
                # A finalizer or signal handler may call while this thread is in a transaction: it may try again later.
                busy = name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")) or self._interrupted()
                raise StoreError(f"the store at {self._path} does not answer ({name})", retryable=busy) from error

    def _interrupted(self) -> bool:
        try:
            return self._db.in_transaction
        except sqlite3.Error:  # closed
            return False

    def _live(self, kind: str, key: str, now: float) -> str | None:
        row = self._db.execute(_LIVE, (kind, key, now)).fetchone()
        return None if row is None else str(row[0])

    def _write(self, kind: str, key: str, value: str, *, expires_at: float, now: float) -> None:
        self._db.execute(_WRITE, (kind, key, value, expires_at))
        self._writes += 1
        if self._writes % SWEEP_EVERY == 0:
            self._db.execute("DELETE FROM record WHERE expires_at <= ?", (now,))

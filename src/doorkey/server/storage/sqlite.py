"""A store in an SQLite file: its records survive a restart of the server.

The file contains the private keys and live sessions of each realm, not encrypted. So only its owner may read it (mode
0600). A symbolic link, a file of another owner, and a file of another program are refused.
`doorkey.stores.private_file` defines this policy.

The file uses a write-ahead log, so that a reader does not block a writer. A file of an older doorkey version has no
such log. It gets one when it is opened, unless another process uses it at that moment.
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
    """Records in an SQLite file. Safe between threads and between processes.

    path: the path of the file, which is created if it does not exist.
    timeout: seconds that a call waits for another process that writes; then it raises `StoreError`.

    Raises `UsageError` if the file is a symbolic link, belongs to another user, is open to others, or is not a store of
    doorkey. Raises `StoreError` or `RecordError` if the file cannot be reached, or if only its journal is left. The
    file is not changed then.
    """

    def __init__(self, path: str | os.PathLike[str], *, timeout: float = 5.0) -> None:
        self._path = resolved(path)
        self._lock = ForkSafeLock()
        self._writes = 0
        try:
            self._db, _ = open_private(self._path, _TABLES, self._check_format, timeout=timeout)
        except sqlite3.Error as error:
            raise UsageError(f"the store at {self._path} cannot be opened") from error

    def get(self, kind: str, key: str, now: float) -> str | None:
        """Return the record, or None."""
        with self._transaction():
            return self._live(kind, key, now)

    def put(self, kind: str, key: str, value: str, *, expires_at: float, now: float) -> None:
        """Write the record, and replace an existing one."""
        with self._transaction("IMMEDIATE"):
            self._write(kind, key, value, expires_at=expires_at, now=now)

    def add(self, kind: str, key: str, value: str, *, expires_at: float, now: float) -> bool:
        """Write the record unless it exists. Return whether this call wrote it."""
        with self._transaction("IMMEDIATE"):
            if self._live(kind, key, now) is not None:
                return False
            self._write(kind, key, value, expires_at=expires_at, now=now)
            return True

    def swap(self, kind: str, key: str, old: str, new: str, *, expires_at: float, now: float) -> bool:
        """Replace `old` with `new` if the record is still `old`. Return whether it was replaced."""
        with self._transaction("IMMEDIATE"):
            if self._live(kind, key, now) != old:
                return False
            self._write(kind, key, new, expires_at=expires_at, now=now)
            return True

    def remove(self, kind: str, key: str, now: float) -> bool:
        """Remove the record. Return whether it existed."""
        with self._transaction("IMMEDIATE"):
            there = self._live(kind, key, now) is not None
            self._db.execute("DELETE FROM record WHERE kind = ? AND key = ?", (kind, key))
            return there

    def keys(self, kind: str, prefix: str, now: float) -> list[str]:
        """Return the keys of this kind that begin with `prefix`, sorted."""
        with self._transaction():
            rows = self._db.execute(_KEYS, (kind, prefix, prefix + chr(sys.maxunicode), now)).fetchall()
        return [str(key) for (key,) in rows]

    def close(self) -> None:
        """Close the file, after its log has been truncated, so that the log contains no deleted records."""
        with self._lock:
            truncate_log(self._db, 0)
            self._db.close()

    def _check_format(self, db: sqlite3.Connection) -> None:
        try:
            found = db.execute("PRAGMA application_id").fetchone()[0]
            tables = {row[0] for row in db.execute("SELECT name FROM sqlite_master")}
        except sqlite3.Error as error:
            raise UsageError(f"{self._path} is not a doorkey store; it was left as it is") from error
        if found != APPLICATION_ID or "record" not in tables:
            raise UsageError(f"{self._path} is a database, but not one of doorkey's; it was left as it is")
        # This fails if another process uses a file that has no write-ahead log yet. The store works without one.
        with suppress(sqlite3.OperationalError):
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
                    # Also after a failed commit, which leaves the transaction open if the file is in use.
                    if self._db.in_transaction:
                        self._db.execute("ROLLBACK")
            except sqlite3.Error as error:
                name = getattr(error, "sqlite_errorname", type(error).__name__)
                # Also retryable if a finalizer or signal handler was called within a transaction of this thread.
                busy = name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")) or self._interrupted()
                raise StoreError(f"the store at {self._path} cannot be used ({name})", retryable=busy) from error

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

"""One connection to a store's file: shared by threads, closed before a fork, reopened when the file was replaced.

Theory of operation. SQLite forbids the use of a connection in the child of a fork, and closing it there may harm the
parent. So the forking thread waits until the connection is idle and closes it; parent and child open connections of
their own when they next need one. Before each use, the connection checks whether the file was deleted or replaced,
because writes to the deleted file would be lost.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from doorkey.errors import OAuthError, RecordError, StoreError
from doorkey.runtime.forks import ForkSafeLock, around_fork
from doorkey.stores.private_file import Identity, identity
from doorkey.stores.sqlite_file import TABLES, check_format, open_private, truncate_log
from doorkey.values import without_frames

__all__: list[str] = []


class Connection:
    """The connection to the store at `path`. It waits for another process's write for `timeout` seconds."""

    def __init__(self, path: Path, timeout: float) -> None:
        self._path = path
        self._timeout = timeout
        self._lock = ForkSafeLock()
        self._in_use = self._to_be_closed = False
        self._db: sqlite3.Connection | None = None
        self._file: Identity | None = None
        self._log_holds_deleted = False
        around_fork(self, Connection._before_fork, Connection._after_fork)

    @contextmanager
    def used(self) -> Generator[sqlite3.Connection]:
        """Lend the connection to this thread alone. Raises `StoreError` or `RecordError` for an error of SQLite.

        Raises `StoreError` at once in a finalizer or a signal handler that runs while its own thread uses the
        connection, because its statement would become part of the open transaction.
        """
        with self._lock:
            if self._in_use:
                raise StoreError(
                    f"the store at {self._path} is in use by this thread further up its stack (this call comes from a "
                    "finalizer or a signal handler): call it from another thread",
                    retryable=True,
                )
            self._in_use = True
            try:
                yield self._opened()
            except sqlite3.Error as error:
                raise self._store_error(error) from without_frames(error)
            finally:
                self._in_use = False
                if self._to_be_closed:
                    self.close()

    def empty_log(self, db: sqlite3.Connection, *, deleted: bool) -> None:
        """Remove a record that was `deleted` from the log: now, or else after a later commit, or at `close`.

        If another connection is reading, the log cannot be emptied. After a deletion, this waits for that connection
        for at most the timeout; after a later commit, it does not wait.
        """
        if deleted or self._log_holds_deleted:
            self._log_holds_deleted = not truncate_log(db, self._timeout if deleted else 0)

    def close(self) -> None:
        """Empty the log and close the connection. The next use opens it again.

        If a finalizer or a signal handler calls this while its own thread uses the connection, it is closed afterwards.
        """
        with self._lock:
            self._to_be_closed = self._in_use
            if self._in_use:
                return
            if self._db is not None:
                truncate_log(self._db, self._timeout)
            self._close()

    def _close(self) -> None:
        if self._db is not None:
            db, self._db = self._db, None
            db.close()

    def _opened(self) -> sqlite3.Connection:
        if self._db is not None and identity(self._path) == self._file:
            return self._db
        self._close()
        db, file = open_private(self._path, TABLES, lambda db: check_format(db, self._path), timeout=self._timeout)
        try:
            db.execute("PRAGMA synchronous = NORMAL")  # enough for leases; the commit of a record uses FULL
        except BaseException:
            db.close()
            raise
        self._db, self._file = db, file
        return db

    def _store_error(self, error: sqlite3.Error) -> OAuthError:
        code = getattr(error, "sqlite_errorcode", None)
        primary = code & 0xFF if isinstance(code, int) else None
        if primary in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            return RecordError(f"file {self._path} is damaged or not an SQLite database; it was left as it is")
        name = getattr(error, "sqlite_errorname", type(error).__name__)
        busy = primary in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
        return StoreError(f"the store at {self._path} cannot be used ({name})", retryable=busy)

    def _before_fork(self) -> None:
        self._lock.acquire()
        with suppress(sqlite3.Error):  # even if that fails, the connection is not used again
            self._close()

    def _after_fork(self) -> None:
        self._lock.release()

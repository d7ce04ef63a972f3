"""The store of tokens in a directory that cannot be written to: a read-only mount, or another user's permissions.

Theory of operation. SQLite creates files beside a database that has a write-ahead log, even to read it. So a database
whose log is empty is opened as `immutable`, which needs no other file. If the log has content, the log's index file
must exist too. Even if the file changes meanwhile, no wrong token is returned: records are sealed, so a record that was
changed or damaged raises an error.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Never

from doorkey.errors import StoreError
from doorkey.stores import SQLiteStore
from doorkey.stores.private_file import check_companions, check_directory, check_opened, companion, identity
from doorkey.stores.protocol import Lease
from doorkey.stores.sqlite_connection import Connection
from doorkey.stores.sqlite_file import check_format

__all__: list[str] = []


def is_read_only(path: Path) -> bool:
    """Return whether the store at `path` exists, and this process cannot write to it or to its directory."""
    return path.exists() and not (os.access(path, os.W_OK) and os.access(path.parent, os.W_OK | os.X_OK))


class ReadOnlyStore(SQLiteStore):
    """The store at `path`, of which only `load` works. It creates no file. Raises the errors of `SQLiteStore`."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._directory = path.parent
        self._connection = _ReadOnlyConnection(self._connection._path, self._connection._timeout)
        super()._check_file()

    def _check_file(self) -> None:
        """Do nothing. `__init__` opens the file after it has replaced the connection by a read-only one."""

    def try_lease(self, key: str, seconds: float) -> Lease | None:
        """Raise `StoreError`, because a renewed token could not be saved."""
        self._refuse()

    def commit(self, key: str, data: bytes | None, *, expected: int) -> int:
        """Raise `StoreError`."""
        self._refuse()

    def release(self, lease: Lease) -> None:
        """Raise `StoreError`."""
        self._refuse()

    def _refuse(self) -> Never:
        raise StoreError(
            f"{self._directory} cannot be written to, so no account can be changed and no token renewed: make it "
            "writable, or name another directory in DOORKEY_HOME"
        )


class _ReadOnlyConnection(Connection):
    """A read-only connection to the store."""

    def _opened(self) -> sqlite3.Connection:
        if self._db is None or identity(self._path) != self._file:
            self._close()
            self._open()
        assert self._db is not None, "it was opened"
        return self._db

    def _open(self) -> None:
        check_directory(self._path)
        expected = identity(self._path)
        check_companions(self._path)
        if expected is None:
            raise StoreError(f"the store at {self._path} disappeared while it was opened", retryable=True)
        has_log = _has_content(companion(self._path, "-wal"))
        query = "mode=ro" if has_log else "mode=ro&immutable=1"
        db = sqlite3.connect(f"{self._path.as_uri()}?{query}", uri=True, isolation_level=None, check_same_thread=False)
        try:
            check_format(db, self._path)
            check_opened(self._path, expected, log=False)
        except BaseException as error:
            db.close()
            if has_log and getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_CANTOPEN:
                raise StoreError(
                    f"the last changes of the store at {self._path} are in its log, which can only be read if the "
                    f"directory is writable: make {self._path.parent} writable"
                ) from None
            raise
        self._db, self._file = db, expected


def _has_content(path: Path) -> bool:
    try:
        return path.stat().st_size > 0
    except FileNotFoundError:
        return False

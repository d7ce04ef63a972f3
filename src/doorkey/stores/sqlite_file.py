"""The SQLite file of a store: created atomically, opened under the policy of `private_file`, never another program's.

Theory of operation. The file is created with its tables under a temporary name, and then linked to its own name, which
fails if that name is taken. So no process ever sees an incomplete file, and an empty file must be a damaged one.
"""

from __future__ import annotations

import errno
import os
import secrets
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Final

from doorkey.errors import RecordError, StoreError, UsageError
from doorkey.stores.private_file import (
    COMPANIONS,
    Identity,
    check_companions,
    check_directory,
    check_opened,
    companion,
    create,
    identity,
)

__all__: list[str] = []

APPLICATION_ID: Final = 0x646B7473  # "dkts": marks the files of doorkey
SCHEMA: Final = 1
_NO_CHECKPOINT_ON_CLOSE: Final = 1006  # SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, which Python 3.11 does not define

TABLES: Final = f"""
PRAGMA application_id = {APPLICATION_ID};
PRAGMA user_version = {SCHEMA};
PRAGMA journal_mode = WAL;
CREATE TABLE record (
    key TEXT PRIMARY KEY NOT NULL,
    version INTEGER NOT NULL,
    data BLOB,  -- NULL: deleted, or only leased so far
    owner TEXT NOT NULL DEFAULT '',
    leased_until REAL NOT NULL DEFAULT 0,
    gone_at REAL  -- since when data is NULL
);
CREATE INDEX record_gone_at ON record (gone_at) WHERE gone_at IS NOT NULL;
"""


def open_private(
    path: Path, tables: str, check: Callable[[sqlite3.Connection], None], *, timeout: float
) -> tuple[sqlite3.Connection, Identity]:
    """Return a connection to the file at `path`, in autocommit mode and for any thread, and the identity of the file.

    path: as `private_file.resolved` returns it.
    tables: SQL statements that create the tables of a new file.
    check: reads from the database, and raises an error if it is not the expected one.
    timeout: seconds to wait for another connection's write.

    Deleted content is overwritten (`secure_delete`). Raises `UsageError` for a file, a companion or a directory that
    other users can read or replace; `RecordError` for the companions of a file that was deleted; `UsageError` or
    `StoreError` for a file that cannot be created; `StoreError` for a file that was replaced meanwhile; `sqlite3.Error`
    for a file that SQLite cannot open; and the errors of `check`.
    """
    expected = made_if_missing(path, tables)
    # mode=rw: SQLite creates no file
    db = sqlite3.connect(
        f"{path.as_uri()}?mode=rw", uri=True, timeout=timeout, isolation_level=None, check_same_thread=False
    )
    try:
        check_companions(path)  # before the first read opens them: as root, SQLite changes their owner
        check(db)
        log = db.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
        db.execute("PRAGMA schema_version").fetchone()  # a read opens the log, even if `check` turned it on
        try:
            check_opened(path, expected, log=log)
        except BaseException:
            _keep_log_out(db)
            raise
        db.execute("PRAGMA secure_delete = ON")
    except BaseException:
        db.close()
        raise
    return db, expected


def made_if_missing(path: Path, tables: str) -> Identity:
    """Return the identity of the file at `path`, after creating it with its `tables` (SQL) if it was missing.

    Raises the errors of `open_private`, except those of SQLite and `check`.
    """
    check_directory(path)
    found = identity(path)
    if found is None:
        refuse_leftovers(path)
        _make(path, tables)
        found = identity(path)
    if found is None:
        raise StoreError(f"the store at {path} disappeared while it was opened", retryable=True)
    return found


def truncate_log(db: sqlite3.Connection, timeout: float) -> bool:
    """Copy the log into the file and empty it, so that no deleted content stays in it. Return whether that succeeded.

    It waits for other connections that read or write for `timeout` seconds. A failure loses no data.
    """
    try:
        before = db.execute("PRAGMA busy_timeout").fetchone()[0]
        db.execute(f"PRAGMA busy_timeout = {round(timeout * 1000)}")
        try:
            return not db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        finally:
            db.execute(f"PRAGMA busy_timeout = {before}")
    except sqlite3.Error:  # the next use of the store reports a full disk or a damaged file
        return False


def check_format(db: sqlite3.Connection, path: Path) -> None:
    """Raise `RecordError` unless the database is a store of doorkey in a supported format."""
    owner = db.execute("PRAGMA application_id").fetchone()[0]
    schema = db.execute("PRAGMA user_version").fetchone()[0]
    tables = {str(row[0]) for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if not owner and not tables:
        raise RecordError(f"file {path} is empty: it was cut short, or never a store; it was left as it is")
    if owner != APPLICATION_ID:
        raise RecordError(f"file {path} is a database of another program; it was left as it is")
    if schema != SCHEMA:
        raise RecordError(
            f"file {path} was written by a newer version of doorkey; it was left as it is", expected=f"format {SCHEMA}"
        )
    if "record" not in tables:
        raise RecordError(f"file {path} is damaged, because it has no table of records; it was left as it is")


def refuse_leftovers(path: Path) -> None:
    """Raise `RecordError` if companions exist without a file: SQLite would apply the old log to the new database."""
    for suffix in COMPANIONS:
        leftover = companion(path, suffix)
        if os.path.lexists(leftover) and not os.path.lexists(path):
            raise RecordError(f"file {path} was deleted, but {leftover} still exists: restore the file, or delete both")


def _keep_log_out(db: sqlite3.Connection) -> None:
    """Prevent `close` from copying a planted log into the file. Python can do this from 3.12 on."""
    set_config: Callable[[int, bool], object] | None = getattr(db, "setconfig", None)
    if set_config is not None:
        set_config(_NO_CHECKPOINT_ON_CLOSE, True)  # noqa: FBT003


def _make(path: Path, tables: str) -> None:
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        create(fresh)
        try:
            with closing(sqlite3.connect(fresh, isolation_level=None)) as db:
                db.executescript(tables)
            _put_in_place(fresh, path)
        finally:
            with suppress(FileNotFoundError):
                fresh.unlink()
    except OSError as error:
        raise UsageError(f"the store at {path} cannot be made ({error.strerror})") from error
    except sqlite3.Error as error:
        raise StoreError(f"the store at {path} cannot be made") from error


def _put_in_place(fresh: Path, path: Path) -> None:
    with suppress(FileExistsError):  # another process was faster, and its file has the same content
        try:
            os.link(fresh, path)
        except OSError as error:
            if error.errno not in (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS):
                raise
            # A file system without hard links: claim the name first, so that no other file is replaced
            create(path)
            fresh.replace(path)

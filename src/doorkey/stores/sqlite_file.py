"""The file of an SQLite store: private to its owner, complete from its first moment, never somebody else's.

Theory of operation. The file is made under a temporary name with its tables in it and linked to its own name, which
fails if that is taken: so no process ever sees half a file, and an empty one is what was left of a damaged one. An
existing file is judged by `lstat` alone. Opening and closing it ourselves would drop the locks that SQLite holds in
this process (POSIX locks belong to the process, not to the descriptor).
"""

from __future__ import annotations

import errno
import os
import secrets
import sqlite3
import stat
from contextlib import closing, suppress
from pathlib import Path
from typing import Final

from doorkey.errors import RecordError, StoreError, UsageError

__all__: list[str] = []

APPLICATION_ID: Final = 0x646B7473  # "dkts": how our own files are told from other people's
SCHEMA: Final = 1
COMPANIONS: Final = ("-wal", "-shm", "-journal")

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

Identity = tuple[int, int]
"""Device and inode: which file it is, whatever its name."""


def identity(path: Path) -> Identity | None:
    """Return which file is at `path`, or None when there is none.

    Raises `UsageError` when it is a symbolic link or no plain file, somebody else's, or open to group or others.
    """
    try:
        status = path.lstat()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StoreError(f"the store at {path} cannot be reached ({error.strerror})") from error
    if stat.S_ISLNK(status.st_mode):
        raise UsageError(f"the store at {path} is a symbolic link: name the file itself")
    if not stat.S_ISREG(status.st_mode):
        raise UsageError(f"the store at {path} is not a plain file")
    if hasattr(os, "geteuid") and status.st_uid != os.geteuid():
        raise UsageError(f"the store at {path} belongs to another user: tokens are kept in a file of one's own")
    if os.name == "posix" and stat.S_IMODE(status.st_mode) & 0o077:
        raise UsageError(f"the store at {path} is open to others, who may have read it: make it chmod 600")
    return status.st_dev, status.st_ino


def made_if_missing(path: Path, tables: str) -> Identity:
    """Return which file is at `path`, after making it with its `tables` (statements of SQL) if there was none.

    Raises what `identity` raises, and `UsageError` for a folder where others may put files in our file's place.
    """
    found = identity(path)
    if found is None:
        _check_folder(path)
        _refuse_leftovers(path)
        _make(path, tables)
        found = identity(path)
    for companion in COMPANIONS:
        identity(path.with_name(path.name + companion))
    if found is None:
        raise StoreError(f"the store at {path} disappeared while it was opened", retryable=True)
    return found


def check_ours(db: sqlite3.Connection, path: Path) -> None:
    """Raise `RecordError` unless the database is a store of ours in a format we know."""
    owner = db.execute("PRAGMA application_id").fetchone()[0]
    schema = db.execute("PRAGMA user_version").fetchone()[0]
    tables = {str(row[0]) for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if not owner and not tables:
        raise RecordError(f"file {path} is empty: it was cut short, or never a store; it was left as it is")
    if owner != APPLICATION_ID:
        raise RecordError(f"file {path} is a database of something else; it was left as it is")
    if schema != SCHEMA:
        raise RecordError(
            f"file {path} was written by a newer version of doorkey; it was left as it is", expected=f"format {SCHEMA}"
        )
    if "record" not in tables:
        raise RecordError(f"file {path} is damaged: it has no records' table; it was left as it is")


def _check_folder(path: Path) -> None:
    try:
        mode = path.parent.stat().st_mode
    except OSError as error:
        raise UsageError(f"the store at {path} has no folder to be in ({error.strerror})") from error
    if os.name == "posix" and mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
        raise UsageError(f"the store at {path} would be in a folder where everybody may replace it")


def _refuse_leftovers(path: Path) -> None:
    """SQLite would take the log of a database that was deleted for the new one's."""
    for companion in COMPANIONS:
        leftover = path.with_name(path.name + companion)
        if os.path.lexists(leftover) and not os.path.lexists(path):
            raise RecordError(f"file {path} was deleted, but {leftover} is still there: bring it back, or delete both")


def _make(path: Path, tables: str) -> None:
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
        os.close(os.open(fresh, flags, 0o600))
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
    with suppress(FileExistsError):  # another process was faster: its file is as good
        try:
            os.link(fresh, path)
        except OSError as error:
            if error.errno not in (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS):
                raise
            # A file system without hard links: claim the name first, so that nobody's file is replaced
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
            fresh.replace(path)

"""A store that can save a renewed token on a full disk.

Theory of operation. A server that rotates refresh tokens has used up the old one when it returns the new one. If the
disk is full at that moment, the new one would be lost, and the login with it. So a file of random bytes lies beside the
store. When a commit fails, the file is deleted, and the commit is repeated in the space that this frees. No renewal
begins without the file: a lease is taken only when it is there.

`doorkey logout --all` may delete the store while another command uses it. That command then fails: in a new store, no
later command could read what it saves, because the key is deleted too.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import Final

from doorkey.errors import StoreError
from doorkey.stores import SQLiteStore
from doorkey.stores.private_file import create, identity
from doorkey.stores.protocol import Lease
from doorkey.stores.sqlite_connection import Connection

__all__: list[str] = []

FILE: Final = "reserve"
SIZE: Final = 256 * 1024
"""Bytes: more than the pages that the largest usual token needs in the store's log and in its file."""


class StoreWithReserve(SQLiteStore):
    """An `SQLiteStore` at `path` with a reserve of disk space beside it, for the commit that must not fail."""

    def __init__(self, path: Path, *, timeout: float = 5.0) -> None:
        self._reserve = path.with_name(FILE)
        super().__init__(path, timeout=timeout)

    def _look(self) -> None:
        self._connection = _OneFile(self._connection._path, self._connection._timeout)
        super()._look()

    def try_lease(self, key: str, seconds: float) -> Lease | None:
        """Take the lease of `key`; see `SQLiteStore.try_lease`. Raises `StoreError` if the reserve cannot be filled."""
        super()._look()  # no reserve is made beside a store that was deleted
        if not self.fill_reserve():
            raise StoreError(f"there is no space for {self._reserve}: free some, or make the directory writable")
        return super().try_lease(key, seconds)

    def commit(self, key: str, data: bytes | None, *, expected: int) -> int:
        """Save `data`; see `SQLiteStore.commit`. Without space, the reserve is given up for it."""
        try:
            return super().commit(key, data, expected=expected)
        except StoreError as error:
            if error.retryable or not self._given_up():
                raise
        return super().commit(key, data, expected=expected)

    def _given_up(self) -> bool:
        """Delete the reserve; return whether there was one."""
        try:
            self._reserve.unlink()
        except OSError:  # it is used up, or nothing can be written to this disk
            return False
        return True

    def fill_reserve(self) -> bool:
        """Create the reserve if there is none, or only a part of it; return whether it is there."""
        try:
            if self._reserve.stat().st_size == SIZE:
                return True
            self._reserve.unlink()
        except FileNotFoundError:
            pass
        except OSError:
            return False
        try:
            create(self._reserve)
            # random, so that a file system that compresses keeps the space
            self._reserve.write_bytes(os.urandom(SIZE))
        except FileExistsError:  # another process is about to fill it
            return True
        except OSError:
            with suppress(OSError):
                self._reserve.unlink()
            return False
        return True


class _OneFile(Connection):
    """A connection to the file that it opened first, and to no other one that takes its place."""

    def _opened(self) -> sqlite3.Connection:
        if self._file is not None and identity(self._path) != self._file:
            raise StoreError("another command has deleted the accounts: run this one again")
        return super()._opened()

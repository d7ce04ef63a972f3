"""A store that can save a renewed token on a full disk.

Theory of operation. A server that rotates refresh tokens has used up the old one when it returns the new one. If the
disk is full at that moment, the new one would be lost, and the login with it. So a file of random bytes lies beside the
store. When a commit fails, the file is deleted, and the commit is repeated in the freed space. No renewal begins
without this file, because a lease is taken only if it exists.

`doorkey logout --all` may delete the store while another command uses it. That command then fails instead of creating a
new store: the key has been deleted too, so no later command could read its records.
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
"""Bytes. A large token needs fewer for its pages in the store's log and in the store's file."""


class SpaceReservingStore(SQLiteStore):
    """An `SQLiteStore` at `path`, with a file beside it that reserves disk space for the commit of a renewed token.

    timeout: as for `SQLiteStore`.
    """

    def __init__(self, path: Path, *, timeout: float = 5.0) -> None:
        self._reserve = path.with_name(FILE)
        super().__init__(path, timeout=timeout)

    def _check_file(self) -> None:
        self._connection = _OneFile(self._connection._path, self._connection._timeout)
        super()._check_file()

    def try_lease(self, key: str, seconds: float) -> Lease | None:
        """Take the lease of `key`; see `SQLiteStore.try_lease`. Raises `StoreError` if the reserve cannot be filled."""
        super()._check_file()  # raises if the store was deleted, so that no reserve is created beside it
        if not self.fill_reserve():
            raise StoreError(f"{self._reserve} cannot be created: free some disk space, or make the directory writable")
        return super().try_lease(key, seconds)

    def commit(self, key: str, data: bytes | None, *, expected: int) -> int:
        """Save `data`; see `SQLiteStore.commit`. If that fails, delete the reserve and repeat the commit.

        A retryable error is raised at once, because it has another cause than a full disk.
        """
        try:
            return super().commit(key, data, expected=expected)
        except StoreError as error:
            if error.retryable or not self._delete_reserve():
                raise
        return super().commit(key, data, expected=expected)

    def _delete_reserve(self) -> bool:
        """Delete the reserve. Return False if it does not exist or cannot be deleted."""
        try:
            self._reserve.unlink()
        except OSError:  # the reserve has been used before, or the file system is read-only
            return False
        return True

    def fill_reserve(self) -> bool:
        """Create the reserve if it is missing or incomplete. Return whether it exists now."""
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
            # random, so that a compressing file system cannot store it in less space
            self._reserve.write_bytes(os.urandom(SIZE))
        except FileExistsError:  # another process is about to fill it
            return True
        except OSError:
            with suppress(OSError):
                self._reserve.unlink()
            return False
        return True


class _OneFile(Connection):
    """A connection that raises `StoreError` if another file has replaced the file that it opened."""

    def _opened(self) -> sqlite3.Connection:
        if self._file is not None and identity(self._path) != self._file:
            raise StoreError("another command has deleted the accounts: run this one again")
        return super()._opened()

"""The statements of an SQL store, without I/O: each operation is a flow of statements.

Every statement is a transaction of its own (autocommit). The WHERE clause of an update contains the condition that must
still hold: the version of the record, or the expiry of the lease. So no lock is held between two statements, and of two
concurrent updates only one changes the row. Keys, owners and data are bound parameters, never part of the SQL text.
"""

from __future__ import annotations

import itertools
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import case, delete, func, insert, literal, or_, select, update
from sqlalchemy import text as sql_text
from sqlalchemy.sql.expression import ColumnElement, Executable, Update

from doorkey.arguments import text
from doorkey.errors import StoreError, UsageError
from doorkey.stores.limits import (
    KEPT,
    MAX_DATA,
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
    unusable,
)
from doorkey.stores.protocol import Lease, Record
from doorkey.stores.sql_table import DatabaseTime, WaitedSeconds, table_of
from doorkey.wire.flow import Effect, Flow

__all__: list[str] = []


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of a statement: its first row, the number of changed rows, or whether its key was already `taken`."""

    row: Any = None
    changed: int = 0
    taken: bool = False


@dataclass(frozen=True, slots=True)
class Statement(Effect[Outcome]):
    """Request the outcome of a statement, which runs in a transaction of its own.

    A statement that `reads` returns a row. A `harmless` statement changes nothing, and may be repeated.
    """

    text: Executable = field(repr=False)  # it contains the bound values
    reads: bool = False
    harmless: bool = False


@dataclass(frozen=True, slots=True)
class _Found:
    """A row of the table, unchecked, because other programs can write to the table.

    `data` is None if the column is NULL, too large or of another type; `size` is None only if the column is NULL.
    """

    version: Any = None
    data: bytes | None = None
    size: Any = None

    @property
    def exists(self) -> bool:
        return self.version is not None

    @property
    def valid(self) -> bool:
        """Whether a commit or a lease of doorkey may have written the row; a missing row is valid."""
        if not self.exists:
            return True
        least = 0 if self.size is None else 1
        valid = type(self.version) is int and least <= self.version <= MAX_VERSION
        return valid and (self.size is None) == (self.data is None)


class SQLStatements:
    """The operations of a store on the table `name`, as flows, in the SQL of the `dialect`.

    timeout: seconds after which the caller of a statement stops waiting; None: unknown. The database may still wait for
        the lock of a row then, and a lease that it takes would not be released. So a statement that waited for more
        than half of the timeout takes no lease. The other half is for the network.
    """

    def __init__(self, name: str, dialect: str = "", timeout: float | None = None) -> None:
        if (
            not text(name, "the name of an SQL store's table")
            or not all(part.isidentifier() for part in name.split("."))
            or name.count(".") > 1
        ):
            raise UsageError("an SQL store's table has a name like doorkey_tokens, or schema.doorkey_tokens")
        self.table = table_of(name)
        self._dialect = dialect
        self._max_lock_wait = None if timeout is None else timeout / 2
        self._changes_within_a_query = dialect == "postgresql"
        self._creations = itertools.count(1)

    def load(self, key: str) -> Flow[Record | None]:
        """Return the record of `key`, or None."""
        found = yield from self._row(key)
        if found.size is None:
            return None
        if not found.valid or found.data is None:
            raise unusable()
        return checked_record(found.version, bytes(found.data))

    def try_lease(self, key: str, seconds: float) -> Flow[Lease | None]:
        """Acquire the lease of `key`, or return None."""
        check_lease(seconds)
        lease = Lease(checked_key(key), new_owner())
        columns, now = self.table.c, DatabaseTime()
        held = {"owner": lease.owner, "leased_until": now + seconds}
        free = (columns.key == key) & ((columns.leased_until <= now) | (columns.leased_until > now + TOO_LATE))
        if self._max_lock_wait is not None:
            free &= WaitedSeconds() < self._max_lock_wait
        won, exists = yield from self._taken(key, update(self.table).where(free).values(**held))
        if won:
            return lease
        if exists:
            return None
        row = {"key": key, "version": 0, "data": None, "gone_at": now}
        outcome = yield from Statement(insert(self.table).values(**row, **held))
        return None if outcome.taken else lease

    def commit(self, key: str, data: bytes | None, expected: int) -> Flow[int]:
        """Save or delete the record if its version is `expected`. Return the new version, or 0."""
        check_commit(data, expected)
        checked_key(key)
        if expected == 0:
            return (yield from self._first(key, data))
        columns = self.table.c
        same = (columns.key == key) & (columns.version == expected) & columns.data.is_not(None)
        gone_at = DatabaseTime() if data is None else None
        statement = update(self.table).where(same).values(version=expected + 1, data=data, gone_at=gone_at)
        outcome = yield from Statement(statement)
        if not outcome.changed:
            return 0
        if data is None:
            yield from self.empty_log()
        return expected + 1

    def empty_log(self) -> Flow[None]:
        """Empty the write-ahead log of SQLite, if any, so that no deleted or replaced record stays in it."""
        if self._dialect == "sqlite":
            with suppress(StoreError):  # the record is committed: only the log stays longer
                yield from Statement(sql_text("PRAGMA wal_checkpoint(TRUNCATE)"), reads=True)

    def release(self, lease: Lease) -> Flow[None]:
        """Release the lease."""
        held, columns = checked_lease(lease), self.table.c
        mine = (columns.key == held.key) & (columns.owner == held.owner)
        yield from Statement(update(self.table).where(mine).values(owner="", leased_until=0.0))

    def _taken(self, key: str, taking: Update) -> Flow[tuple[bool, bool]]:
        """Return whether `taking` changed the row of `key`, and whether the row exists.

        Waiting processes call this often, so PostgreSQL gets one statement for both.
        """
        row = select(self.table.c.version).where(self.table.c.key == key)
        if not self._changes_within_a_query:
            outcome = yield from Statement(taking)
            if outcome.changed:
                return True, True
            found = yield from Statement(row, reads=True, harmless=True)
            return False, found.row is not None
        taken = taking.returning(literal(1).label("one")).cte("taken")
        count = select(func.count()).select_from(taken).scalar_subquery()
        outcome = yield from Statement(select(count, row.exists()), reads=True)
        won, exists = outcome.row
        return bool(won), bool(exists)

    def _row(self, key: str) -> Flow[_Found]:
        columns = self.table.c
        size = func.length(columns.data)
        small = case((size <= MAX_DATA, columns.data), else_=None)
        statement = select(columns.version, small, size).where(columns.key == checked_key(key))
        outcome = yield from Statement(statement, reads=True, harmless=True)
        return _Found() if outcome.row is None else _Found(*outcome.row)

    def _first(self, key: str, data: bytes | None) -> Flow[int]:
        found = yield from self._row(key)
        if found.valid and found.data is not None:
            return 0
        if next(self._creations) % SWEEP_EVERY == 0:
            yield from self._sweep()
        columns = self.table.c
        version: int | None = found.version if found.valid else None
        if not found.exists:
            row = {"key": key, "version": 1, "data": data, "owner": "", "leased_until": 0.0, "gone_at": None}
            outcome = yield from Statement(insert(self.table).values(**row))
            if not outcome.taken:
                return 1
            version = 0  # another process inserted the row meanwhile, perhaps only for a lease
        if version is None:
            same, new = (columns.key == key) & self._invalid(), new_version()
        else:
            same, new = (columns.key == key) & (columns.version == version) & columns.data.is_(None), version + 1
        statement = update(self.table).where(same).values(version=new, data=data, gone_at=None)
        outcome = yield from Statement(statement)
        return new if outcome.changed else 0

    def _invalid(self) -> ColumnElement[bool]:
        """Return the negation of `_Found.valid` in SQL."""
        columns = self.table.c
        wrong = or_(columns.version < 0, columns.version > MAX_VERSION, func.length(columns.data) > MAX_DATA)
        wrong |= (columns.version == 0) & columns.data.is_not(None)
        if self._dialect == "sqlite":  # its columns accept values of any type
            wrong |= func.typeof(columns.version) != "integer"
            wrong |= func.typeof(columns.data).not_in(["blob", "null"])
        return wrong

    def _sweep(self) -> Flow[None]:
        """Delete the versions of records that were deleted long ago."""
        columns, now = self.table.c, DatabaseTime()
        old = (columns.gone_at < now - KEPT) & (columns.leased_until < now)
        yield from Statement(delete(self.table).where(old))

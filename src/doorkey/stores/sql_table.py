"""The table of an SQL store, and the database's clock."""

from __future__ import annotations

from typing import Any, cast

from sqlalchemy import BigInteger, Column, Double, LargeBinary, MetaData, String, Table
from sqlalchemy.dialects.mysql import VARBINARY
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator, TypeEngine

from doorkey.errors import UsageError
from doorkey.stores.limits import MAX_DATA, MAX_KEY
from doorkey.values import RedactedBytes

__all__: list[str] = []

_MYSQL = ("mysql", "mariadb")


class ExactText(TypeDecorator[str]):
    """Text of at most `size` bytes that is compared exactly. MySQL's text ignores case, accents and trailing spaces."""

    impl = String
    cache_ok = True

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self.size = size

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return the type of the column: bytes on MySQL and MariaDB."""
        return dialect.type_descriptor(VARBINARY(self.size) if dialect.name in _MYSQL else String(self.size))

    def process_bind_param(self, value: str | None, dialect: Dialect) -> Any:
        """Return the value in the type of the column."""
        return value.encode() if value is not None and dialect.name in _MYSQL else value


class TokenBytes(TypeDecorator[bytes]):
    """At most `MAX_DATA` bytes, which SQLAlchemy's logs of rows do not show. A value of another type becomes None."""

    impl = LargeBinary
    cache_ok = True

    def __init__(self) -> None:
        super().__init__(MAX_DATA)

    def result_processor(self, dialect: Dialect, coltype: object) -> Any:
        """Return the function that redacts a value. It accepts the byte types of all drivers.

        SQLite returns any type that another program wrote: it becomes None.
        """
        return _redacted


def _redacted(value: Any) -> RedactedBytes | None:
    buffer = isinstance(value, bytes | bytearray | memoryview)
    return RedactedBytes(cast("bytes", value)) if buffer else None


class DatabaseTime(FunctionElement[float]):
    """Seconds since the epoch by the database's clock, as a float."""

    type = Double[float]()
    inherit_cache = True


@compiles(DatabaseTime)
def _unknown(*_: Any, **__: Any) -> str:
    raise UsageError("an SQL store supports PostgreSQL, MySQL, MariaDB and SQLite, but not this database")


@compiles(DatabaseTime, "postgresql")
def _postgresql(*_: Any, **__: Any) -> str:
    return "extract(epoch from clock_timestamp())::double precision"


@compiles(DatabaseTime, "sqlite")
def _sqlite(*_: Any, **__: Any) -> str:
    return "((julianday('now') - 2440587.5) * 86400.0)"


@compiles(DatabaseTime, *_MYSQL)
def _mysql(*_: Any, **__: Any) -> str:
    # UTC, because local time repeats when the clocks are set back. A float, because DECIMAL would round added seconds
    return "(TIMESTAMPDIFF(MICROSECOND, '1970-01-01 00:00:00', UTC_TIMESTAMP(6)) / 1000000e0)"


class WaitedSeconds(FunctionElement[float]):
    """Seconds since the database received the statement, which it mostly spent waiting for the lock of a row."""

    type = Double[float]()
    inherit_cache = True


@compiles(WaitedSeconds, "postgresql")
def _waited_in_postgresql(*_: Any, **__: Any) -> str:
    return "extract(epoch from clock_timestamp() - statement_timestamp())::double precision"


@compiles(WaitedSeconds, "sqlite")
def _waited_in_sqlite(*_: Any, **__: Any) -> str:
    return "0.0"  # a statement never outlives the call that waits for it


@compiles(WaitedSeconds, *_MYSQL)
def _waited_in_mysql(*_: Any, **__: Any) -> str:
    return "(TIMESTAMPDIFF(MICROSECOND, NOW(6), SYSDATE(6)) / 1000000e0)"


def table_of(name: str) -> Table:
    """Return the table `name`, which has a row for each key with its record and its lease."""
    schema, _, bare = name.rpartition(".")
    columns: list[Column[Any]] = [
        Column("key", ExactText(MAX_KEY), primary_key=True),
        Column("version", BigInteger, nullable=False),
        # NULL: deleted, or only leased so far
        Column("data", TokenBytes(), nullable=True),
        Column("owner", ExactText(64), nullable=False),
        Column("leased_until", Double(), nullable=False),
        # since when data is NULL
        Column("gone_at", Double(), nullable=True, index=True),
    ]
    return Table(bare, MetaData(), *columns, schema=schema or None)

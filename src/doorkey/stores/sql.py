"""A store in an SQL database through SQLAlchemy 2: PostgreSQL, MySQL, MariaDB and SQLite."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import Connection, Engine, inspect
from sqlalchemy.exc import (
    DBAPIError,
    IntegrityError,
    InterfaceError,
    OperationalError,
    SQLAlchemyError,
    StatementError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeout

from doorkey.errors import StoreError, UsageError
from doorkey.runtime.forks import after_fork
from doorkey.stores.loops import PerLoop
from doorkey.stores.protocol import Lease, Record
from doorkey.stores.sql_engine import Bounded, asynchronous
from doorkey.stores.sql_statements import Outcome, SQLStatements, Statement
from doorkey.values import NotPicklable, without_frames
from doorkey.wire.flow import arun, run

if TYPE_CHECKING:  # it needs greenlet, which blocking calls do not need
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

__all__ = ["AsyncSQLStore", "SQLStore"]

T = TypeVar("T")


class SQLStore(NotPicklable):
    """A store in an SQL database; `create_table` creates its table.

    url_or_engine: a database URL of SQLAlchemy, for which the store creates an engine that checks idle connections
        before it uses them; or an `Engine`, whose owner is responsible for its timeouts, its file and forks. Each
        statement is a transaction of its own in both cases.
    table: the name of the table, such as `doorkey_tokens` or `schema.doorkey_tokens`.
    timeout: maximum seconds for each statement, for a URL.

    An SQLite file that a URL names must be private, as for `SQLiteStore`; otherwise the first call raises `UsageError`.
    The constructor raises `UsageError` for invalid arguments.
    """

    def __init__(self, url_or_engine: str | Engine, *, table: str = "doorkey_tokens", timeout: float = 5.0) -> None:
        self._bounded: Bounded | None = None
        self._closings = 0
        if isinstance(url_or_engine, str):
            self._bounded = Bounded(url_or_engine, timeout)
            self._engine = self._bounded.engine()
            after_fork(self, SQLStore._leave_connections)
        elif isinstance(url_or_engine, Engine):
            self._engine = url_or_engine.execution_options(isolation_level="AUTOCOMMIT")
            self._engine.hide_parameters = True  # for this copy: the owner's engine logs as before
        else:
            raise UsageError("an SQL store needs a database URL or an SQLAlchemy Engine")
        self._statements = SQLStatements(table, self._engine.dialect.name, None if self._bounded is None else timeout)

    def create_table(self) -> None:
        """Create the table if it does not exist. Several processes may call this at once."""
        self._used(lambda connection: _create(connection, self._statements))

    def load(self, key: str) -> Record | None:
        """Return the record of `key`, or None."""
        return run(self._statements.load(key), self._perform)

    def try_lease(self, key: str, seconds: float) -> Lease | None:
        """Acquire the lease of `key` for `seconds` of the database's clock; return None if another caller holds it."""
        return run(self._statements.try_lease(key, seconds), self._perform)

    def commit(self, key: str, data: bytes | None, *, expected: int) -> int:
        """Save `data` as the record of `key`, or delete the record (None). See `StoreCalls.commit`."""
        return run(self._statements.commit(key, data, expected), self._perform)

    def release(self, lease: Lease) -> None:
        """Release a `lease`. An expired lease is ignored."""
        run(self._statements.release(lease), self._perform)

    def close(self) -> None:
        """Close the connections, if the store created its engine. The next call opens them again."""
        if self._bounded is not None:
            self._closings += 1
            if _has_idle_connections(self._engine):
                run(self._statements.empty_log(), self._perform)
            self._engine.dispose()

    def _perform(self, statement: Statement) -> Outcome:
        def work(connection: Connection) -> Outcome:
            try:
                return _outcome(statement, connection.execute(statement.text))
            except IntegrityError:
                return Outcome(taken=True)

        return self._used(work, again=statement.harmless)

    def _used(self, work: Callable[[Connection], T], *, again: bool = False) -> T:
        def call() -> T:
            pool, closings = self._engine.pool, self._closings
            try:
                with self._engine.connect() as connection:
                    return work(connection)
            finally:
                if self._closings != closings:  # the caller's wait timed out, and then it closed the store
                    pool.dispose()

        try:
            return call() if self._bounded is None else self._bounded.run(call)
        except (SQLAlchemyError, OSError) as error:
            if again and _was_dead(error):
                return self._used(work)
            raise _store_error(error) from without_frames(error)

    def _leave_connections(self) -> None:
        self._engine.dispose(close=False)  # the parent uses them


class AsyncSQLStore(NotPicklable):
    """The asynchronous `SQLStore`, on asyncio.

    url_or_engine: a URL with an asynchronous driver, for which the store creates an engine in each event loop; or an
        `AsyncEngine`.
    table, timeout: as for `SQLStore`.
    """

    def __init__(
        self, url_or_engine: str | AsyncEngine, *, table: str = "doorkey_tokens", timeout: float = 5.0
    ) -> None:
        self._bounded: Bounded | None = None
        self._own: PerLoop[AsyncEngine] | None = None
        self._given: AsyncEngine | None = None
        if isinstance(url_or_engine, str):
            self._bounded = Bounded(url_or_engine, timeout)
            dialect = self._bounded.async_engine().dialect.name  # reports a wrong URL at once
            self._own = PerLoop(self._bounded.async_engine)
        elif isinstance(url_or_engine, asynchronous().AsyncEngine):
            self._given = url_or_engine.execution_options(isolation_level="AUTOCOMMIT")
            self._given.sync_engine.hide_parameters = True  # for this copy: the owner's engine logs as before
            dialect = url_or_engine.dialect.name
        else:
            raise UsageError("an asynchronous SQL store needs a database URL or an SQLAlchemy AsyncEngine")
        self._statements = SQLStatements(table, dialect, None if self._bounded is None else timeout)

    async def create_table(self) -> None:
        """Create the table if it does not exist. Several processes may call this at once."""
        await self._used(self._engine(), lambda connection: connection.run_sync(_create, self._statements))

    async def load(self, key: str) -> Record | None:
        """Return the record of `key`, or None."""
        return await arun(self._statements.load(key), self._perform)

    async def try_lease(self, key: str, seconds: float) -> Lease | None:
        """Acquire the lease of `key` for `seconds` of the database's clock; return None if another caller holds it."""
        return await arun(self._statements.try_lease(key, seconds), self._perform)

    async def commit(self, key: str, data: bytes | None, *, expected: int) -> int:
        """Save `data` as the record of `key`, or delete the record (None). See `StoreCalls.commit`."""
        return await arun(self._statements.commit(key, data, expected), self._perform)

    async def release(self, lease: Lease) -> None:
        """Release a `lease`. An expired lease is ignored."""
        await arun(self._statements.release(lease), self._perform)

    async def close(self) -> None:
        """Close this loop's connections, if the store created its engine. The next call opens them again."""
        engine = None if self._own is None else self._own.pop()
        if engine is not None:
            if _has_idle_connections(engine):
                await arun(self._statements.empty_log(), partial(self._perform, engine=engine))
            await engine.dispose()

    def _engine(self) -> AsyncEngine:
        if self._given is not None:
            return self._given
        assert self._own is not None
        return self._own.get()

    async def _perform(self, statement: Statement, *, engine: AsyncEngine | None = None) -> Outcome:
        async def work(connection: AsyncConnection) -> Outcome:
            try:
                return _outcome(statement, await connection.execute(statement.text))
            except IntegrityError:
                return Outcome(taken=True)

        return await self._used(engine or self._engine(), work, again=statement.harmless)

    async def _used(
        self, engine: AsyncEngine, work: Callable[[AsyncConnection], Awaitable[T]], *, again: bool = False
    ) -> T:

        async def call() -> T:
            async with engine.connect() as connection:
                return await work(connection)

        try:
            return await (call() if self._bounded is None else self._bounded.arun(call))
        except (SQLAlchemyError, OSError) as error:
            if again and _was_dead(error):
                return await self._used(engine, work)
            raise _store_error(error) from without_frames(error)


def _has_idle_connections(engine: Engine | AsyncEngine) -> bool:
    """Return whether the pool has an idle connection. Only pools of databases in memory do not count theirs."""
    count: Callable[[], int] | None = getattr(engine.pool, "checkedin", None)
    return count is not None and count() > 0


def _outcome(statement: Statement, result: Any) -> Outcome:
    if statement.reads:
        return Outcome(row=result.first())
    return Outcome(changed=result.rowcount)


def _create(connection: Connection, statements: SQLStatements) -> None:
    table = statements.table
    try:
        table.metadata.create_all(connection, checkfirst=True)
    except DBAPIError:
        if not inspect(connection).has_table(table.name, schema=table.schema):
            raise
        # another process created it between the check and the attempt


def _was_dead(error: Exception) -> bool:
    """Return whether the connection was dead. The pool has then dropped all old connections, so the next one is new."""
    return isinstance(error, DBAPIError) and error.connection_invalidated


def _store_error(error: Exception) -> StoreError:
    if isinstance(error, StatementError):
        error.hide_parameters, error.params = True, None  # the user's own engine may show the parameters
    cause = getattr(error, "orig", None) or error
    return StoreError(
        f"database error ({type(cause).__name__}). If the table is missing, call create_table().",
        retryable=isinstance(error, OSError | OperationalError | InterfaceError | PoolTimeout),
    )

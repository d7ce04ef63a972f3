"""A store in an SQL database through SQLAlchemy 2: PostgreSQL, MySQL, MariaDB and SQLite."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Engine, create_engine, inspect
from sqlalchemy.exc import (
    DBAPIError,
    IntegrityError,
    InterfaceError,
    OperationalError,
    SQLAlchemyError,
    StatementError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from doorkey.errors import StoreError, UsageError
from doorkey.protocol.flow import arun, run
from doorkey.stores.forks import after_fork
from doorkey.stores.loops import PerLoop
from doorkey.stores.protocol import Lease, Record
from doorkey.stores.sql_statements import Outcome, SQLStatements, Statement


class SQLStore:
    """Keeps records in the table `table` of the database at `url_or_engine`.

    A URL makes an engine of our own, which looks whether a pooled connection still lives before it uses it. An engine
    that is given stays its owner's, who sees to its timeouts and to forks; each statement commits by itself there too.
    The table is made by `create_table`.
    """

    def __init__(self, url_or_engine: str | Engine, *, table: str = "doorkey_tokens") -> None:
        self._statements = SQLStatements(table)
        self._own = isinstance(url_or_engine, str)
        if isinstance(url_or_engine, str):
            engine: Engine = _made(create_engine, url_or_engine)
            after_fork(self, SQLStore._leave_connections)
        elif isinstance(url_or_engine, Engine):
            engine = url_or_engine
        else:
            raise UsageError("an SQL store needs a database URL or an SQLAlchemy Engine")
        self._engine = engine.execution_options(isolation_level="AUTOCOMMIT")

    def create_table(self) -> None:
        """Make the table if it is not there; any number of processes may do so at once."""
        try:
            with self._engine.connect() as connection:
                _create(connection, self._statements)
        except (SQLAlchemyError, OSError) as error:
            raise _ours(error) from error

    def load(self, key: str) -> Record | None:
        """Return the record of `key`, or None."""
        return run(self._statements.load(key), self._perform)

    def try_lease(self, key: str, seconds: float) -> Lease | None:
        """Take the lease of `key` for `seconds` of the database's clock, or return None: somebody holds it."""
        return run(self._statements.try_lease(key, seconds), self._perform)

    def commit(self, key: str, data: bytes | None, *, expected: int) -> int:
        """Save `data`, or delete (None), if the version is still `expected`; the new version, or 0."""
        return run(self._statements.commit(key, data, expected), self._perform)

    def release(self, lease: Lease) -> None:
        """Give the lease back; nothing happens when it has expired."""
        run(self._statements.release(lease), self._perform)

    def close(self) -> None:
        """Close the connections, if the store made its engine. They are opened again by the next call."""
        if self._own:
            self._engine.dispose()

    def _perform(self, statement: Statement) -> Outcome:
        try:
            with self._engine.connect() as connection:
                result: Any = connection.execute(statement.text)
                return _outcome(statement, result)
        except IntegrityError:
            return Outcome(taken=True)
        except (SQLAlchemyError, OSError) as error:
            raise _ours(error) from error

    def _leave_connections(self) -> None:
        self._engine.dispose(close=False)  # they are the parent's


class AsyncSQLStore:
    """The same as `SQLStore`, awaited, on asyncio; takes an `AsyncEngine`, or a URL with an asynchronous driver.

    A URL makes an engine for each event loop. `close` closes that of the running loop.
    """

    def __init__(self, url_or_engine: str | AsyncEngine, *, table: str = "doorkey_tokens") -> None:
        self._statements = SQLStatements(table)
        self._own: PerLoop[AsyncEngine] | None = None
        self._given: AsyncEngine | None = None
        if isinstance(url_or_engine, str):
            url = url_or_engine
            _made(create_async_engine, url)  # says at once what is wrong with the URL
            self._own = PerLoop(lambda: _autocommit(_made(create_async_engine, url)))
        elif isinstance(url_or_engine, AsyncEngine):
            self._given = _autocommit(url_or_engine)
        else:
            raise UsageError("an asynchronous SQL store needs a database URL or an SQLAlchemy AsyncEngine")

    async def create_table(self) -> None:
        """Make the table if it is not there; any number of processes may do so at once."""
        try:
            async with self._engine().connect() as connection:
                await connection.run_sync(_create, self._statements)
        except (SQLAlchemyError, OSError) as error:
            raise _ours(error) from error

    async def load(self, key: str) -> Record | None:
        """Return the record of `key`, or None."""
        return await arun(self._statements.load(key), self._perform)

    async def try_lease(self, key: str, seconds: float) -> Lease | None:
        """Take the lease of `key` for `seconds` of the database's clock, or return None: somebody holds it."""
        return await arun(self._statements.try_lease(key, seconds), self._perform)

    async def commit(self, key: str, data: bytes | None, *, expected: int) -> int:
        """Save `data`, or delete (None), if the version is still `expected`; the new version, or 0."""
        return await arun(self._statements.commit(key, data, expected), self._perform)

    async def release(self, lease: Lease) -> None:
        """Give the lease back; nothing happens when it has expired."""
        await arun(self._statements.release(lease), self._perform)

    async def close(self) -> None:
        """Close this loop's connections, if the store made its engine. They are opened again by the next call."""
        engine = None if self._own is None else self._own.pop()
        if engine is not None:
            await engine.dispose()

    def _engine(self) -> AsyncEngine:
        if self._given is not None:
            return self._given
        assert self._own is not None
        return self._own.get()

    async def _perform(self, statement: Statement) -> Outcome:
        engine = self._engine()
        try:
            connection: AsyncConnection
            async with engine.connect() as connection:
                result: Any = await connection.execute(statement.text)
                return _outcome(statement, result)
        except IntegrityError:
            return Outcome(taken=True)
        except (SQLAlchemyError, OSError) as error:
            raise _ours(error) from error


def _outcome(statement: Statement, result: Any) -> Outcome:
    if statement.reads:
        return Outcome(row=result.first())
    return Outcome(changed=result.rowcount)


def _autocommit(engine: AsyncEngine) -> AsyncEngine:
    return engine.execution_options(isolation_level="AUTOCOMMIT")


def _made(create: Any, url: str) -> Any:
    try:
        # hide_parameters: nothing that is stored gets into SQLAlchemy's errors and logs
        return create(url, pool_pre_ping=True, hide_parameters=True)
    except ModuleNotFoundError as error:
        raise UsageError(f"the SQL store's URL names a driver that is not installed: {error.name}") from None
    except (SQLAlchemyError, ValueError):
        raise UsageError("the SQL store's URL cannot be used: see SQLAlchemy's 'Database URLs'") from None


def _create(connection: Connection, statements: SQLStatements) -> None:
    table = statements.table
    try:
        table.metadata.create_all(connection, checkfirst=True)
    except DBAPIError:
        if not inspect(connection).has_table(table.name, schema=table.schema):
            raise
        # another process made it between our look and our attempt


def _ours(error: Exception) -> StoreError:
    if isinstance(error, StatementError):
        error.hide_parameters, error.params = True, None  # an engine that was given may show what was to be stored
    cause = getattr(error, "orig", None) or error
    return StoreError(
        f"the database does not answer as it should ({type(cause).__name__}); has create_table made the table?",
        retryable=isinstance(error, OSError | OperationalError | InterfaceError | PoolTimeout),
    )

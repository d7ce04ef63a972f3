"""Engines for an SQL store with a URL: every statement has a time limit, and no statement that writes is sent twice.

Theory of operation. A database may accept a connection and then not respond, because its machine is stopped or a
firewall drops the packets. SQLAlchemy has no timeout for that, and few drivers have one. So a call is bounded by the
timeouts of its driver if it has them. Otherwise, a blocking call runs in a thread of its own with a deadline, and
asyncio bounds an awaited call. No timeout is set at the server: behind PgBouncer, a `statement_timeout` would apply to
another client.

Every statement is a transaction of its own, so no BEGIN, COMMIT or ROLLBACK is sent. A connection is checked before its
use only if it was idle, because a check in the middle of a renewal would double the round trips.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final, TypeVar

from sqlalchemy import URL, Engine, create_engine, event, make_url
from sqlalchemy.exc import InvalidatePoolError, SQLAlchemyError

from doorkey.arguments import seconds
from doorkey.errors import StoreError, TransportError, UsageError, scrubbed
from doorkey.runtime.deadline import within
from doorkey.runtime.unattended import UnattendedTask
from doorkey.stores.limits import MAX_TIMEOUT
from doorkey.stores.sql_file import keep_private

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

__all__: list[str] = []

T = TypeVar("T")

IDLE: Final = 1.0
"""Seconds after which an idle connection may be dead, and is checked before its use."""
_IDLE_SINCE: Final = "doorkey_idle_since"


class Bounded:
    """Creates the engines of one store from its `url`, and ends their calls after `timeout` seconds.

    Raises `UsageError` for an invalid URL or timeout, and for a URL whose driver is not installed.
    """

    def __init__(self, url: str, timeout: float) -> None:
        seconds(timeout, "an SQL store's timeout", least=0.001, most=MAX_TIMEOUT)
        try:
            self._url = make_url(url)
            self._driver = self._url.get_driver_name()
            self.dialect = self._url.get_backend_name()
        except (SQLAlchemyError, ValueError) as error:
            raise _unusable() from scrubbed(error)
        except ModuleNotFoundError as error:
            raise _not_installed(error) from None
        self._timeout = timeout
        self._ending: set[asyncio.Future[Any]] = set()

    def engine(self) -> Engine:
        """Return an engine for blocking calls."""
        made: Engine = self._made(create_engine)
        return made

    def async_engine(self) -> AsyncEngine:
        """Return an engine for awaited calls."""
        made: AsyncEngine = self._made(asynchronous().create_async_engine)
        return made

    def run(self, call: Callable[[], T]) -> T:
        """Return the result of the blocking `call()`. Raises `StoreError` if it does not end in time."""
        if self._driver in _BOUND_ITSELF:
            return call()
        try:
            return within(self._timeout, call)
        except TransportError:
            raise self._silent() from None

    async def arun(self, call: Callable[[], Awaitable[T]]) -> T:
        """Await `call()` and return its result. Raises `StoreError` if it does not end in time."""
        if self._driver in _BOUND_ITSELF:
            return await call()
        task = UnattendedTask(_awaited(call), is_at_risk=True)  # a token must be saved even if the loop ends meanwhile
        try:
            await asyncio.wait((task,), timeout=self._timeout)
        finally:
            if not task.done():  # the caller does not wait for a driver that takes long to stop
                task.cancel()
                self._ending.add(task)
                task.add_done_callback(self._ended)
        if not task.done():
            raise self._silent()
        return task.result()

    def _ended(self, task: asyncio.Future[Any]) -> None:
        self._ending.discard(task)
        if not task.cancelled():
            task.exception()  # no caller awaits the task: asyncio would log an exception that is never retrieved

    def _silent(self) -> StoreError:
        return StoreError(f"the database did not respond within {self._timeout:g} s", retryable=True)

    def _made(self, create: Any) -> Any:
        options: dict[str, Any] = {} if self.dialect == "sqlite" else {"pool_timeout": self._timeout}
        try:
            engine = create(
                self._url,
                isolation_level="AUTOCOMMIT",
                skip_autocommit_rollback=True,
                hide_parameters=True,  # no stored value appears in SQLAlchemy's errors and logs
                connect_args=_timeouts(self._url, self._driver, self._timeout),
                **options,
            )
        except ModuleNotFoundError as error:
            raise _not_installed(error) from None
        except (SQLAlchemyError, ValueError) as error:
            raise _unusable() from scrubbed(error)
        _check_idle_connections(getattr(engine, "sync_engine", engine))
        if self.dialect == "sqlite":
            keep_private(getattr(engine, "sync_engine", engine))
        return engine


_BOUND_ITSELF: Final = ("pymysql", "mysqldb", "pysqlite", "aiosqlite")
"""Drivers whose own timeouts end every wait."""


def _timeouts(url: URL, driver: str, seconds: float) -> dict[str, Any]:
    """Return the timeout options of the driver, without those that the URL sets."""
    whole = math.ceil(seconds)
    match driver:
        case "psycopg" | "psycopg2":
            own: dict[str, Any] = {"connect_timeout": max(whole, 2)}  # the driver raises 1 to 2, and 0 means no timeout
        case "pymysql":
            own = {"connect_timeout": seconds, "read_timeout": seconds, "write_timeout": seconds}
        case "mysqldb":
            own = {"connect_timeout": whole, "read_timeout": whole, "write_timeout": whole}
        case "pysqlite" | "aiosqlite":
            own = {"timeout": seconds}
        case _:
            own = {}
    return {name: value for name, value in own.items() if name not in url.query}


def _check_idle_connections(engine: Engine) -> None:
    """Check connections of `engine` that were idle, and replace a dead one and all that were opened before it."""

    def checked_in(_: Any, record: Any) -> None:
        record.info[_IDLE_SINCE] = time.monotonic()

    def checked_out(connection: Any, record: Any, _: Any) -> None:
        since = record.info.get(_IDLE_SINCE)
        if since is None or time.monotonic() - since < IDLE:
            return
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as error:
            raise InvalidatePoolError from error

    event.listen(engine, "checkin", checked_in)
    event.listen(engine, "checkout", checked_out)


def asynchronous() -> Any:
    """Return SQLAlchemy's asyncio module. Raises `UsageError` if it cannot be imported."""
    try:
        from sqlalchemy.ext import asyncio as module
    except ImportError as error:
        raise UsageError(
            "an asynchronous SQL store needs greenlet, which is not installed: pip install 'sqlalchemy[asyncio]'"
        ) from error
    return module


def _unusable() -> UsageError:
    return UsageError("the SQL store's URL cannot be used: see SQLAlchemy's 'Database URLs'")


def _not_installed(error: ModuleNotFoundError) -> UsageError:
    return UsageError(f"the SQL store's URL names a driver that is not installed: {error.name}")


async def _awaited(call: Callable[[], Awaitable[T]]) -> T:
    return await call()

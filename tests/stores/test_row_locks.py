"""A row that another program keeps locked in an open transaction blocks a call of a store for its timeout only."""

import sqlite3
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from doorkey.errors import StoreError
from doorkey.stores import AsyncSQLiteStore, AsyncSQLStore, AsyncStore, Record, SQLiteStore, SQLStore, Store
from tests.support.every_store import LONG, Place, kinds, place_of, taken

HASTY = 0.5
"""Seconds that a call takes at most; one that is to succeed has `LONG`, because the machine may be busy."""
PATIENCE = 200
"""How many calls may pass until a store has connected."""
LEASE = 500
"""Seconds of a lease that would outlast the test."""

on_each_database = pytest.mark.parametrize(
    "place", kinds("sqlite", "sql-sqlite", "postgres", "mariadb", "mysql"), indirect=True
)


@pytest.fixture
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    return place_of(request.param, request, tmp_path)


def hasty_store(place: Place) -> Store:
    return (SQLiteStore if place.kind == "sqlite" else SQLStore)(place.where, timeout=HASTY)


def async_store(place: Place, timeout: float) -> AsyncStore:
    if place.kind == "sqlite":
        return AsyncSQLiteStore(place.where, timeout=timeout)
    url = place.where.replace("sqlite://", "sqlite+aiosqlite://").replace("+pymysql", "+asyncmy")
    return AsyncSQLStore(url, timeout=timeout)


async def connected(hasty: Store, hasty_async: AsyncStore, key: str) -> None:
    """Open the connections of two stores, with as many calls as that takes on a busy machine."""
    for _ in range(PATIENCE):
        with suppress(StoreError):
            hasty.load(key)
            await hasty_async.load(key)
            return
    raise AssertionError("a store cannot connect in time")


@contextmanager
def locked(place: Place) -> Generator[Callable[[float], object]]:
    """Keep all rows locked, and yield a function that lets the database wait for some seconds."""
    if place.kind == "sqlite":
        with closing(sqlite3.connect(place.where, isolation_level=None)) as own:
            own.execute("BEGIN IMMEDIATE")
            yield float  # which does nothing: a statement ends with its call
        return
    engine = create_engine(place.where)
    try:
        with engine.begin() as connection:
            connection.execute(text("UPDATE doorkey_tokens SET owner = ''"))
            waits = {"postgresql": "SELECT pg_sleep(:seconds)", "sqlite": "SELECT :seconds"}
            wait = text(waits.get(engine.dialect.name, "SELECT sleep(:seconds)"))
            yield lambda seconds: connection.execute(wait, {"seconds": seconds})
    finally:
        engine.dispose()


@on_each_database
def test_a_locked_row_is_read_and_a_change_of_it_ends_at_the_timeout(place: Place, key: str) -> None:
    with closing(place.open()) as store, closing(hasty_store(place)) as hasty:
        assert store.commit(key, b"data", expected=0) == 1
        with locked(place):
            for change in (lambda: hasty.try_lease(key, 20), lambda: hasty.commit(key, b"new", expected=1)):
                with pytest.raises(StoreError) as caught:
                    change()
                assert caught.value.retryable
            assert store.load(key) == Record(1, b"data")


@pytest.mark.anyio
@on_each_database
async def test_an_asynchronous_store_does_so_too(place: Place, key: str) -> None:
    with closing(place.open()) as store:
        assert store.commit(key, b"data", expected=0) == 1
    hasty, patient = async_store(place, HASTY), async_store(place, LONG)
    with locked(place):
        for change in (lambda: hasty.try_lease(key, 20), lambda: hasty.commit(key, b"new", expected=1)):
            with pytest.raises(StoreError) as caught:
                await change()
            assert caught.value.retryable
        assert await patient.load(key) == Record(1, b"data")
    await hasty.close()
    await patient.close()


@pytest.mark.anyio
@on_each_database
async def test_a_call_that_ended_at_its_timeout_takes_no_lease_later(place: Place, key: str) -> None:
    """The first call of each store opens its connection, so that the others only wait for the lock."""
    with closing(place.open()) as store, closing(hasty_store(place)) as hasty:
        assert store.commit(key, b"data", expected=0) == 1
        hasty_async = async_store(place, HASTY)
        await connected(hasty, hasty_async, key)
        with locked(place) as wait:
            with pytest.raises(StoreError):
                hasty.try_lease(key, LEASE)
            with pytest.raises(StoreError):
                await hasty_async.try_lease(key, LEASE)
            wait(8 * HASTY)  # longer than a busy machine takes to send a statement
        store.release(taken(store, key, LEASE))
        await hasty_async.close()

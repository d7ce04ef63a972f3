"""The loggers of SQLAlchemy and of the drivers at DEBUG: they log statements, parameters and rows, and no token."""

import asyncio
import logging
from contextlib import closing
from typing import Any

import pytest
from sqlalchemy import create_engine
from sqlalchemy.ext.asyncio import create_async_engine

from doorkey.errors import StoreError
from doorkey.stores import AsyncSQLStore, Record, SQLStore
from tests.support.every_store import LONG, Place, kinds

SQL = ("sql-sqlite", "postgres", "mariadb", "mysql")
SECRET = "-".join(["s3cret", "refresh", "token"]).encode()
ROW = f"Row (2, <{len(SECRET) + 1} bytes>, {len(SECRET) + 1})"


def shown(caplog: pytest.LogCaptureFixture) -> str:
    """What any formatter or collector of log records can show."""
    return "\n".join(f"{record.getMessage()} {record.args!r} {record.__dict__!r}" for record in caplog.records)


@pytest.fixture(params=["own engine", "given engine", "echo"])
def options(request: pytest.FixtureRequest) -> dict[str, Any] | None:
    """Options of an engine that is given; None for a store that makes its own."""
    return {"own engine": None, "given engine": {}, "echo": {"echo": "debug", "hide_parameters": False}}[request.param]


@pytest.mark.parametrize("place", kinds(*SQL), indirect=True)
def test_a_store_whose_library_logs_at_debug_shows_no_token(
    place: Place, key: str, options: dict[str, Any] | None, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, "sqlalchemy")
    where = place.where if options is None else create_engine(place.where, **options)
    with closing(SQLStore(where, timeout=LONG)) as store:
        store.create_table()
        assert store.commit(key, SECRET, expected=0) == 1
        assert store.commit(key, SECRET + b"2", expected=1) == 2
        assert store.load(key) == Record(2, SECRET + b"2")
    with closing(SQLStore(where, table="not_made", timeout=LONG)) as missing, pytest.raises(StoreError):
        missing.commit(key, SECRET, expected=1)
    text = shown(caplog)
    assert "SELECT" in text
    assert ROW in text
    assert "s3cret" not in text
    assert SECRET.hex() not in text
    if not isinstance(where, str):
        where.dispose()


@pytest.mark.parametrize("place", kinds(*SQL), indirect=True)
def test_an_asynchronous_store_whose_library_logs_at_debug_shows_no_token(
    place: Place, key: str, options: dict[str, Any] | None, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, "sqlalchemy")
    url = place.where.replace("sqlite://", "sqlite+aiosqlite://").replace("+pymysql", "+asyncmy")

    async def use() -> None:
        where = url if options is None else create_async_engine(url, **options)
        store = AsyncSQLStore(where, timeout=LONG)
        await store.create_table()
        assert await store.commit(key, SECRET, expected=0) == 1
        assert await store.commit(key, SECRET + b"2", expected=1) == 2
        assert await store.load(key) == Record(2, SECRET + b"2")
        await store.close()
        if not isinstance(where, str):
            await where.dispose()

    asyncio.run(use())
    text = shown(caplog)
    assert ROW in text
    assert "s3cret" not in text
    assert SECRET.hex() not in text

"""A row that another program keeps locked in an open transaction blocks a call of a store for its timeout only."""

from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from doorkey.errors import StoreError
from doorkey.stores import AsyncSQLStore, Record, SQLStore
from tests.support.every_store import LONG, Place, kinds, place_of

HASTY = 0.5
"""Seconds that a call takes at most; one that is to succeed has `LONG`, because the machine may be busy."""


@pytest.fixture
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    return place_of(request.param, request, tmp_path)


@contextmanager
def locked(place: Place) -> Generator[None]:
    """Keep all rows locked."""
    engine = create_engine(place.where)
    try:
        with engine.begin() as connection:
            connection.execute(text("UPDATE doorkey_tokens SET owner = ''"))
            yield
    finally:
        engine.dispose()


@pytest.mark.parametrize("place", kinds("mariadb"), indirect=True)
def test_a_locked_row_is_read_and_a_change_of_it_ends_at_the_timeout(place: Place, key: str) -> None:
    with closing(place.open()) as store, closing(SQLStore(place.where, timeout=HASTY)) as hasty:
        assert store.commit(key, b"data", expected=0) == 1
        with locked(place):
            for change in (lambda: hasty.try_lease(key, 20), lambda: hasty.commit(key, b"new", expected=1)):
                with pytest.raises(StoreError) as caught:
                    change()
                assert caught.value.retryable
            assert store.load(key) == Record(1, b"data")


@pytest.mark.anyio
@pytest.mark.parametrize("place", kinds("mariadb", "postgres"), indirect=True)
async def test_an_asynchronous_store_does_so_too(place: Place, key: str) -> None:
    with closing(place.open()) as store:
        assert store.commit(key, b"data", expected=0) == 1
    url = place.where.replace("+pymysql", "+asyncmy")
    hasty, patient = AsyncSQLStore(url, timeout=HASTY), AsyncSQLStore(url, timeout=LONG)
    with locked(place):
        for change in (lambda: hasty.try_lease(key, 20), lambda: hasty.commit(key, b"new", expected=1)):
            with pytest.raises(StoreError) as caught:
                await change()
            assert caught.value.retryable
        assert await patient.load(key) == Record(1, b"data")
    await hasty.close()
    await patient.close()

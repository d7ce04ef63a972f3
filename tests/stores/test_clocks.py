"""A store whose clock is set back after the holder of a lease has died does not keep the key locked until then."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import redis
from sqlalchemy import create_engine, text

from doorkey.stores.limits import MAX_LEASE
from tests.support.every_store import REDIS, Place, kinds, place_of

EACH = kinds("sqlite", "redis", "redis6", "valkey", "postgres", "mariadb", "sql-sqlite")
CLIENT: Any = redis.Redis
SHIFT = "UPDATE {} SET leased_until = leased_until + {} WHERE owner <> ''"


@pytest.fixture(params=EACH)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    return place_of(request.param, request, tmp_path)


def set_back(place: Place, key: str, seconds: float) -> None:
    """Leave the lease of `key` as it is once the clock of the store was set back by so many seconds."""
    if place.kind == "sqlite":
        with closing(sqlite3.connect(place.where)) as db, db:
            db.execute(SHIFT.format("record", seconds))
    elif place.kind in REDIS:
        with CLIENT.from_url(place.where) as client:
            lease = f"test:{{{key}}}:lease"
            client.pexpire(lease, client.pttl(lease) + round(seconds * 1000))
    else:
        engine = create_engine(place.where)
        with engine.begin() as connection:
            bound = {"key": key.encode() if place.kind == "mariadb" else key}
            column = "`key`" if place.kind == "mariadb" else "key"
            connection.execute(text(SHIFT.format("doorkey_tokens", seconds) + f" AND {column} = :key"), bound)
        engine.dispose()


def test_a_lease_that_ends_later_than_any_can_is_over(place: Place, key: str) -> None:
    with closing(place.open()) as store:
        lost = store.try_lease(key, 20)
        assert lost is not None
        set_back(place, key, 3600)
        mine = store.try_lease(key, 20)
        assert mine is not None
        assert store.try_lease(key, 20) is None
        store.release(lost)  # its owner lives after all: it is not its lease any longer
        assert store.try_lease(key, 20) is None
        store.release(mine)


def test_the_longest_lease_is_held(place: Place, key: str) -> None:
    with closing(place.open()) as store:
        lease = store.try_lease(key, MAX_LEASE)
        assert lease is not None
        assert store.try_lease(key, 1) is None
        set_back(place, key, 60)  # as a statement sees it that began so many seconds before the lease was taken
        assert store.try_lease(key, 1) is None
        store.release(lease)

"""Records that another program planted in the database: typed errors, and the next save overrides them."""

import sqlite3
import tracemalloc
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import pytest
import redis
from sqlalchemy import create_engine, text

from doorkey.errors import RecordError
from doorkey.stores import AsyncStore, Record
from doorkey.stores.limits import MAX_DATA, MAX_VERSION
from tests.support.every_store import REDIS, SERVERS, Awaited, Place, kinds, marks

pytestmark = pytest.mark.anyio

LARGE = 8 << 20
TYPELESS = ("sqlite", "sql-sqlite")
"""Databases whose columns hold any type."""


@dataclass(frozen=True)
class Planted:
    """What another program writes as the version and the data of a record."""

    name: str
    version: Any = 1
    data: Any = b"planted"
    typeless: bool = False


ROWS = (
    Planted("a version above every number that is exact", version=2**53),
    Planted("a version that is no version", version=-1),
    Planted("a version without a commit", version=0),
    Planted("8 MiB of data", data=b"x" * LARGE),
    Planted("a byte too much", data=bytes(MAX_DATA + 1)),
    Planted("a version that is text", version="many", typeless=True),
    Planted("a version that is 8 MiB of text", version="9" * LARGE, typeless=True),
    Planted("a version that is no whole number", version=1.5, typeless=True),
    Planted("a version that is bytes", version=b"1", typeless=True),
    Planted("data that is text", data="planted", typeless=True),
    Planted("data that is a number", data=7, typeless=True),
    Planted("8 MiB of text as data", data="x" * LARGE, typeless=True),
)


def plant(place: Place, key: str, planted: Planted) -> None:
    """Write it to the database as another program would."""
    if place.kind in REDIS:
        client: Any = redis
        with client.Redis.from_url(place.where) as connection:
            name = f"test:{{{key}}}:record"
            connection.hset(name, mapping={"version": planted.version, "data": planted.data})
        return
    if place.kind == "sqlite":
        with closing(sqlite3.connect(place.where)) as db:
            db.execute("UPDATE record SET version = ?, data = ? WHERE key = ?", (planted.version, planted.data, key))
            db.commit()
        return
    engine = create_engine(place.where)
    key_of_row: object = key.encode() if place.kind in ("mysql", "mariadb") else key
    with engine.begin() as connection:
        connection.execute(
            text(
                "UPDATE doorkey_tokens SET version = :version, data = :data WHERE key = :key".replace(
                    "key =", "`key` =" if place.kind in ("mysql", "mariadb") else "key ="
                )
            ),
            {"version": planted.version, "data": planted.data, "key": key_of_row},
        )
    engine.dispose()


def _size(data: object) -> int:
    return len(data) if isinstance(data, str | bytes) else 0


def _takes(kind: str, planted: Planted) -> bool:
    """Whether the database stores the row: as it is, and not as one that a store writes."""
    if kind in REDIS:  # everything is text there
        return _size(planted.data) > MAX_DATA or (planted.data == b"planted" and planted.version != b"1")
    if kind == "mariadb" and _size(planted.data) >= LARGE:
        return False  # it takes no statement of that size
    return kind in TYPELESS or not planted.typeless


def _cases() -> list[object]:
    cases = [(kind, planted) for kind in (*TYPELESS, *SERVERS) for planted in ROWS if _takes(kind, planted)]
    return [pytest.param(kind, planted, id=f"{kind}-{planted.name}", marks=marks(kind)) for kind, planted in cases]


@pytest.fixture(params=["blocking", "awaiting"])
async def store(request: pytest.FixtureRequest, place: Place) -> AsyncIterator[AsyncStore]:
    opened: AsyncStore = Awaited(place.open()) if request.param == "blocking" else await place.aopen()
    yield opened
    await opened.close()


@pytest.mark.parametrize(("place", "planted"), _cases(), indirect=["place"])
async def test_a_planted_record_is_a_typed_error_that_the_next_save_overrides(
    store: AsyncStore, place: Place, key: str, planted: Planted
) -> None:
    await store.commit(key, b"login", expected=0)
    plant(place, key, planted)
    tracemalloc.start()
    with pytest.raises(RecordError, match="was not written by doorkey") as caught:
        await store.load(key)
    assert tracemalloc.get_traced_memory()[1] < LARGE / 2  # it was not loaded
    tracemalloc.stop()
    assert "planted" not in str(caught.value)
    version = await store.commit(key, b"next login", expected=0)
    assert 2**40 <= version < MAX_VERSION
    assert await store.load(key) == Record(version, b"next login")
    assert await store.commit(key, b"renewed", expected=version) == version + 1
    assert await store.commit(key, b"late", expected=0) == 0
    assert await store.load(key) == Record(version + 1, b"renewed")


@pytest.mark.parametrize("place", kinds(*REDIS), indirect=True)
@pytest.mark.parametrize("kind", ["string", "list", "hash", "stream"])
async def test_a_redis_key_of_another_type_is_a_typed_error_that_the_next_save_overrides(
    store: AsyncStore, place: Place, key: str, kind: str
) -> None:
    name, client = f"test:{{{key}}}:record", redis
    with client.Redis.from_url(place.where) as connection:
        match kind:
            case "string":
                connection.set(name, "planted")
            case "list":
                connection.rpush(name, "planted")
            case "hash":
                connection.hset(name, mapping={"data": "planted"})
            case _:
                connection.xadd(name, {"data": "planted"})
    with pytest.raises(RecordError, match="was not written by doorkey"):
        await store.load(key)
    with pytest.raises(RecordError, match="was not written by doorkey"):
        await store.commit(key, b"renewed", expected=1)
    version = await store.commit(key, b"login", expected=0)
    assert await store.load(key) == Record(version, b"login")


@pytest.mark.parametrize("place", kinds("sqlite", "sql-sqlite"), indirect=True)
async def test_a_version_planted_where_nothing_is_saved_does_not_keep_the_next_save_out(
    store: AsyncStore, place: Place, key: str
) -> None:
    for version, following in (("many", None), (2**53, None), (7, 8)):
        await store.commit(key, b"login", expected=0)
        plant(place, key, Planted("deleted", version=version, data=None))
        assert await store.load(key) is None
        saved = await store.commit(key, b"login", expected=0)
        assert saved == following if following else saved >= 2**40
        assert await store.load(key) == Record(saved, b"login")


@pytest.mark.parametrize("place", kinds("sqlite", "sql-sqlite", *SERVERS), indirect=True)
async def test_the_largest_record_and_the_highest_version_are_loaded(store: AsyncStore, place: Place, key: str) -> None:
    assert await store.commit(key, b"login", expected=0) == 1
    largest = Planted("sound", version=MAX_VERSION, data=bytes(MAX_DATA))
    plant(place, key, largest)
    assert await store.load(key) == Record(MAX_VERSION, largest.data)
    assert await store.commit(key, b"late", expected=0) == 0

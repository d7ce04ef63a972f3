"""Asynchronous stores on several event loops, on the wrong one, and when their server does not answer."""

import asyncio
import gc
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import trio
from redis import asyncio as redis_asyncio
from sqlalchemy.ext.asyncio import create_async_engine

from doorkey.errors import RecordError, StoreError, UsageError
from doorkey.stores import AsyncRedisStore, AsyncSQLiteStore, AsyncSQLStore, AsyncStore, Lease, Record
from tests.servers.databases import Database
from tests.servers.handle import RealServer
from tests.servers.mariadb import MariaDB
from tests.servers.postgres import Postgres
from tests.servers.process import nobodys_port
from tests.servers.redis import Redis
from tests.support.every_store import SERVERS, SHARED, Place, kinds

REDIS: Any = redis_asyncio  # its own types are half there


@pytest.mark.parametrize("place", kinds("memory", *SHARED), indirect=True)
def test_one_store_serves_several_event_loops_one_after_the_other(place: Place, key: str) -> None:
    async def make() -> AsyncStore:
        store = await place.aopen()
        await store.close()
        return store

    async def commit(expected: int) -> int:
        try:
            return await store.commit(key, b"data", expected=expected)
        finally:
            if place.kind != "memory":
                await store.close()

    store = asyncio.run(make())
    assert [asyncio.run(commit(expected)) for expected in range(3)] == [1, 2, 3]


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # the loop ended without closing the store
@pytest.mark.parametrize("place", kinds("redis", "postgres"), indirect=True)
def test_connections_of_a_loop_that_ended_are_not_used_by_the_next(place: Place, key: str) -> None:
    async def commit(expected: int) -> int:
        version = await store.commit(key, b"data", expected=expected)
        if expected == 2:
            await store.close()
        return version

    store = asyncio.run(place.aopen())
    assert [asyncio.run(commit(expected)) for expected in range(3)] == [1, 2, 3]
    gc.collect()


def test_a_store_whose_library_is_asyncios_says_so_on_trio() -> None:
    for store in (AsyncRedisStore("redis://127.0.0.1:1"), AsyncSQLStore("sqlite+aiosqlite://")):
        with pytest.raises(UsageError, match="asyncio"):
            trio.run(store.load, "key")


def test_an_asynchronous_store_that_cannot_be_reached_is_a_typed_error_without_its_password() -> None:
    async def ask(call: Callable[[], Awaitable[object]]) -> None:
        with pytest.raises(StoreError) as caught:
            await call()
        assert caught.value.retryable
        assert caught.value.__cause__ is not None
        assert "hunter2" not in f"{caught.value} {caught.value.__cause__}"

    async def all_calls(store: AsyncStore) -> None:
        await ask(lambda: store.load("key"))
        await ask(lambda: store.try_lease("key", 1))
        await ask(lambda: store.commit("key", b"", expected=1))
        await ask(lambda: store.release(Lease("key", "owner")))
        if isinstance(store, AsyncSQLStore):
            await ask(store.create_table)
        await store.close()

    with nobodys_port() as nobody:
        stores: tuple[AsyncStore, ...] = (
            AsyncRedisStore(f"redis://user:hunter2@127.0.0.1:{nobody}"),
            AsyncSQLStore(f"postgresql+psycopg://user:hunter2@127.0.0.1:{nobody}/x"),
            AsyncSQLStore(f"mysql+asyncmy://user:hunter2@127.0.0.1:{nobody}/x"),
        )
        for store in stores:
            asyncio.run(all_calls(store))


def test_an_asynchronous_client_that_is_given_stays_open(redis_server: RealServer, key: str) -> None:
    async def use() -> None:
        async with REDIS.from_url(redis_server.origin) as client:
            store = AsyncRedisStore(client)
            assert await store.commit(key, b"data", expected=0) == 1
            await store.close()
            assert await client.ping()
            await client.set(f"doorkey:{{{key}x}}:record", "foreign")
            with pytest.raises(RecordError, match="was not written by doorkey"):
                await store.load(f"{key}x")
        async with REDIS.from_url(redis_server.origin, decode_responses=True) as client:
            with pytest.raises(UsageError, match="decode"):
                AsyncRedisStore(client)

    asyncio.run(use())


def test_an_asynchronous_engine_that_is_given_stays_open(postgres: RealServer, key: str) -> None:
    async def use() -> None:
        engine = create_async_engine(postgres.origin)
        store = AsyncSQLStore(engine)
        await store.create_table()
        first, second = await asyncio.gather(
            store.commit(key, b"one", expected=0), store.commit(key, b"other", expected=0)
        )
        assert sorted([first, second]) == [0, 1]
        await store.close()
        assert await store.load(key) == Record(1, b"one" if first else b"other")
        await engine.dispose()

    asyncio.run(use())


@pytest.mark.parametrize("place", kinds(*SHARED), indirect=True)
def test_a_canceled_caller_leaves_the_store_usable(place: Place, key: str) -> None:
    async def use() -> None:
        store = await place.aopen()
        for _ in range(10):
            task = asyncio.create_task(store.commit(key, b"cancelled", expected=0))
            await asyncio.sleep(0)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await store.try_lease(key, 0.001)
        seen = await store.load(key)
        version = seen.version if seen else 0
        assert version in (0, 1)  # made or not, never half
        assert await store.commit(key, b"data", expected=version) == version + 1
        await store.close()

    asyncio.run(use())


@pytest.mark.parametrize("kind", [Redis, Postgres, MariaDB], ids=lambda kind: kind.name)
@pytest.mark.real_server
def test_an_asynchronous_store_that_was_restarted_goes_on_with_what_it_had(
    kind: type[Database], request: pytest.FixtureRequest, key: str
) -> None:
    """Its idle connections have died meanwhile, without a notice."""
    request.getfixturevalue(SERVERS[kind.name])  # skips or fails the test without a server

    async def several(store: AsyncStore) -> list[Record | None]:
        return await asyncio.gather(*[store.load(key) for _ in range(3)])

    async def use(server: Database) -> None:
        with server.serving():
            store = await Place(server.name, server.url).aopen()
            assert await store.commit(key, b"data", expected=0) == 1
            await several(store)
        with server.serving():
            assert await several(store) == [Record(1, b"data")] * 3
            assert await store.try_lease(key, 1)
            assert await store.commit(key, b"more", expected=1) == 2
            await store.close()

    server = kind()
    server.install()
    server.prepare()
    try:
        asyncio.run(use(server))
    finally:
        server.remove()


def test_without_anyio_the_asynchronous_sqlite_store_names_the_extra(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("anyio", "anyio.to_thread"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(UsageError, match=r"doorkey\[sqlite\]"):
        AsyncSQLiteStore(tmp_path / "tokens.db")

"""A store that hangs: it takes the connection, or had it for long, and answers nothing. No caller waits for ever."""

import asyncio
import traceback
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import pytest

from doorkey.errors import StoreError, UsageError
from doorkey.stores import AsyncRedisStore, AsyncSQLStore, AsyncStore, Lease, Record, RedisStore, SQLStore, Store
from tests.servers.handle import RealServer
from tests.support.every_store import LONG, SERVERS
from tests.support.tcp_proxy import TCPProxy, tcp_proxy

SHORT = 0.2
"""Seconds, where nothing is to answer."""
ENOUGH = 1.0
"""Seconds, where the server is read from until the wire is cut. What it writes may wait for the disk: that has LONG."""
ATTEMPTS = 60
"""How often the server is read from until it answers in time: a busy machine may need several."""

NAMES = ("redis", "postgres", "mariadb")
KINDS = [pytest.param(kind, id=kind) for kind in NAMES]
REAL = [pytest.param(kind, id=kind, marks=pytest.mark.real_server) for kind in NAMES]


def _postgres(port: int) -> str:
    return f"postgresql+psycopg://doorkey:hunter2@127.0.0.1:{port}/postgres"


def _mariadb(port: int, driver: str) -> str:
    return f"mysql+{driver}://doorkey:pass-word@127.0.0.1:{port}/doorkey"


def blocking(kind: str, port: int, timeout: float) -> Store:
    match kind:
        case "redis":
            return RedisStore(f"redis://127.0.0.1:{port}/0", timeout=timeout)
        case "postgres":
            return SQLStore(_postgres(port), timeout=timeout)
        case _:
            return SQLStore(_mariadb(port, "pymysql"), timeout=timeout)


def awaited(kind: str, port: int, timeout: float) -> AsyncStore:
    match kind:
        case "redis":
            return AsyncRedisStore(f"redis://127.0.0.1:{port}/0", timeout=timeout)
        case "postgres":
            return AsyncSQLStore(_postgres(port), timeout=timeout)
        case _:
            return AsyncSQLStore(_mariadb(port, "asyncmy"), timeout=timeout)


def calls_of(store: Any) -> list[Callable[[], Any]]:
    """Every call of a store."""
    calls: list[Callable[[], Any]] = [
        partial(store.load, "key"),
        partial(store.try_lease, "key", 1),
        partial(store.commit, "key", b"", expected=1),
        partial(store.release, Lease("key", "owner")),
    ]
    return [*calls, store.create_table] if hasattr(store, "create_table") else calls


@pytest.fixture
def nobody() -> Iterator[TCPProxy]:
    with tcp_proxy() as one:
        yield one


@pytest.fixture
def real(kind: str, request: pytest.FixtureRequest) -> Iterator[TCPProxy]:
    """A wire to the real server of that kind."""
    server: RealServer = request.getfixturevalue(SERVERS[kind])
    with tcp_proxy(urlsplit(server.origin).port) as one:
        yield one


def saved(kind: str, port: int, key: str) -> None:
    """Have a record there."""
    with closing(blocking(kind, port, LONG)) as store:
        if isinstance(store, SQLStore):
            store.create_table()
        assert store.commit(key, b"data", expected=0) == 1


def loaded(store: Store, key: str) -> Record | None:
    """The record, as soon as the server answers in time."""
    for _ in range(ATTEMPTS):
        with suppress(StoreError):
            return store.load(key)
    raise AssertionError("the server does not answer")


async def aloaded(store: AsyncStore, key: str) -> Record | None:
    """The record, as soon as the server answers in time."""
    for _ in range(ATTEMPTS):
        with suppress(StoreError):
            return await store.load(key)
    raise AssertionError("the server does not answer")


@pytest.mark.parametrize("kind", KINDS)
def test_a_server_that_takes_the_connection_and_says_nothing_is_a_typed_error(kind: str, nobody: TCPProxy) -> None:
    store = blocking(kind, nobody.port, SHORT)
    with closing(store):
        for call in calls_of(store):
            with pytest.raises(StoreError) as caught:
                call()
            assert caught.value.retryable
            assert "hunter2" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("kind", KINDS)
def test_an_asynchronous_store_whose_server_says_nothing_is_a_typed_error(kind: str, nobody: TCPProxy) -> None:
    async def ask() -> None:
        store = awaited(kind, nobody.port, SHORT)
        for call in calls_of(store):
            with pytest.raises(StoreError) as caught:
                await call()
            assert caught.value.retryable
        await store.close()

    asyncio.run(ask())


@pytest.mark.parametrize("kind", REAL)
def test_a_server_that_falls_silent_is_an_outage_and_is_used_again_when_it_is_back(
    kind: str, real: TCPProxy, key: str
) -> None:
    saved(kind, real.port, key)
    store = blocking(kind, real.port, ENOUGH)
    with closing(store):
        assert loaded(store, key) == Record(1, b"data")
        real.cut()
        with pytest.raises(StoreError) as caught:
            store.load(key)
        assert caught.value.retryable
        real.mend()
        assert loaded(store, key) == Record(1, b"data")


@pytest.mark.parametrize("kind", REAL)
def test_an_asynchronous_store_whose_server_falls_silent_is_used_again_when_it_is_back(
    kind: str, real: TCPProxy, key: str
) -> None:
    async def use() -> None:
        store = awaited(kind, real.port, ENOUGH)
        assert await aloaded(store, key) == Record(1, b"data")
        real.cut()
        with pytest.raises(StoreError) as caught:
            await store.load(key)
        assert caught.value.retryable
        real.mend()
        assert await aloaded(store, key) == Record(1, b"data")
        await store.close()

    saved(kind, real.port, key)
    asyncio.run(use())


@pytest.mark.parametrize("timeout", [0, -1, float("inf"), float("nan"), True, "5"])
def test_a_timeout_that_is_none_is_refused(timeout: Any) -> None:
    for kind, url in ((SQLStore, "sqlite://"), (AsyncSQLStore, "sqlite+aiosqlite://")):
        with pytest.raises(UsageError, match="timeout"):
            kind(url, timeout=timeout)

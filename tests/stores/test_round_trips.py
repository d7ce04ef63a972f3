"""The round trips of a call: other callers wait for a renewal, so it sends no statement twice."""

import asyncio
import math
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit

import pytest

from doorkey.stores import AsyncSQLStore, SQLStore, sql_engine
from tests.servers.handle import RealServer
from tests.support.every_store import LONG, SERVERS
from tests.support.tcp_proxy import TCPProxy, tcp_proxy

KINDS = [
    pytest.param(kind, held, id=kind, marks=pytest.mark.real_server)
    for kind, held in (("postgres", 1), ("mariadb", 2))  # MariaDB cannot change and read in one statement
]


@pytest.fixture
def busy(monkeypatch: pytest.MonkeyPatch) -> None:
    """However slow the machine is, no connection was idle for so long that it would be looked at first."""
    monkeypatch.setattr(sql_engine, "IDLE", math.inf)


@pytest.fixture
def real(kind: str, request: pytest.FixtureRequest) -> Iterator[TCPProxy]:
    """A wire to the real server of that kind."""
    server: RealServer = request.getfixturevalue(SERVERS[kind])
    with tcp_proxy(urlsplit(server.origin).port) as one:
        yield one


def url_of(kind: str, port: int, *, awaited: bool) -> str:
    if kind == "postgres":
        return f"postgresql+psycopg://doorkey@127.0.0.1:{port}/postgres"
    return f"mysql+{'asyncmy' if awaited else 'pymysql'}://doorkey:pass-word@127.0.0.1:{port}/doorkey"


@pytest.mark.usefixtures("busy")
@pytest.mark.parametrize(("kind", "held"), KINDS)
def test_each_call_of_an_sql_store_is_one_round_trip(kind: str, held: int, real: TCPProxy, key: str) -> None:
    def cost(call: Callable[[], object]) -> int:
        before = real.asked
        call()
        return real.asked - before

    with closing(SQLStore(url_of(kind, real.port, awaited=False), timeout=LONG)) as store:
        store.create_table()
        assert store.commit(key, b"1", expected=0) == 1
        lease = store.try_lease(key, 60)
        assert lease is not None
        assert cost(lambda: store.load(key)) == 1
        assert cost(lambda: store.commit(key, b"2", expected=1)) == 1
        assert cost(lambda: store.try_lease(key, 60)) == held
        assert cost(lambda: store.release(lease)) == 1
        assert cost(lambda: store.try_lease(key, 60)) == 1


@pytest.mark.usefixtures("busy")
@pytest.mark.parametrize(("kind", "held"), KINDS)
def test_each_call_of_an_asynchronous_sql_store_is_one_round_trip(
    kind: str, held: int, real: TCPProxy, key: str
) -> None:
    async def use() -> list[int]:
        store = AsyncSQLStore(url_of(kind, real.port, awaited=True), timeout=LONG)
        await store.create_table()
        await store.commit(key, b"1", expected=0)
        costs: list[int] = []
        lease = await store.try_lease(key, 60)
        assert lease is not None
        calls: list[Callable[[], Any]] = [
            lambda: store.load(key),
            lambda: store.commit(key, b"2", expected=1),
            lambda: store.try_lease(key, 60),
            lambda: store.release(lease),
            lambda: store.try_lease(key, 60),
        ]
        for call in calls:
            before = real.asked
            await call()
            costs.append(real.asked - before)
        await store.close()
        return costs

    assert asyncio.run(use()) == [1, 1, held, 1, 1]


@pytest.mark.parametrize(("kind", "held"), KINDS)
def test_a_connection_that_was_idle_is_looked_at_before_it_is_used(
    kind: str, held: int, real: TCPProxy, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(SQLStore(url_of(kind, real.port, awaited=False), timeout=LONG)) as store:
        store.create_table()
        monkeypatch.setattr(sql_engine, "IDLE", 0.0)
        before = real.asked
        store.load(key)
        assert real.asked - before == 2
        real.hang_up()  # as a server that is restarted does
        assert store.load(key) is None

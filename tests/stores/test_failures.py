"""Stores that go away, come back, forget everything, or were never there: typed errors, nothing lost in silence."""

import traceback
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import redis
from redis import asyncio as redis_asyncio
from redis import cluster
from sqlalchemy import create_engine, text

from doorkey.errors import RecordError, StoreError, UsageError
from doorkey.stores import AsyncRedisStore, AsyncSQLStore, Record, RedisStore, SQLStore, Store
from tests.servers.databases import Database
from tests.servers.handle import RealServer
from tests.servers.mariadb import MariaDB
from tests.servers.postgres import Postgres
from tests.servers.process import CLIENTS_PORTS, nobodys_port, port_of_ones_own
from tests.servers.redis import Redis
from tests.stores.own_server import own, until
from tests.support.every_store import Place

REDIS: Any = redis  # its own types are half there
CLUSTER: Any = cluster
AREDIS: Any = redis_asyncio


@pytest.mark.parametrize("fixture", ["mariadb", "mysql"])
@pytest.mark.real_server
def test_a_database_that_starts_for_a_test_removes_no_temporary_table_of_another(
    fixture: str, request: pytest.FixtureRequest
) -> None:
    server: RealServer = request.getfixturevalue(fixture)
    engine = create_engine(server.origin)
    with engine.connect() as connection:
        folder = connection.execute(text("SELECT @@tmpdir")).scalar_one()
    engine.dispose()
    assert server.log is not None
    assert Path(folder) == server.log.parent


def client_of(url: str, **options: bool) -> Any:
    return REDIS.Redis.from_url(url, **options)


@pytest.mark.parametrize(
    ("kind", "fixture"), [(Redis, "redis_server"), (Postgres, "postgres"), (MariaDB, "mariadb")], ids=lambda kind: kind
)
@pytest.mark.real_server
def test_a_store_that_was_restarted_goes_on_with_what_it_had(
    kind: type[Database], fixture: str, request: pytest.FixtureRequest, key: str
) -> None:
    request.getfixturevalue(fixture)  # skips or fails the test without a server
    with own(kind()) as server:
        with server.serving():
            store = Place(server.name, server.url).open()
            assert store.commit(key, b"data", expected=0) == 1
        calls = (
            partial(store.load, key),
            partial(store.try_lease, key, 1),
            partial(store.commit, key, b"lost?", expected=1),
        )
        for call in calls:
            with pytest.raises(StoreError) as caught:
                call()
            assert caught.value.retryable
            assert caught.value.__cause__ is not None
        with server.serving():
            assert store.load(key) == Record(1, b"data")
            assert store.commit(key, b"more", expected=1) == 2
            store.close()


@pytest.mark.skipif(not CLIENTS_PORTS.exists(), reason="only Linux tells which ports clients are given")
def test_a_database_has_a_port_that_no_client_is_given_while_it_is_stopped() -> None:
    lowest, highest = map(int, CLIENTS_PORTS.read_text().split())
    assert not any(lowest <= kind().port <= highest for kind in (Redis, Postgres, MariaDB))


@pytest.mark.usefixtures("redis_server")
def test_a_redis_that_was_flushed_is_an_error_and_accepts_the_next_save(key: str) -> None:
    with own(Redis()) as server, server.serving():
        store, client = RedisStore(server.url), client_of(server.url)
        store.commit(key, b"old", expected=0)
        lease = store.try_lease(key, 60)
        assert lease is not None
        client.flushall()
        client.script_flush()
        assert store.commit(key, b"renewed", expected=1) == 0  # told, not lost in silence
        assert store.load(key) is None
        store.release(lease)
        assert store.commit(key, b"renewed", expected=0) == 1
        assert store.load(key) == Record(1, b"renewed")
        store.close()
        client.close()


@pytest.mark.usefixtures("redis_server")
def test_a_record_and_its_lease_are_on_one_node_of_a_redis_cluster(key: str) -> None:
    with own(Redis({"cluster-enabled": "yes", "cluster-port": str(port_of_ones_own())})) as server, server.serving():
        plain = client_of(server.url)
        plain.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
        until(lambda: b"cluster_state:ok" in plain.execute_command("CLUSTER", "INFO"))
        plain.close()
        node = CLUSTER.ClusterNode("127.0.0.1", server.port)
        client = CLUSTER.RedisCluster(startup_nodes=[node])
        store = RedisStore(client)
        for name in (key, "}", "{", "a}b", "{x}y"):
            assert store.try_lease(name, 60)
            assert store.commit(name, b"data", expected=0) == 1
        slots = {client.keyslot(name) for name in client.scan_iter("doorkey:*") if key.encode() in name}
        assert len(slots) == 1
        store.close()
        client.close()


def test_redis_keys_are_under_the_prefix_and_prefixes_do_not_meet(redis_server: RealServer, key: str) -> None:
    one, other = RedisStore(redis_server.origin, prefix="one:"), RedisStore(redis_server.origin, prefix="other:")
    one.commit(key, b"one", expected=0)
    assert other.load(key) is None
    assert other.try_lease(key, 60)
    assert one.try_lease(key, 60)
    with client_of(redis_server.origin) as client:
        names = {name for name in client.scan_iter("*") if key.encode() in name}
    assert names == {
        f"{p}{{{key}}}:{what}".encode() for p, what in [("one:", "record"), ("one:", "lease"), ("other:", "lease")]
    }
    one.close()
    other.close()


def test_what_something_else_wrote_into_redis_is_a_record_error_and_stays_until_a_save(
    redis_server: RealServer, key: str
) -> None:
    store = RedisStore(redis_server.origin, prefix="mine:")
    with client_of(redis_server.origin) as client:
        client.set(f"mine:{{{key}}}:record", "foreign")
        for call in (partial(store.load, key), partial(store.commit, key, b"", expected=1)):
            with pytest.raises(RecordError, match="was not written by doorkey"):
                call()
        assert client.get(f"mine:{{{key}}}:record") == b"foreign"
        client.hset(f"mine:{{{key}x}}:record", mapping={"version": "many", "data": "x"})
        with pytest.raises(RecordError, match="was not written by doorkey"):
            store.load(f"{key}x")
    store.close()


def test_a_client_that_is_given_stays_open_and_one_that_decodes_is_refused(redis_server: RealServer, key: str) -> None:
    with client_of(redis_server.origin) as client:
        store = RedisStore(client)
        store.commit(key, b"\xff", expected=0)
        store.close()
        assert client.ping()
        assert store.load(key) == Record(1, b"\xff")
    with (
        client_of(redis_server.origin, decode_responses=True) as client,
        pytest.raises(UsageError, match="decode"),
    ):
        RedisStore(client)


REDIS_OF_ANOTHER_KIND: dict[str, tuple[Callable[[Any], object], Callable[[], Any]]] = {
    "this Redis client awaits: give it to AsyncRedisStore": (RedisStore, AREDIS.Redis),
    "this Redis client blocks: give it to RedisStore": (AsyncRedisStore, REDIS.Redis),
    "not a pipeline": (RedisStore, lambda: REDIS.Redis().pipeline()),
    "not a pipeline, which sends": (AsyncRedisStore, lambda: AREDIS.Redis().pipeline()),
    "not int": (RedisStore, lambda: 7),
}


@pytest.mark.parametrize("message", REDIS_OF_ANOTHER_KIND)
def test_a_redis_client_of_another_kind_is_refused_with_the_name_of_the_right_one(message: str) -> None:
    kind, client_of_kind = REDIS_OF_ANOTHER_KIND[message]
    with pytest.raises(UsageError, match=message):
        kind(client_of_kind())


@pytest.mark.parametrize("where", ["nowhere", "http://x", "redis://[", "redis://x:port", ""])
def test_a_url_that_names_no_redis_is_refused_without_quoting_it(where: str) -> None:
    for kind in (RedisStore, AsyncRedisStore):
        with pytest.raises(UsageError, match="Redis") as caught:
            kind(where)
        assert not where or where not in str(caught.value)


def test_a_redis_prefix_with_braces_is_refused() -> None:
    for prefix in ("{a}", "a}", "a\n", "x" * 201):
        with pytest.raises(UsageError, match="prefix"):
            RedisStore("redis://127.0.0.1", prefix=prefix)


@pytest.mark.parametrize("where", ["nowhere", "unknown://x", "postgresql+nosuchdriver://x", "", "sqlite+x"])
def test_a_url_that_names_no_database_is_refused(where: str) -> None:
    for kind in (SQLStore, AsyncSQLStore):
        with pytest.raises(UsageError, match="URL"):
            kind(where)
    with pytest.raises(UsageError, match="Engine"):
        SQLStore(None)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    with pytest.raises(UsageError, match="AsyncEngine"):
        AsyncSQLStore(None)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("table", ["", "a b", "a;drop table x", "a.b.c", "1a", "a'"])
def test_a_table_name_that_is_none_is_refused(table: str) -> None:
    with pytest.raises(UsageError, match="table"):
        SQLStore("sqlite://", table=table)


def test_a_missing_table_says_how_to_make_it(tmp_path: Path, key: str) -> None:
    store = SQLStore(f"sqlite:///{tmp_path}/sql.db")
    with pytest.raises(StoreError, match="create_table"):
        store.load(key)
    store.create_table()
    store.create_table()
    assert store.load(key) is None
    store.close()


def test_an_engine_that_is_given_keeps_its_settings_and_its_connections(tmp_path: Path, key: str) -> None:
    engine = create_engine(f"sqlite:///{tmp_path}/sql.db")
    with engine.connect() as connection:  # the caller's own transaction is no part of the store's
        store = SQLStore(engine)
        store.create_table()
        assert store.commit(key, b"data", expected=0) == 1
        store.close()
        assert connection.execute(text("SELECT version FROM doorkey_tokens")).scalar_one() == 1
    assert engine.pool.status().count("Connections in pool: 0") == 0
    assert store.load(key) == Record(1, b"data")
    engine.dispose()


def test_rows_of_keys_that_are_long_gone_are_swept_and_no_others(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path}/sql.db")
    store = SQLStore(engine)
    store.create_table()
    store.commit("old", b"", expected=0)
    store.commit("old", None, expected=1)
    store.commit("recent", b"", expected=0)
    store.commit("recent", None, expected=1)
    with engine.begin() as connection:
        connection.execute(text("UPDATE doorkey_tokens SET gone_at = gone_at - 90000 WHERE key = 'old'"))
    for number in range(100):
        store.commit(f"new-{number}", b"", expected=0)
    with engine.connect() as connection:
        rows = set(connection.execute(text("SELECT key FROM doorkey_tokens")).scalars())
    assert "old" not in rows
    assert "recent" in rows
    assert len(rows) == 101
    engine.dispose()


@pytest.fixture
def nobody() -> Iterator[int]:
    with nobodys_port() as port:
        yield port


UNREACHABLE: dict[str, Callable[[int], Store]] = {
    "redis": lambda port: RedisStore(f"redis://user:hunter2@127.0.0.1:{port}/0"),
    "postgres": lambda port: SQLStore(f"postgresql+psycopg://user:hunter2@127.0.0.1:{port}/x"),
    "mariadb": lambda port: SQLStore(f"mysql+pymysql://user:hunter2@127.0.0.1:{port}/x"),
}


@pytest.mark.parametrize("kind", UNREACHABLE)
def test_a_store_that_cannot_be_reached_is_a_typed_error_without_its_password(kind: str, nobody: int, key: str) -> None:
    store = UNREACHABLE[kind](nobody)
    for call in (
        partial(store.load, key),
        partial(store.try_lease, key, 5),
        partial(store.commit, key, b"s3cret", expected=1),
    ):
        with pytest.raises(StoreError) as caught:
            call()
        assert caught.value.retryable
        told = "".join(traceback.format_exception(caught.value))
        assert "hunter2" not in told
        assert "s3cret-token" not in told
    assert "hunter2" not in repr(store)


def test_a_wrong_password_is_a_typed_error_without_it(mariadb: RealServer, key: str) -> None:
    store = SQLStore(mariadb.origin.replace("pass-word", "hunter2"))
    with pytest.raises(StoreError) as caught:
        store.load(key)
    assert "hunter2" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("server", ["postgres", "mariadb"])
@pytest.mark.real_server
def test_an_error_of_the_database_does_not_show_what_was_to_be_stored(
    server: str, request: pytest.FixtureRequest, key: str
) -> None:
    engine = create_engine(request.getfixturevalue(server).origin)  # hides nothing of its own accord
    store = SQLStore(engine, table="not_made")
    secret = "-".join(["s3cret", "token"]).encode()  # not as a literal: tracebacks show source lines
    with pytest.raises(StoreError) as caught:
        store.commit(key, secret, expected=1)
    assert "s3cret-token" not in "".join(traceback.format_exception(caught.value))
    engine.dispose()

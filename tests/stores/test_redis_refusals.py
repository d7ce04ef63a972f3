"""A Redis that refuses commands: a failover is survived, and every other refusal says what helps."""

import asyncio
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest
import redis
from redis import exceptions

from doorkey.errors import RecordError, StoreError
from doorkey.stores import AsyncRedisStore, Record, RedisStore
from doorkey.stores.redis_commands import Command
from doorkey.stores.redis_errors import LASTING, TRANSIENT, error_code_of, failure, needs_another_node
from tests.servers.databases import Database
from tests.servers.handle import RealServer
from tests.servers.process import nobodys_port, port_of_ones_own
from tests.servers.redis import Redis
from tests.stores.own_server import own, until
from tests.support.every_store import LONG
from tests.support.tcp_proxy import TCPProxy, tcp_proxy

CLIENT: Any = redis


def told(server: Database | str, *words: str | int) -> Any:
    """The answer to one command, as an operator gives it."""
    with CLIENT.Redis.from_url(server if isinstance(server, str) else server.url) as client:
        return client.execute_command(*words)


def replicated(server: Database) -> bool:
    status: str = told(server, "INFO", "replication")["master_link_status"]
    return status == "up"


@dataclass
class Pair:
    """A primary and its replica behind one name, which leads to the primary."""

    primary: Database
    replica: Database
    name: TCPProxy

    def fail_over(self) -> None:
        """Make the replica the primary, and the other way around; the name leads to the new primary."""
        until(lambda: replicated(self.replica))
        told(self.primary, "WAIT", 1, 0)
        told(self.replica, "REPLICAOF", "NO", "ONE")
        told(self.primary, "REPLICAOF", "127.0.0.1", self.replica.port)
        self.name.lead_to(self.replica.port)

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.name.port}/0"


AT_ONCE = {"repl-diskless-sync-delay": "0"}
"""A primary waits 5 seconds for more replicas before it sends the first one its data."""


@pytest.fixture
def pair(redis_server: RealServer) -> Iterator[Pair]:  # skips or fails the test without a server
    with ExitStack() as stack:
        servers = [stack.enter_context(own(Redis(AT_ONCE))) for _ in range(2)]
        for server in servers:
            stack.enter_context(server.serving())
        primary, replica = servers
        told(replica, "REPLICAOF", "127.0.0.1", primary.port)
        yield Pair(primary, replica, stack.enter_context(tcp_proxy(primary.port)))


def test_a_store_whose_node_became_a_replica_reconnects_by_its_name_and_goes_on(pair: Pair, key: str) -> None:
    with closing(RedisStore(pair.url, timeout=LONG)) as store:
        assert store.commit(key, b"data", expected=0) == 1
        lease = store.try_lease(key, 60)
        assert lease is not None
        pair.fail_over()
        assert store.commit(key, b"renewed", expected=1) == 2
        assert store.load(key) == Record(2, b"renewed")
        assert store.try_lease(key, 60) is None  # the lease is there too
        store.release(lease)
        assert store.try_lease(key, 60) is not None


def test_an_asynchronous_store_whose_node_became_a_replica_reconnects_and_goes_on(pair: Pair, key: str) -> None:
    async def use() -> None:
        store = AsyncRedisStore(pair.url, timeout=LONG)
        assert await store.commit(key, b"data", expected=0) == 1
        await asyncio.to_thread(pair.fail_over)
        assert await store.try_lease(key, 60) is not None
        assert await store.commit(key, b"renewed", expected=1) == 2
        assert await store.load(key) == Record(2, b"renewed")
        await store.close()

    asyncio.run(use())


def test_a_failover_that_is_not_over_yet_is_a_typed_error_and_the_store_goes_on_when_it_is(
    pair: Pair, key: str
) -> None:
    with closing(RedisStore(pair.url, timeout=LONG)) as store:
        assert store.commit(key, b"data", expected=0) == 1
        pair.fail_over()
        pair.name.lead_to(pair.primary.port)  # the name is behind: it still leads to the node that is a replica now
        for call in (lambda: store.commit(key, b"x", expected=1), lambda: store.try_lease(key, 5)):
            with pytest.raises(StoreError, match=r"READONLY.*replica.*failover") as caught:
                call()
            assert caught.value.retryable
        pair.name.lead_to(pair.replica.port)
        assert store.commit(key, b"renewed", expected=1) == 2


def test_a_client_that_is_given_is_not_reconnected_by_the_store(pair: Pair, key: str) -> None:
    with CLIENT.Redis.from_url(pair.url, retry=None) as client:
        store = RedisStore(client)
        assert store.commit(key, b"data", expected=0) == 1
        pair.fail_over()
        for _ in range(2):
            with pytest.raises(StoreError, match="READONLY") as caught:
                store.commit(key, b"x", expected=1)
            assert caught.value.retryable


@pytest.fixture
def server(redis_server: RealServer) -> Iterator[Database]:  # skips or fails the test without a server
    with own(Redis()) as one, one.serving():
        yield one


def low_memory(server: Database) -> None:
    told(server, "CONFIG", "SET", "maxmemory", 1)


def no_replicas(server: Database) -> None:
    told(server, "CONFIG", "SET", "min-replicas-to-write", 1)


def without_rights(server: Database) -> None:
    told(server, "ACL", "SETUSER", "default", "-eval")


def password_required(server: Database) -> None:
    told(server, "CONFIG", "SET", "requirepass", "s3cret-password")


def lost_primary(server: Database) -> None:
    told(server, "CONFIG", "SET", "replica-serve-stale-data", "no")
    with nobodys_port() as port:
        told(server, "REPLICAOF", "127.0.0.1", port)


def replica(server: Database) -> None:
    with nobodys_port() as port:
        told(server, "REPLICAOF", "127.0.0.1", port)


REAL: dict[str, Callable[[Database], object]] = {
    "OOM": low_memory,
    "NOREPLICAS": no_replicas,
    "NOPERM": without_rights,
    "NOAUTH": password_required,
    "MASTERDOWN": lost_primary,
    "READONLY": replica,
}


@pytest.mark.parametrize("awaited", [False, True], ids=["blocking", "awaiting"])
@pytest.mark.parametrize("word", REAL)
def test_a_refusal_of_a_real_server_says_what_helps(word: str, awaited: bool, server: Database, key: str) -> None:
    async def commit() -> None:
        store = AsyncRedisStore(server.url, timeout=LONG)
        try:
            await store.commit(key, b"data", expected=0)
        finally:
            await store.close()

    REAL[word](server)
    with closing(RedisStore(server.url, timeout=LONG)) as store:
        with pytest.raises(StoreError, match=rf"\({word}\)") as caught:
            asyncio.run(commit()) if awaited else store.commit(key, b"data", expected=0)
        assert caught.value.retryable is (word in TRANSIENT)
        assert {**TRANSIENT, **LASTING}[word] in str(caught.value)


def test_a_wrong_password_says_so_without_it(server: Database, key: str) -> None:
    password_required(server)
    with closing(RedisStore(server.url.replace("//", "//:hunter2@"))) as store:
        with pytest.raises(StoreError, match=r"WRONGPASS.*URL") as caught:
            store.load(key)
        assert not caught.value.retryable
        assert "hunter2" not in "".join(traceback.format_exception(caught.value))


def test_a_redis_that_is_occupied_by_a_script_says_how_to_end_it(server: Database, key: str) -> None:
    told(server, "CONFIG", "SET", "lua-time-limit", 1)

    def occupy() -> None:
        with suppress(exceptions.ResponseError):  # it is killed
            told(server, "EVAL", "while true do end", 0)

    thread = threading.Thread(target=occupy)
    with closing(RedisStore(server.url, timeout=LONG)) as store:
        assert store.load(key) is None
        thread.start()
        try:
            with pytest.raises(StoreError, match=r"BUSY.*SCRIPT KILL") as caught:
                load_until_refused(store, key)
            assert caught.value.retryable
        finally:
            told(server, "SCRIPT", "KILL")
            thread.join()
        assert store.load(key) is None


def load_until_refused(store: RedisStore, key: str) -> None:
    while True:
        store.load(key)


@pytest.mark.usefixtures("redis_server")
def test_the_error_for_the_url_of_a_cluster_node_names_the_cluster_client() -> None:
    with ExitStack() as stack:
        buses = [str(port_of_ones_own()) for _ in range(2)]
        kinds = [Redis({"cluster-enabled": "yes", "cluster-port": bus}) for bus in buses]
        nodes = [stack.enter_context(own(kind)) for kind in kinds]
        for node in nodes:
            stack.enter_context(node.serving())
        with closing(RedisStore(nodes[0].url, timeout=LONG)) as store:
            with pytest.raises(StoreError, match="CLUSTERDOWN") as caught:
                store.load("a")
            assert caught.value.retryable
            told(nodes[0], "CLUSTER", "ADDSLOTSRANGE", 0, 8191)
            told(nodes[1], "CLUSTER", "ADDSLOTSRANGE", 8192, 16383)
            told(nodes[0], "CLUSTER", "MEET", "127.0.0.1", nodes[1].port, buses[1])
            for node in nodes:
                until(partial(in_order, node))
            outcomes = [outcome(store, key) for key in ("a", "b", "c", "d", "e", "f", "g", "h")]
        moved = [error for error in outcomes if error is not None]
        assert 0 < len(moved) < len(outcomes)
        assert all("MOVED" in str(error) and "give a redis.RedisCluster" in str(error) for error in moved)
        assert not any(error.retryable for error in moved)


def in_order(node: Database) -> bool:
    return b"cluster_state:ok" in told(node, "CLUSTER", "INFO")


def outcome(store: RedisStore, key: str) -> StoreError | None:
    try:
        store.load(key)
    except StoreError as error:
        return error
    return None


@pytest.mark.parametrize("word", [*TRANSIENT, *LASTING])
def test_every_refusal_that_redis_words_is_known(word: str, redis_server: RealServer) -> None:
    """Real answers: a script may refuse with any word, as the server itself does."""
    text = {
        "NOAUTH": "Authentication required.",
        "WRONGPASS": "invalid username-password pair",
        "MOVED": "1 127.0.0.1:7",
        "ASK": "1 127.0.0.1:7",
    }.get(word, "text")

    async def ask() -> None:
        awaiting = AsyncRedisStore(redis_server.origin)
        try:
            await awaiting._perform(refused)
        finally:
            await awaiting.close()

    refused = Command(("EVAL", "return redis.error_reply(ARGV[1])", 0, f"{word} {text}"))
    with closing(RedisStore(redis_server.origin)) as store:
        calls: list[Callable[[], object]] = [lambda: store._perform(refused), lambda: asyncio.run(ask())]
        for call in calls:
            with pytest.raises(StoreError) as caught:
                call()
            assert f"({word}): {({**TRANSIENT, **LASTING})[word]}" in str(caught.value)
            assert caught.value.retryable is (word in TRANSIENT)


OTHERS: dict[str, tuple[Exception, str | None, bool]] = {
    "within a script of Redis 6": (
        exceptions.ResponseError(
            "Error running script (call to f_1): @user_script:2: @user_script: 2: -READONLY You can't write against a "
            "read only replica."
        ),
        "READONLY",
        True,
    ),
    "within a script of Redis 7": (
        exceptions.ResponseError("OOM command not allowed when used memory > 'maxmemory'. script: abc, on @user:1."),
        "OOM",
        False,
    ),
    "a word that only looks alike": (exceptions.ResponseError("unknown command 'OOMPH'"), None, False),
    "no answer": (exceptions.TimeoutError("Timeout reading from socket"), None, True),
    "no connection": (exceptions.ConnectionError("Error 111 connecting: LOADING"), None, True),
    "no route": (OSError("no route"), None, True),
    "a command that is unknown": (exceptions.ResponseError("unknown command 'EVAL'"), None, False),
}


@pytest.mark.parametrize("name", OTHERS)
def test_another_error_is_transient_only_if_it_is_one_of_the_connection(name: str) -> None:
    error, word, transient = OTHERS[name]
    assert error_code_of(error) == word
    assert needs_another_node(error) is (word == "READONLY")
    ours = failure(error)
    assert isinstance(ours, StoreError)
    assert ours.retryable is transient


def test_a_key_of_another_type_is_a_record_error() -> None:
    text = "WRONGTYPE Operation against a key holding the wrong kind of value"
    assert isinstance(failure(exceptions.ResponseError(text)), RecordError)

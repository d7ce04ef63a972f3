"""A store that hangs counts as down: a token that is still good is used, and a new token is not lost."""

import asyncio
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest

from doorkey.errors import StoreError
from doorkey.stores import AsyncRedisStore, AsyncSQLStore, AsyncStore, RedisStore, SQLStore, Store
from doorkey.tokens import OAuthToken
from doorkey.vault import AsyncTokenVault, TokenVault
from doorkey.vault.commits import GIVEN_UP_AFTER
from doorkey.vault.effects import Commit
from tests.servers.handle import RealServer
from tests.support.every_store import SERVERS
from tests.support.fake_clock import Clock
from tests.support.hostile_server import Hostile, token
from tests.support.tcp_proxy import TCPProxy, tcp_proxy
from tests.vault.conftest import OLD
from tests.vault.model import DOWN, World

TIMEOUT = 5.0
"""Seconds, in which the servers answer until the wire is cut."""
KINDS = [pytest.param(kind, id=kind, marks=pytest.mark.real_server) for kind in ("redis", "postgres")]
NO_TOKEN = "no valid token is in memory"


@pytest.fixture
def real(kind: str, request: pytest.FixtureRequest) -> Iterator[TCPProxy]:
    """A wire to the real server of that kind."""
    server: RealServer = request.getfixturevalue(SERVERS[kind])
    with tcp_proxy(urlsplit(server.origin).port) as one:
        yield one


def blocking(kind: str, port: int) -> Store:
    if kind == "redis":
        return RedisStore(f"redis://127.0.0.1:{port}/0", timeout=TIMEOUT, prefix="silent:")
    store = SQLStore(f"postgresql+psycopg://doorkey@127.0.0.1:{port}/postgres", timeout=TIMEOUT)
    store.create_table()
    return store


async def awaited(kind: str, port: int) -> AsyncStore:
    if kind == "redis":
        return AsyncRedisStore(f"redis://127.0.0.1:{port}/0", timeout=TIMEOUT, prefix="silent:")
    store = AsyncSQLStore(f"postgresql+psycopg://doorkey@127.0.0.1:{port}/postgres", timeout=TIMEOUT)
    await store.create_table()
    return store


@pytest.mark.parametrize("kind", KINDS)
def test_a_token_that_is_still_good_is_used_while_the_store_hangs_and_then_the_error_says_so(
    kind: str, real: TCPProxy, vault_on: Callable[..., TokenVault], hostile: Hostile, clock: Clock, key: str
) -> None:
    hostile.on("/token", token("at-2", refresh_token="rt-2"))
    vault = vault_on(blocking(kind, real.port))
    vault.save(key, OLD)
    source = vault.source(key)
    assert source.token().access_token.reveal() == "at-1"
    real.cut()
    clock.advance(250)  # time to look into the store, and to renew; not yet expired
    assert source.token().access_token.reveal() == "at-1"
    clock.advance(51)
    with pytest.raises(StoreError, match=NO_TOKEN):
        source.token()
    assert hostile.token_requests == []
    real.mend()
    clock.advance(120)
    assert source.token().access_token.reveal() == "at-2"
    vault.forget(key)


@pytest.mark.parametrize("kind", KINDS)
def test_an_asynchronous_vault_uses_what_is_still_good_while_its_store_hangs(
    kind: str, real: TCPProxy, hostile: Hostile, clock: Clock, key: str
) -> None:
    hostile.on("/token", token("at-2", refresh_token="rt-2"))

    async def use() -> None:
        store = await awaited(kind, real.port)
        endpoint = hostile.token_endpoint
        async with AsyncTokenVault(
            store, client_id="app", client_secret="s", token_endpoint=endpoint, clock=clock
        ) as vault:
            await vault.save(key, OLD)
            source = vault.source(key)
            assert (await source.token()).access_token.reveal() == "at-1"
            real.cut()
            clock.advance(250)
            assert (await source.token()).access_token.reveal() == "at-1"
            clock.advance(51)
            with pytest.raises(StoreError, match=NO_TOKEN):
                await source.token()
            assert hostile.token_requests == []
            real.mend()
            clock.advance(120)
            assert (await source.token()).access_token.reveal() == "at-2"
            await vault.forget(key)

    asyncio.run(use())


def test_a_store_that_hangs_when_a_new_token_is_to_be_saved_is_given_up_and_the_token_is_used() -> None:
    world = World(1)
    (one,) = world.workers
    world.expire()
    one.begin()
    world.finish(one, Commit)
    attempts = 0
    while not one.idle:
        if isinstance(one.effect, Commit):
            attempts += 1
            world.elapsed += GIVEN_UP_AFTER + 1  # it took that long to say
            one.fail(DOWN)
        else:
            world.step(one)
    assert attempts == 1
    assert isinstance(one.outcome, OAuthToken)
    assert one.outcome.access_token.reveal() == "at-2"
    assert one.slot.memory.unsaved

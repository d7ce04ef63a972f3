"""One process competes for a key once, however many callers it has. The server answers when all of them wait."""

import asyncio
import json
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import anyio
import pytest

from doorkey.errors import InvalidGrant, OAuthError, TransportError
from doorkey.tokens import OAuthToken
from doorkey.vault import AsyncTokenVault, TokenVault
from doorkey.vault.sources import AsyncVaultSource
from tests.support.backends import both_backends
from tests.support.every_adapter import in_background, together
from tests.support.every_store import Place, kinds, marks
from tests.support.forked import Forked
from tests.support.hostile_server import Held, Hostile, reply, token
from tests.vault.arrivals import Arrivals
from tests.vault.conftest import OLD
from tests.vault.forking import main

STORES = ("memory", "sqlite", "redis", "postgres", "mariadb")
on_each_store = pytest.mark.parametrize("place", kinds(*STORES), indirect=True)
REFUSED = reply(400, json={"error": "invalid_grant", "error_description": "Session not active"})
NEXT = token("at-2", refresh_token="rt-2")


def text(got: OAuthToken) -> str:
    return got.access_token.reveal()


async def outcomes(vault: AsyncTokenVault, tasks: int, key: str = "u") -> list[Any]:
    """Return the outcomes of so many tasks: tokens or errors."""
    return await outcomes_of(vault.source(key), tasks)


async def outcomes_of(source: AsyncVaultSource, tasks: int) -> list[Any]:
    """Return the tokens, or the errors, that so many tasks got from `source`."""
    got: list[Any] = []

    async def one() -> None:
        try:
            got.append(text(await source.token()))
        except OAuthError as error:
            got.append(error)

    async with anyio.create_task_group() as group:
        for _ in range(tasks):
            group.start_soon(one)
    return got


@on_each_store
def test_32_threads_that_find_the_token_expired_make_one_request(
    vault_on: Callable[..., TokenVault], hostile: Hostile, clock: Arrivals, place: Place, key: str
) -> None:
    held = Held(NEXT)
    hostile.on("/token", held)
    vault = vault_on(place.open())
    vault.save(key, OLD)
    clock.advance(300)
    clock.expect(32)
    with in_background(lambda: together(32, lambda: text(vault.source(key).token()))) as outcome:
        held.wait_for_arrival()
        clock.wait()
        held.release.set()
        assert outcome() == ["at-2"] * 32
    assert len(hostile.token_requests) == 1


def test_threads_of_different_keys_do_not_wait_for_each_other(
    vault: TokenVault, hostile: Hostile, clock: Arrivals
) -> None:
    """Each answer waits until all requests are there."""
    everybody = threading.Barrier(8)

    def answer(exchange: Any) -> None:
        everybody.wait(60)
        exchange.send(token("at-" + exchange.request.form["refresh_token"]))

    hostile.on("/token", answer)
    keys = [f"u-{number}" for number in range(8)]
    for key in keys:
        vault.save(key, {**OLD, "refresh_token": key})
    clock.advance(300)
    waiting = iter(keys)
    assert sorted(together(8, lambda: text(vault.source(next(waiting)).token()))) == [f"at-{key}" for key in keys]


@pytest.fixture
def vault_at(hostile: Hostile, clock: Arrivals) -> Callable[[Any], AsyncTokenVault]:
    """Make an asynchronous vault on a store."""

    def make(store: Any) -> AsyncTokenVault:
        endpoint = hostile.token_endpoint
        return AsyncTokenVault(store, client_id="app", client_secret="s", token_endpoint=endpoint, clock=clock)

    return make


EVERYWHERE = [
    pytest.param(backend, kind, id=f"{kind}-{backend}", marks=marks(kind))
    for backend, names in (("trio", ("memory", "sqlite")), ("asyncio", STORES))
    for kind in names
]


@pytest.mark.anyio
@pytest.mark.parametrize(("anyio_backend", "place"), EVERYWHERE, indirect=["place"])
async def test_1000_tasks_make_one_request(
    vault_at: Callable[[Any], AsyncTokenVault], hostile: Hostile, clock: Arrivals, place: Place, key: str
) -> None:
    held = Held(NEXT)
    hostile.on("/token", held)
    vault = vault_at(await place.aopen())
    await vault.save(key, OLD)
    clock.advance(300)
    clock.expect(1000)

    async def release() -> None:
        await anyio.to_thread.run_sync(held.wait_for_arrival)
        await anyio.to_thread.run_sync(clock.wait)
        held.release.set()

    async with anyio.create_task_group() as group:
        group.start_soon(release)
        assert await outcomes(vault, 1000, key) == ["at-2"] * 1000
    assert len(hostile.token_requests) == 1
    await vault.forget(key)
    await vault.aclose()


@on_each_store
def test_6_event_loops_in_6_threads_make_one_request(
    vault_at: Callable[[Any], AsyncTokenVault], hostile: Hostile, clock: Arrivals, place: Place, key: str
) -> None:
    held = Held(NEXT)
    hostile.on("/token", held)

    async def begin() -> AsyncTokenVault:
        store = await place.aopen()
        vault = vault_at(store)
        await vault.save(key, OLD)
        await closed_here(store)
        return vault

    async def four() -> list[Any]:
        got = await outcomes(vault, 4, key)
        await closed_here(vault._store)
        return got

    async def end() -> None:
        await vault.forget(key)
        await vault.aclose()

    async def closed_here(store: Any) -> None:
        if place.kind not in ("memory", "sqlite"):  # whose connections are not a loop's
            await store.close()

    vault = asyncio.run(begin())
    clock.advance(300)
    clock.expect(24)
    with in_background(lambda: together(6, lambda: asyncio.run(four()))) as outcome:
        held.wait_for_arrival()
        clock.wait()
        held.release.set()
        assert outcome() == [["at-2"] * 4] * 6
    assert len(hostile.token_requests) == 1
    asyncio.run(end())


def test_a_failed_renewal_is_raised_for_all_waiting_callers_and_for_no_later_caller(
    vault: TokenVault, hostile: Hostile, clock: Arrivals
) -> None:
    held = Held(lambda exchange: exchange.reset())
    hostile.on("/token", held, NEXT)
    vault.save("u", OLD)
    clock.advance(300)
    clock.expect(16)
    with in_background(lambda: together(16, lambda: vault.source("u").token())) as outcome:
        held.wait_for_arrival()
        clock.wait()
        held.release.set()
        errors = outcome()
    assert {type(error) for error in errors} == {TransportError}
    assert len({id(error) for error in errors}) == 16
    assert len(hostile.token_requests) == 1
    clock.advance(60)  # the pause after a failure is over
    assert text(vault.source("u").token()) == "at-2"


def test_while_it_backs_off_a_dead_server_is_left_alone(vault: TokenVault, hostile: Hostile, clock: Arrivals) -> None:
    hostile.on("/token", reply(503, "no"))
    vault.save("u", OLD)
    clock.advance(300)
    for _ in range(5):
        with pytest.raises(OAuthError):
            vault.source("u").token()
    assert len(hostile.token_requests) == 1


def test_a_refused_grant_is_an_error_without_a_request_until_a_new_login_is_saved(
    vault: TokenVault, hostile: Hostile, clock: Arrivals
) -> None:
    hostile.on("/token", REFUSED)
    vault.save("u", OLD)
    clock.advance(300)
    for _ in range(3):
        with pytest.raises(InvalidGrant, match="Session not active"):
            vault.source("u").token()
    assert len(hostile.token_requests) == 1
    vault.save("u", {**OLD, "access_token": "at-9", "expires_at": clock() + 300})
    assert text(vault.source("u").token()) == "at-9"


@pytest.mark.anyio
@both_backends
async def test_a_canceled_lock_holder_loses_nothing_and_its_waiters_get_the_token(
    async_vault: AsyncTokenVault, hostile: Hostile, clock: Arrivals
) -> None:
    held = Held(NEXT)
    hostile.on("/token", held)
    await async_vault.save("u", OLD)
    clock.advance(300)
    clock.expect(2)
    got: list[str] = []

    async def wait() -> None:
        got.append(text(await async_vault.source("u").token()))

    async with anyio.create_task_group() as group, anyio.create_task_group() as leading:
        leading.start_soon(async_vault.source("u").token)
        await anyio.to_thread.run_sync(held.wait_for_arrival)
        group.start_soon(wait)
        await anyio.to_thread.run_sync(clock.wait)
        leading.cancel_scope.cancel()
        held.release.set()
    assert got == ["at-2"]
    assert text(await async_vault.source("u").token()) == "at-2"
    assert len(hostile.token_requests) == 1


@pytest.mark.anyio
@both_backends
async def test_a_renewal_without_a_waiting_caller_is_saved(
    async_vault: AsyncTokenVault, hostile: Hostile, clock: Arrivals
) -> None:
    held = Held(NEXT)
    hostile.on("/token", held, REFUSED)
    await async_vault.save("u", OLD)
    clock.advance(300)
    async with anyio.create_task_group() as group:
        group.start_soon(async_vault.source("u").token)
        await anyio.to_thread.run_sync(held.wait_for_arrival)
        group.cancel_scope.cancel()
        held.release.set()
    assert text(await async_vault.source("u").token()) == "at-2"
    assert len(hostile.token_requests) == 1


FORKED = [
    pytest.param(kind, moment, id=f"{kind}-{moment}", marks=marks(kind))
    for moment, names in (("before", STORES[1:4]), ("during", STORES[1:2]), ("awaited", STORES[1:4]))
    for kind in names
]


@pytest.mark.parametrize(("place", "moment"), FORKED, indirect=["place"])
def test_a_fork_shares_the_grant_with_its_children(place: Place, moment: str, hostile: Hostile, key: str) -> None:
    """`before`: all five ask at once; `during`: the children are born while a thread of their parent renews;
    `awaited`: each of the five has an event loop of its own."""
    held = Held(NEXT)
    hostile.on("/token", held)
    process = Forked(partial(main, place, key, hostile.token_endpoint, moment))
    try:
        held.wait_for_arrival()
        if moment == "during":
            process.stdin.write("fork\n")
            process.stdin.flush()
            assert process.stdout.readline() == "forked\n"
        held.release.set()
        assert json.loads(process.stdout.readline()) == ["at-2"] * 5
    finally:
        process.kill()
    assert len(hostile.token_requests) == 1

"""A token that an API rejects: one that was evicted from memory, or cannot be renewed, stays rejected as well."""

import gc
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

import httpx2
import pytest

from doorkey.auth import OAuth2Auth
from doorkey.errors import TokenExpiredError
from doorkey.stores import MemoryStore
from doorkey.vault import AsyncTokenVault, TokenVault
from tests.support.backends import both_backends
from tests.support.every_adapter import in_background
from tests.support.hostile_server import Held, Hostile, Reply, reply, token
from tests.vault.arrivals import Arrivals
from tests.vault.conftest import OLD

VaultOn = Callable[..., TokenVault]
LASTING = {"access_token": "gho-1", "expires_in": 86_400}


def tokens(hostile: Hostile) -> list[str | None]:
    return [request.token for request in hostile.to("/api")]


# -- more accounts at work than are remembered -------------------------------------------------------------------------


@contextmanager
def rejected_after_eviction(vault_on: VaultOn, hostile: Hostile, second: Reply) -> Generator[tuple[httpx2.Client, int]]:
    """Let an API reject a token whose key was evicted meanwhile, and respond to the next request with `second`.

    Yields the client and the status.
    """
    held = Held(reply(401))
    hostile.on("/token", token("at-2", refresh_token="rt-2"), token("at-3", refresh_token="rt-3"))
    hostile.on("/api", held, second)
    vault = vault_on(max_sources=1)
    vault.save("u", OLD)
    vault.save("other", LASTING)
    with (
        httpx2.Client(auth=OAuth2Auth(vault.source("u")), timeout=60) as client,
        in_background(lambda: client.get(hostile.url()).status_code) as answered,
    ):
        held.wait_for_arrival()
        vault.source("other").token()
        gc.collect()
        assert len(vault._keys) == 1
        held.release.set()
        yield client, answered()


def test_a_rejection_for_an_evicted_key_causes_a_renewal(vault_on: VaultOn, hostile: Hostile) -> None:
    with rejected_after_eviction(vault_on, hostile, reply(200)) as (_, status):
        assert status == 200
    assert tokens(hostile) == ["at-1", "at-2"]


def test_what_came_in_place_of_a_token_that_was_crowded_out_and_is_refused_too_stays(
    vault_on: VaultOn, hostile: Hostile
) -> None:
    with rejected_after_eviction(vault_on, hostile, reply(401)) as (client, status):
        assert status == 401
        assert client.get(hostile.url()).status_code == 401
    assert tokens(hostile) == ["at-1", "at-2", "at-2"]


@pytest.mark.anyio
@both_backends
async def test_a_rejection_for_an_evicted_key_causes_a_renewal_async(
    async_vault: AsyncTokenVault, hostile: Hostile
) -> None:
    hostile.on("/token", token("at-2", refresh_token="rt-2"))
    async_vault._keys._entries = 1
    await async_vault.save("u", OLD)
    await async_vault.save("other", LASTING)
    source = async_vault.source("u")
    refused = await source.token()
    await async_vault.source("other").token()
    gc.collect()
    assert len(async_vault._keys) == 1
    assert source.reject(refused)
    assert (await source.token()).access_token.reveal() == "at-2"


def test_a_refusal_is_not_forgotten_before_another_token_is_asked_for(vault_on: VaultOn, hostile: Hostile) -> None:
    hostile.on("/token", token("at-2", refresh_token="rt-2"))
    vault = vault_on(max_sources=1)
    vault.save("u", OLD)
    vault.save("other", LASTING)
    source = vault.source("u")
    assert source.reject(source.token())
    vault.source("other").token()
    gc.collect()
    assert source.token().access_token.reveal() == "at-2"
    vault.source("other").token()
    gc.collect()
    assert len(vault._keys) == 1  # nothing is held any longer


def test_a_refusal_of_an_old_token_costs_no_renewal_where_the_store_has_another(
    vault_on: VaultOn, hostile: Hostile
) -> None:
    vault = vault_on(max_sources=1)
    vault.save("u", OLD)
    source = vault.source("u")
    refused = source.token()
    vault.save("u", {**OLD, "access_token": "at-9", "refresh_token": "rt-9"})
    vault.save("other", LASTING)
    gc.collect()
    assert source.reject(refused)
    assert source.token().access_token.reveal() == "at-9"
    assert hostile.token_requests == []


# -- a token that cannot be renewed ------------------------------------------------------------------------------------


def client_with_auth(vault: TokenVault) -> Any:
    return httpx2.Client(auth=OAuth2Auth(vault.source("u")))


CLIENTS: dict[str, Callable[[TokenVault], Any]] = {
    "an auth object": client_with_auth,
    "a session of httpx2": lambda vault: vault.client("u", httpx2.Client),
    "a session of requests": lambda vault: vault.client("u"),
}


@pytest.mark.parametrize("client_of", CLIENTS.values(), ids=CLIENTS)
def test_one_refusal_of_a_token_that_cannot_be_renewed_is_the_apis_word_on_that_request_alone(
    client_of: Callable[[TokenVault], Any], vault: TokenVault, hostile: Hostile
) -> None:
    hostile.on("/api", reply(200), reply(401), reply(200))
    vault.save("u", LASTING)
    with client_of(vault) as client:
        assert [client.get(hostile.url()).status_code for _ in range(4)] == [200, 401, 200, 200]
    assert tokens(hostile) == ["gho-1"] * 4


@pytest.mark.anyio
@both_backends
async def test_the_same_holds_where_it_is_awaited(async_vault: AsyncTokenVault, hostile: Hostile) -> None:
    await async_vault.save("u", LASTING)
    for client in (
        httpx2.AsyncClient(auth=OAuth2Auth(async_vault.source("u"))),
        async_vault.client("u", httpx2.AsyncClient),
    ):
        hostile.on("/api", reply(200), reply(401), reply(200))
        async with client:
            assert [(await client.get(hostile.url())).status_code for _ in range(3)] == [200, 401, 200]


def test_a_refused_token_that_cannot_be_renewed_gives_way_to_what_another_process_has_saved(
    vault_on: VaultOn, hostile: Hostile
) -> None:
    hostile.on("/api", reply(401), reply(200))
    store = MemoryStore()
    here, there = vault_on(store), vault_on(store)
    here.save("u", LASTING)
    here.source("u").token()
    there.save("u", {**LASTING, "access_token": "gho-2"})
    with client_with_auth(here) as client:
        assert client.get(hostile.url()).status_code == 200
    assert tokens(hostile) == ["gho-1", "gho-2"]


def test_refreshing_by_hand_what_cannot_be_renewed_is_an_error_and_spoils_nothing(
    vault: TokenVault, hostile: Hostile, clock: Arrivals
) -> None:
    vault.save("u", LASTING)
    with vault.client("u") as session:
        with pytest.raises(TokenExpiredError, match="no refresh token"):
            session.refresh_token()
        assert session.get(hostile.url()).status_code == 200

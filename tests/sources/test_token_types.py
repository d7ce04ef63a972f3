"""The option `token_types=` of credentials and vaults: the meaning of a `token_type` that only one server uses."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from doorkey.credentials import ClientCredentials, Credentials, JWTBearer, RefreshToken
from doorkey.errors import InvalidResponse, UsageError
from doorkey.stores import AsyncMemoryStore, MemoryStore
from doorkey.vault import AsyncTokenVault, TokenVault
from tests.support.every_source import ONE_OF_EACH, Maker
from tests.support.fake_clock import START, Clock
from tests.support.hostile_server import Hostile, token

one_of_each = pytest.mark.parametrize("source", ONE_OF_EACH, indirect=True)
TYPES = {"User": "bearer"}
OLD = {"access_token": "at-1", "token_type": "user", "refresh_token": "rt-1", "expires_at": START - 1}


def sent_to_the_api(hostile: Hostile) -> list[str | None]:
    return [request.header("Authorization") for request in hostile.to("/api")]


@pytest.mark.parametrize("wrong", [{"user": "mac"}, {"": "Bearer"}, {"user": 1}, ["user"], "user"], ids=str)
def test_a_meaning_that_is_not_known_is_refused_at_construction(wrong: Any) -> None:
    where: dict[str, Any] = {"client_id": "c", "token_endpoint": "https://as.example/token"}
    with pytest.raises(UsageError, match="token_types"):
        ClientCredentials("c", "s", token_types=wrong)
    with pytest.raises(UsageError, match="token_types"):
        TokenVault(MemoryStore(), token_types=wrong, **where)
    with pytest.raises(UsageError, match="token_types"):
        AsyncTokenVault(AsyncMemoryStore(), token_types=wrong, **where)


@one_of_each
def test_a_source_of_such_credentials_takes_the_named_type(source: Maker, hostile: Hostile) -> None:
    hostile.on(
        "/token", token("at-1", token_type="user", refresh_token="rt-1", expires_in=60), token(token_type="user")
    )
    clock = Clock()
    credentials = ClientCredentials("c", "s", token_types=TYPES)
    asking = source(credentials, token_endpoint=hostile.token_endpoint, clock=clock)
    assert asking.token().token_type == "Bearer"
    clock.advance(60)
    assert asking.token().token_type == "Bearer"
    with pytest.raises(InvalidResponse, match="token_types="):
        source(ClientCredentials("c", "s"), token_endpoint=hostile.token_endpoint).token()


def test_credentials_with_the_same_types_are_one_key_of_a_cache() -> None:
    def made(types: Mapping[str, str]) -> list[Credentials]:
        return [
            ClientCredentials("c", "s", token_types=types),
            RefreshToken("c", "s", refresh_token="rt", token_types=types),
            JWTBearer("c", assertion="a.b.c", token_types=types),
        ]

    one, same, another = made({"a": "Bearer", "B": "DPoP"}), made({"b": "dpop", "A": "bearer"}), made({"a": "DPoP"})
    assert one == same
    assert set(one) == set(same)
    assert not set(one) & set(another)


def test_a_vault_reads_renews_and_sends_tokens_of_the_named_type(hostile: Hostile) -> None:
    hostile.on("/token", token("at-2", token_type="user"))
    store, clock = MemoryStore(), Clock()
    where: dict[str, Any] = {"client_id": "c", "client_secret": "s", "token_endpoint": hostile.token_endpoint}
    for _ in range(2):  # the second vault finds the first one's record
        vault = TokenVault(store, clock=clock, token_types=TYPES, **where)
        if not hostile.received:
            vault.save("k", OLD)
        assert vault.source("k").token().token_type == "Bearer"
        with vault.client("k") as client:
            client.get(hostile.url())
    assert sent_to_the_api(hostile) == ["Bearer at-2"] * 2
    assert [request.form["refresh_token"] for request in hostile.token_requests] == ["rt-1"]


def test_an_asynchronous_vault_reads_and_renews_tokens_of_the_named_type(hostile: Hostile) -> None:
    hostile.on("/token", token("at-2", token_type="user"))
    where: dict[str, Any] = {"client_id": "c", "client_secret": "s", "token_endpoint": hostile.token_endpoint}

    async def types() -> list[str]:
        store, clock = AsyncMemoryStore(), Clock()
        one = AsyncTokenVault(store, clock=clock, token_types=TYPES, **where)
        await one.save("k", OLD)
        another = AsyncTokenVault(store, clock=clock, token_types=TYPES, **where)
        return [(await vault.source("k").token()).token_type for vault in (one, another)]

    assert asyncio.run(types()) == ["Bearer", "Bearer"]
    assert len(hostile.token_requests) == 1

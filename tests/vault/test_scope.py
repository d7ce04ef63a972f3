"""The scope of a vault: sent with each renewal, which servers such as Microsoft Entra ID require."""

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
import requests

from doorkey import ClientCredentials
from doorkey.errors import UsageError
from doorkey.stores import AsyncMemoryStore
from doorkey.vault import AsyncTokenVault, TokenVault
from tests.support.backends import both_backends
from tests.support.hostile_server import Hostile, token
from tests.vault.arrivals import Arrivals
from tests.vault.conftest import OLD

Make = Callable[..., TokenVault]


def sent(hostile: Hostile) -> list[str | None]:
    return [request.form.get("scope") for request in hostile.token_requests]


@pytest.mark.parametrize(
    ("scope", "granted", "expected"),
    [
        ("api.read offline_access", None, "api.read offline_access"),
        (("api.read", "offline_access"), None, "api.read offline_access"),
        ("api.read api.write offline_access", "api.read", "api.read offline_access"),
        ("https://api.example/.default", "api.read", "https://api.example/.default"),
        (None, "api.read", None),
    ],
)
def test_a_renewal_sends_the_scope_of_the_vault_as_far_as_it_was_granted(
    vault_on: Make, hostile: Hostile, clock: Arrivals, scope: Any, granted: str | None, expected: str | None
) -> None:
    hostile.on("/token", token("at-2", refresh_token="rt-2"))
    vault = vault_on(scope=scope)
    vault.save("u", OLD if granted is None else {**OLD, "scope": granted})
    clock.advance(300)
    assert vault.source("u").token().access_token.reveal() == "at-2"
    assert sent(hostile) == [expected]


@pytest.mark.parametrize("kind", [requests.Session, httpx2.Client])
def test_a_client_renews_with_the_scope_of_the_vault_and_logs_in_with_it(
    vault_on: Make, hostile: Hostile, kind: Any
) -> None:
    hostile.on("/token", token("at-2", refresh_token="rt-2"))
    vault = vault_on(scope="api.read offline_access")
    vault.save("u", OLD)
    with vault.client("u", kind) as client:
        assert client.scope == "api.read offline_access"
        url, _ = client.create_authorization_url("https://as.example/authorize")
        narrower, _ = client.create_authorization_url("https://as.example/authorize", scope="api.read")
        client.refresh_token()
    assert [parse_qs(urlsplit(one).query)["scope"] for one in (url, narrower)] == [
        ["api.read offline_access"],
        ["api.read"],
    ]
    assert sent(hostile) == ["api.read offline_access"]


@pytest.mark.anyio
@both_backends
async def test_an_asynchronous_vault_does_the_same(hostile: Hostile, clock: Arrivals) -> None:
    hostile.on("/token", token("at-2", refresh_token="rt-2"), token("at-3", refresh_token="rt-3"))
    vault = AsyncTokenVault(
        AsyncMemoryStore(),
        client_id="app",
        client_secret="s",
        token_endpoint=hostile.token_endpoint,
        scope="api.read offline_access",
        clock=clock,
    )
    await vault.save("u", OLD)
    clock.advance(300)
    assert (await vault.source("u").token()).access_token.reveal() == "at-2"
    async with vault.client("u") as client:
        assert client.scope == "api.read offline_access"
        assert (await client.refresh_token()).access_token == "at-3"
    assert sent(hostile) == ["api.read offline_access"] * 2
    await vault.aclose()


def test_credentials_of_a_vault_keep_their_own_scopes(vault_on: Make, hostile: Hostile) -> None:
    hostile.on("/token", token("at-1"))
    vault = vault_on(scope="api.read offline_access")
    vault.source_of(ClientCredentials("app", scopes=("jobs",))).token()
    vault.source_of(ClientCredentials("app")).token()
    assert sent(hostile) == ["jobs", None]


@pytest.mark.parametrize("scope", [7, b"api.read", 'a "b"', [7]])
def test_a_scope_that_cannot_be_is_refused(vault_on: Make, scope: Any) -> None:
    with pytest.raises(UsageError, match="scope"):
        vault_on(scope=scope)

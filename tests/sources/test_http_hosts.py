"""`ExchangePolicy(http_hosts=…)`: plain http to the hosts that it names, in sources, vaults, `discover`."""

import asyncio
from collections.abc import Callable
from typing import Any

import httpx2
import pytest
import requests

from doorkey import ClientCredentials, ExchangePolicy, OAuth2Auth, UsageError, discover
from doorkey.discovery import adiscover
from doorkey.errors import InvalidResponse
from doorkey.integrations.httpx_transport import OAuthAuthorityClient
from doorkey.stores import AsyncMemoryStore, MemoryStore
from doorkey.vault import AsyncTokenVault, TokenVault
from tests.support.every_source import ONE_OF_EACH, TLS, Maker
from tests.support.fake_clock import START, Clock
from tests.support.hostile_server import Hostile, reply, token
from tests.support.named_servers import Names

HOST = "keycloak"
POLICY = ExchangePolicy(http_hosts={HOST})
ANOTHER = ExchangePolicy(http_hosts={"another"})
CLIENT = ClientCredentials("c", "s")
OLD = {"access_token": "at-1", "refresh_token": "rt-1", "expires_at": START - 1}


@pytest.fixture
def place(hostile: Hostile, names: Names) -> Callable[[str], str]:
    """The server by a name that no DNS has; its issuer is published."""
    names.lead(HOST, "127.0.0.1")
    names.lead("another", "127.0.0.1")

    def at(path: str) -> str:
        return hostile.url(path, host=HOST)

    members = {"issuer": at(""), "token_endpoint": at("/token"), "introspection_endpoint": at("/introspect")}
    hostile.on("/.well-known/openid-configuration", reply(json=members))
    hostile.on("/token", token("at-2", expires_in=60))
    return at


def where(place: Callable[[str], str]) -> list[dict[str, Any]]:
    """The three ways to name the server."""
    members = {"issuer": place(""), "token_endpoint": place("/token")}
    return [{"issuer": place("")}, {"token_endpoint": place("/token")}, {"metadata": members}]


@pytest.mark.parametrize("source", ONE_OF_EACH, indirect=True)
def test_a_source_reaches_a_named_host_by_plain_http(
    source: Maker, hostile: Hostile, place: Callable[[str], str]
) -> None:
    for one in where(place):
        assert source(CLIENT, exchange=POLICY, **one).access_token() == "at-2"
        for policy in (None, ANOTHER):
            with pytest.raises(UsageError, match=r"exchange=ExchangePolicy\(http_hosts=\{'keycloak'\}\)"):
                source(CLIENT, exchange=policy, **one)
    assert len(hostile.token_requests) == 3


def test_an_auth_object_reaches_a_named_host_by_plain_http(hostile: Hostile, place: Callable[[str], str]) -> None:
    auth = OAuth2Auth(CLIENT, token_endpoint=place("/token"), exchange=POLICY)
    assert requests.get(hostile.url(), auth=auth, timeout=60).status_code == 200
    with pytest.raises(UsageError, match="http_hosts"):
        OAuth2Auth(CLIENT, token_endpoint=place("/token"))


def test_a_vault_reaches_a_named_host_by_plain_http(hostile: Hostile, place: Callable[[str], str]) -> None:
    hostile.on("/introspect", reply(json={"active": True}))
    for one in where(place):
        vault = TokenVault(MemoryStore(), client_id="c", client_secret="s", clock=Clock(), exchange=POLICY, **one)
        vault.save("k", OLD)
        assert vault.source("k").token().access_token.reveal() == "at-2"
        if "issuer" in one:
            with vault.client("k") as client:
                assert client.introspect_token().active
        with pytest.raises(UsageError, match="http_hosts"):
            TokenVault(MemoryStore(), client_id="c", exchange=ANOTHER, **one)


def test_an_asynchronous_vault_reaches_a_named_host_by_plain_http(place: Callable[[str], str]) -> None:
    async def renewed() -> str:
        how: dict[str, Any] = {"client_id": "c", "client_secret": "s", "issuer": place(""), "clock": Clock()}
        vault = AsyncTokenVault(AsyncMemoryStore(), exchange=POLICY, **how)
        await vault.save("k", OLD)
        return (await vault.source("k").token()).access_token.reveal()

    assert asyncio.run(renewed()) == "at-2"


def test_an_authority_reaches_a_named_host_by_plain_http(place: Callable[[str], str]) -> None:
    members = {"issuer": place(""), "token_endpoint": place("/token")}
    with httpx2.Client(base_url=place(""), verify=TLS) as http:
        ways: list[dict[str, Any]] = [{}, {"openid_config": members}, {"issuer": place("")}]
        for one in ways:
            assert OAuthAuthorityClient(http, exchange=POLICY, **one).get_token(CLIENT).access_token.reveal() == "at-2"
            with pytest.raises(UsageError, match="http_hosts"):
                OAuthAuthorityClient(http, exchange=ANOTHER, **one)


def test_discovery_reaches_a_named_host_by_plain_http(place: Callable[[str], str]) -> None:
    found = discover(place(""), exchange=POLICY)
    assert found == asyncio.run(adiscover(place(""), exchange=POLICY))
    assert found.token_endpoint == place("/token")
    with pytest.raises(UsageError, match="http_hosts"):
        discover(place(""))


def test_metadata_that_was_found_under_a_policy_does_not_widen_another_policy(place: Callable[[str], str]) -> None:
    found = discover(place(""), exchange=POLICY)
    for make in (
        lambda: TokenVault(MemoryStore(), client_id="c", metadata=found),
        lambda: OAuth2Auth(CLIENT, metadata=found, exchange=ANOTHER),
    ):
        with pytest.raises(UsageError, match="http_hosts"):
            make()


def test_a_named_host_whose_metadata_names_another_http_host_is_refused(
    hostile: Hostile, place: Callable[[str], str]
) -> None:
    members = {"issuer": place(""), "token_endpoint": hostile.url("/token", host="another")}
    hostile.on("/.well-known/openid-configuration", reply(json=members))
    with pytest.raises(InvalidResponse, match="must be https"):
        discover(place(""), exchange=POLICY)

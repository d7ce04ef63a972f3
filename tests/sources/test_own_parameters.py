"""Parameters and headers of the user's own, with every token request of sources, vaults and authorities."""

from collections.abc import Callable
from typing import Any

import httpx2
import pytest
import requests

from doorkey import ClientCredentials, OAuth2Auth, UsageError
from doorkey.credentials import RefreshToken
from doorkey.integrations.httpx_transport import OAuthAuthorityClient
from doorkey.stores import MemoryStore
from doorkey.vault import TokenVault
from tests.support.every_source import ONE_OF_EACH, TLS, Maker
from tests.support.fake_clock import START, Clock
from tests.support.hostile_server import Hostile, reply, token

one_of_each = pytest.mark.parametrize("source", ONE_OF_EACH, indirect=True)
OWN: dict[str, Any] = {"token_params": {"tenant": "t"}, "token_request_headers": {"X-Tenant": "h"}}
CLIENT = ClientCredentials("c", "s", scopes=("a",))
OLD = {"access_token": "at-1", "refresh_token": "rt-1", "expires_at": START - 1}


def were_sent(hostile: Hostile) -> list[tuple[str | None, str | None]]:
    return [(request.form.get("tenant"), request.header("X-Tenant")) for request in hostile.token_requests]


@one_of_each
def test_a_source_sends_them_with_the_first_request_and_with_a_refresh(source: Maker, hostile: Hostile) -> None:
    clock = Clock()
    hostile.on("/token", token("at-1", refresh_token="rt-1", expires_in=60), token("at-2"))
    asking = source(CLIENT, token_endpoint=hostile.token_endpoint, clock=clock, **OWN)
    asking.token()
    clock.advance(60)
    assert asking.access_token() == "at-2"
    assert were_sent(hostile) == [("t", "h")] * 2


def by_auth(hostile: Hostile) -> None:
    auth = OAuth2Auth(CLIENT, token_endpoint=hostile.token_endpoint, **OWN)
    assert requests.get(hostile.url(), auth=auth, timeout=60).status_code == 200


def by_vault(hostile: Hostile) -> None:
    where: dict[str, Any] = {"client_id": "c", "client_secret": "s", "token_endpoint": hostile.token_endpoint}
    with TokenVault(MemoryStore(), clock=Clock(), **where, **OWN) as vault:
        vault.save("k", OLD)
        vault.source("k").token()


def by_authority(hostile: Hostile) -> None:
    metadata = {"issuer": hostile.url(""), "token_endpoint": hostile.token_endpoint}
    with httpx2.Client(base_url=hostile.url(""), verify=TLS) as http:
        OAuthAuthorityClient(http, metadata, **OWN).get_token(CLIENT)


@pytest.mark.parametrize("by", [by_auth, by_vault, by_authority], ids=lambda by: by.__name__)
def test_whatever_requests_tokens_sends_them(hostile: Hostile, by: Callable[[Hostile], None]) -> None:
    hostile.on("/token", token("at-2"))
    by(hostile)
    assert were_sent(hostile) == [("t", "h")]


@one_of_each
@pytest.mark.parametrize(
    "wrong", [{"token_request_headers": {"AUTHORIZATION": "Basic eDp5"}}, {"token_params": "a=b"}], ids=str
)
def test_a_value_that_cannot_be_sent_is_refused_at_construction(source: Maker, wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=next(iter(wrong))):
        source(CLIENT, token_endpoint="https://as.example/token", **wrong)


# -- the next token of a source ------------------------------------------------------------------------------------


@one_of_each
def test_the_first_use_of_a_refresh_token_sends_the_scope_of_its_credentials(source: Maker, hostile: Hostile) -> None:
    hostile.on("/token", token("at-1"))
    credentials = RefreshToken("c", "s", scopes=("api://x/.default",), refresh_token="rt-1")
    source(credentials, token_endpoint=hostile.token_endpoint).token()
    assert hostile.token_requests[0].form["scope"] == "api://x/.default"


@one_of_each
@pytest.mark.parametrize("status", [400, 401, 403])
def test_a_refresh_token_that_is_refused_without_words_is_dropped_for_the_credentials(
    source: Maker, hostile: Hostile, status: int
) -> None:
    clock = Clock()
    first = token("at-1", refresh_token="rt-1", expires_in=60)
    hostile.on("/token", first, reply(status), token("at-2", expires_in=60), token("at-3"))
    asking = source(CLIENT, token_endpoint=hostile.token_endpoint, clock=clock)
    asking.token()
    for expected in ("at-2", "at-3"):
        clock.advance(60)
        assert asking.access_token() == expected
    kinds = [request.form["grant_type"] for request in hostile.token_requests]
    assert kinds == ["client_credentials", "refresh_token", "client_credentials", "client_credentials"]

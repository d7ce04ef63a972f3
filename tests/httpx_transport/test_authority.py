"""An authority's issuer, as its client's base URL tells it; and its client, in one event loop and in another."""

import asyncio
import json
from types import ModuleType
from typing import Any

import pytest

from doorkey import ClientCredentials, Issuer
from doorkey.errors import TransportError, UsageError, VerificationError
from doorkey.integrations.httpx_transport import AsyncOAuthAuthorityClient
from tests.support.every_transport import World
from tests.support.hostile_server import Hostile, reply, token
from tests.support.source_requests import CLIENT

DISCOVERY = "/.well-known/openid-configuration"


def says(hostile: Hostile, issuer: str) -> None:
    hostile.on(DISCOVERY, reply(json={"issuer": issuer, "token_endpoint": hostile.token_endpoint}))


@pytest.mark.parametrize("base", ["", "/"])
@pytest.mark.parametrize("issuer", ["", "/"])
def test_an_issuer_may_end_with_a_slash_however_the_base_url_does(
    base: str, issuer: str, world: World, hostile: Hostile
) -> None:
    says(hostile, hostile.url("") + issuer)
    hostile.on("/token", token("at-1"))
    authority = world.authority_class(world.client(base_url=hostile.url("") + base))
    assert world.token(authority, CLIENT).access_token.reveal() == "at-1"
    assert authority.issuer == hostile.url("") + issuer
    assert world.run(authority.supports_grant, "implicit")


def test_another_issuer_is_refused_and_the_error_says_where_to_name_it(world: World, hostile: Hostile) -> None:
    says(hostile, "https://elsewhere.example")
    authority = world.authority_class(world.client(base_url=hostile.url("")))
    for _ in range(2):
        with pytest.raises(VerificationError, match="pass issuer=") as caught:
            world.token(authority, CLIENT)
        assert caught.value.expected == hostile.url("")
        assert authority.issuer == hostile.url("")
    assert hostile.token_requests == []


def test_an_issuer_that_is_named_is_the_one_that_is_meant(world: World, hostile: Hostile) -> None:
    says(hostile, hostile.url("/"))
    authority = world.authority_class(world.client(base_url=hostile.url("")), issuer=hostile.url(""))
    with pytest.raises(VerificationError) as caught:
        world.token(authority, CLIENT)
    assert "base_url" not in str(caught.value)


def test_an_issuer_is_discovered_once_for_the_authorities_that_share_it(world: World, hostile: Hostile) -> None:
    says(hostile, hostile.url(""))
    hostile.on("/token", token("at-1"), token("at-1"))
    issuer = Issuer(hostile.url(""))
    for _ in range(2):
        authority = world.authority_class(world.client(), issuer=issuer)
        assert authority.issuer == hostile.url("")
        assert world.token(authority, CLIENT).access_token.reveal() == "at-1"
    assert len(hostile.to(DISCOVERY)) == 1
    with pytest.raises(UsageError, match="an Issuer has its own metadata"):
        world.authority_class(world.client(), {"issuer": hostile.url("")}, issuer=issuer)


class OfOneLoop:
    """The transport of a client that keeps a connection: asyncio refuses it to other loops."""

    def __init__(self, library: Any, hostile: Hostile) -> None:
        self._library, self._hostile = library, hostile
        self._loop: Any = None

    async def handle_async_request(self, request: Any) -> Any:
        here = asyncio.get_running_loop()
        if self._loop not in (None, here):
            raise RuntimeError("Event loop is closed")
        self._loop = here
        content: dict[str, Any] = {"access_token": "at-1", "token_type": "Bearer"}
        if request.method == "GET":
            content = {"issuer": self._hostile.url(""), "token_endpoint": self._hostile.token_endpoint}
        return self._library.Response(200, content=json.dumps(content))


@pytest.mark.parametrize("first", ["supports_grant", "get_token"])
@pytest.mark.parametrize("then", ["openid_config", "get_token"])
def test_an_authority_of_another_event_loop_says_what_helps(
    first: str, then: str, library: ModuleType, hostile: Hostile
) -> None:
    own: Any = OfOneLoop(library, hostile)
    client = library.AsyncClient(base_url=hostile.url(""), transport=own)
    authority = AsyncOAuthAuthorityClient(client)
    calls: dict[str, Any] = {
        "supports_grant": lambda: authority.supports_grant("password"),
        "get_token": lambda: authority.get_token(ClientCredentials("one")),
        "openid_config": authority.openid_config,
    }
    asyncio.run(calls[first]())
    authority._server.discovery.entry = None
    authority.forget(ClientCredentials("one"))
    with pytest.raises(TransportError, match="create an authority, with its own client, for each event loop"):
        asyncio.run(calls[then]())

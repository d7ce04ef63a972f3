"""What `doorkey.integrations.aiohttp_client` gives to who uses aiohttp alone."""

from typing import Any

import pytest

from doorkey.errors import UsageError
from doorkey.integrations.aiohttp_client import OAuth2Auth
from tests.support.every_http_library import Maker
from tests.support.hostile_server import Hostile, echo, reply, token
from tests.support.source_requests import CLIENT, on_token

on_aiohttp = pytest.mark.parametrize("caller", ["aiohttp"], indirect=True)


@on_aiohttp
def test_its_middleware_sends_the_token_and_another_one_after_a_refusal(caller: Maker, hostile: Hostile) -> None:
    client = caller(OAuth2Auth(CLIENT, **on_token(hostile, token("at-1"), token("at-2"))))
    hostile.on("/api", reply(401), echo)
    assert client.status(hostile.url()) == 200
    assert [request.token for request in hostile.to("/api")] == ["at-1", "at-2"]


@on_aiohttp
def test_its_middleware_sends_the_token_nowhere_else(caller: Maker, hostile: Hostile) -> None:
    how: dict[str, Any] = on_token(hostile, token("at-1"))
    client = caller(OAuth2Auth(CLIENT, allowed_origins=["https://api.example"], **how))
    with pytest.raises(UsageError, match="allowed_origins"):
        client.status(hostile.url())

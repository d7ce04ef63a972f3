"""The policy of addresses holds for every way to a token: nothing is sent to one that is refused."""

import pytest

from doorkey import OAuth2Auth, public_address
from doorkey.errors import VerificationError
from doorkey.wire.limits import ExchangePolicy
from tests.support.every_http_library import Maker
from tests.support.hostile_server import Hostile, token
from tests.support.source_requests import CLIENT, on_token

PUBLIC = ExchangePolicy(addresses=public_address)


def test_an_auth_object_asks_no_inner_address_for_its_token(caller: Maker, hostile: Hostile) -> None:
    client = caller(OAuth2Auth(CLIENT, exchange=PUBLIC, **on_token(hostile, token("at-1"))))
    with pytest.raises(VerificationError, match=r"ExchangePolicy\.addresses refuses"):
        client.status(hostile.url())
    assert hostile.token_requests == hostile.to("/api") == []


def test_an_auth_object_discovers_nothing_at_an_inner_address(caller: Maker, hostile: Hostile) -> None:
    client = caller(OAuth2Auth(CLIENT, exchange=PUBLIC, issuer=hostile.url("")))
    with pytest.raises(VerificationError, match=r"ExchangePolicy\.addresses refuses"):
        client.status(hostile.url())
    assert hostile.to("/.well-known/openid-configuration") == hostile.to("/api") == []

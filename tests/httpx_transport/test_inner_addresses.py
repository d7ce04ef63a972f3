"""The policy of addresses holds for authorities too, blocking and awaiting."""

import pytest

from doorkey import public_address
from doorkey.errors import VerificationError
from doorkey.wire.limits import ExchangePolicy
from tests.support.every_transport import World
from tests.support.hostile_server import Hostile, token
from tests.support.source_requests import CLIENT


def test_an_authority_asks_no_inner_address_for_a_token(world: World, hostile: Hostile) -> None:
    authority = world.authority(hostile, token("at-1"), exchange=ExchangePolicy(addresses=public_address))
    with pytest.raises(VerificationError, match=r"ExchangePolicy\.addresses refuses"):
        world.token(authority, CLIENT)
    assert hostile.token_requests == []

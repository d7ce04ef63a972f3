"""The policy of addresses holds for authorities too, blocking and awaiting."""

import pytest

from doorkey import public_address
from doorkey.errors import VerificationError
from doorkey.protocol.exchange import ExchangePolicy
from tests.clients.hostile import Hostile, token
from tests.sources.asking import CLIENT
from tests.transport.worlds import World


def test_an_authority_asks_no_inner_address_for_a_token(world: World, hostile: Hostile) -> None:
    authority = world.authority(hostile, token("at-1"), exchange=ExchangePolicy(addresses=public_address))
    with pytest.raises(VerificationError, match=r"ExchangePolicy\.addresses refuses"):
        world.token(authority, CLIENT)
    assert hostile.token_requests == []

"""The policy of addresses applies to a vault's renewals too."""

from collections.abc import Callable

import pytest

from doorkey import public_address
from doorkey.errors import VerificationError
from doorkey.vault import TokenVault
from doorkey.wire.limits import ExchangePolicy
from tests.support.hostile_server import Hostile, token
from tests.vault.arrivals import Arrivals
from tests.vault.conftest import OLD


def test_a_vault_asks_no_inner_address_to_renew(
    vault_on: Callable[..., TokenVault], hostile: Hostile, clock: Arrivals
) -> None:
    hostile.on("/token", token("at-2"))
    vault = vault_on(exchange=ExchangePolicy(addresses=public_address))
    vault.save("user", OLD)
    assert vault.source("user").token().access_token.reveal() == "at-1"
    clock.advance(400)
    with pytest.raises(VerificationError, match=r"ExchangePolicy\.addresses refuses"):
        vault.source("user").token()
    assert hostile.token_requests == []

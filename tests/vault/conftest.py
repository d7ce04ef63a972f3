"""What the tests of this folder share: a clock, and vaults on a store in memory."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from doorkey.stores import AsyncMemoryStore, MemoryStore
from doorkey.vault import AsyncTokenVault, TokenVault
from tests.support.fake_clock import START
from tests.support.hostile_server import Hostile
from tests.vault.arrivals import Arrivals

OLD = {"access_token": "at-1", "refresh_token": "rt-1", "expires_at": START + 300, "expires_in": 300}


@pytest.fixture
def clock() -> Arrivals:
    return Arrivals()


@pytest.fixture
def vault_on(hostile: Hostile, clock: Arrivals) -> Iterator[Callable[..., TokenVault]]:
    """Make vaults whose server is `hostile`; vaults that share a store pass it in."""
    made: list[TokenVault] = []

    def make(store: Any = None, **options: Any) -> TokenVault:
        usual: dict[str, Any] = {
            "client_id": "app",
            "client_secret": "s",
            "token_endpoint": hostile.token_endpoint,
            "clock": clock,
        }
        vault = TokenVault(store if store is not None else MemoryStore(), **{**usual, **options})
        made.append(vault)
        return vault

    yield make
    for vault in made:
        vault.close()


@pytest.fixture
def vault(vault_on: Callable[..., TokenVault]) -> TokenVault:
    return vault_on()


@pytest.fixture
def async_vault(hostile: Hostile, clock: Arrivals) -> AsyncTokenVault:
    """Not closed: its clients keep no idle connection, and tests use it from several event loops."""
    return AsyncTokenVault(
        AsyncMemoryStore(), client_id="app", client_secret="s", token_endpoint=hostile.token_endpoint, clock=clock
    )

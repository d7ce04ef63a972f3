"""A clock that is set back puts nothing off for longer than it would have been."""

from collections.abc import Callable

import pytest

from doorkey.errors import MissingTokenError
from doorkey.stores import MemoryStore
from doorkey.vault import TokenVault
from tests.support.fake_clock import START
from tests.support.hostile_server import Hostile, reply, token
from tests.vault.arrivals import Arrivals
from tests.vault.conftest import OLD

VaultOn = Callable[..., TokenVault]
LONG = {**OLD, "expires_at": START + 86_400, "expires_in": 86_400}


def access(vault: TokenVault) -> str:
    return vault.source("u").token().access_token.reveal()


def test_what_another_process_forgot_is_seen_though_the_clock_was_set_back(vault_on: VaultOn, clock: Arrivals) -> None:
    store = MemoryStore()
    here, there = vault_on(store), vault_on(store)
    clock.advance(3600)
    here.save("u", LONG)
    there.forget("u")
    assert access(here) == "at-1"
    clock.advance(-3600)
    with pytest.raises(MissingTokenError):
        access(here)


def test_the_store_is_looked_at_once_in_check_every_after_the_clock_was_set_back(
    vault_on: VaultOn, clock: Arrivals
) -> None:
    store = MemoryStore()
    here, there = vault_on(store), vault_on(store)
    clock.advance(3600)
    here.save("u", LONG)
    clock.advance(-3600)
    assert access(here) == "at-1"
    there.save("u", {**LONG, "access_token": "at-9", "refresh_token": "rt-9"})
    clock.advance(59)
    assert access(here) == "at-1"
    clock.advance(1)
    assert access(here) == "at-9"


def test_a_pause_after_a_failure_is_over_when_the_clock_is_set_back(
    vault: TokenVault, hostile: Hostile, clock: Arrivals
) -> None:
    hostile.on("/token", reply(503, "no"), token("at-2"))
    vault.save("u", OLD)
    clock.advance(280)  # stale, and still good
    assert [access(vault) for _ in range(3)] == ["at-1"] * 3
    assert len(hostile.token_requests) == 1
    clock.advance(-10)  # stale too
    assert access(vault) == "at-2"

"""What a vault remembers is bounded, however many keys it serves."""

import gc
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest

from doorkey.errors import StoreError, UsageError
from doorkey.stores import Lease, MemoryStore, Record
from doorkey.stores.envelope import pack
from doorkey.tokens import OAuthToken
from doorkey.vault import TokenVault
from tests.support.every_adapter import in_background
from tests.support.fake_clock import START
from tests.support.hostile_server import Held, Hostile, token
from tests.vault.arrivals import Arrivals
from tests.vault.conftest import OLD

KEYS = 5000
REMEMBERED = 1000
BUDGET = 8 * 1024 * 1024
"""Bytes for what is remembered of 1000 keys and for the last of the others: 8 KiB for each."""


class Endless:
    """A store that has a token for every key, and keeps none of them in this process."""

    def __init__(self, endpoint: str) -> None:
        self._data = pack(
            OAuthToken.from_mapping(OLD, now=START), {"grant": "g", "turn": 0, "client": "app", "server": endpoint}
        )

    def load(self, key: str) -> Record:
        return Record(1, bytes(bytearray(self._data)))

    def try_lease(self, key: str, seconds: float) -> Lease | None:
        return None

    def commit(self, key: str, data: bytes | None, *, expected: int) -> int:
        return expected + 1

    def release(self, lease: Lease) -> None:
        return None

    def close(self) -> None:
        return None


def test_5000_keys_of_which_1000_are_remembered_stay_within_8_megabytes(
    vault_on: Callable[..., TokenVault], hostile: Hostile
) -> None:
    vault = vault_on(Endless(hostile.token_endpoint), max_sources=REMEMBERED)
    vault.source("warm").token()
    gc.collect()
    tracemalloc.start()
    try:
        for number in range(KEYS):
            vault.source(f"user-{number}").token()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < BUDGET
    assert len(vault._keys) <= REMEMBERED + 1


def test_a_dropped_value_is_gone_at_once(vault_on: Callable[..., TokenVault]) -> None:
    vault = vault_on(max_sources=1)
    gc.disable()  # it is no cycle, and waits for no collector
    try:
        for key in ("a", "b", "c"):
            vault.save(key, OLD)
            vault.source(key).token()
        assert len(vault._keys) == 1
    finally:
        gc.enable()


def test_a_key_that_was_dropped_is_read_from_the_store_again(
    vault_on: Callable[..., TokenVault], hostile: Hostile, clock: Arrivals
) -> None:
    hostile.on("/token", token("at-2", refresh_token="rt-2"))
    store: Any = MemoryStore()
    vault = vault_on(store, max_sources=1)
    source = vault.source("u")
    vault.save("u", OLD)
    clock.advance(300)
    assert source.token().access_token.reveal() == "at-2"
    vault.save("other", OLD)
    assert source.token().access_token.reveal() == "at-2"
    assert len(hostile.token_requests) == 1


class Refusing(MemoryStore):
    """A store that refuses every write while it is `down`."""

    down = False

    def commit(self, key: str, data: bytes | None, *, expected: int) -> int:
        if self.down:
            raise StoreError("it is down", retryable=True)
        return super().commit(key, data, expected=expected)


def test_the_only_copy_of_a_token_is_kept_though_its_key_is_crowded_out_while_it_is_renewed(
    vault_on: Callable[..., TokenVault], hostile: Hostile, clock: Arrivals
) -> None:
    held = Held(token("at-2", refresh_token="rt-2"))
    hostile.on("/token", held, token("never"))
    store = Refusing()
    vault = vault_on(store, max_sources=1)
    vault.save("u", OLD)
    vault.save("other", {"access_token": "theirs"})
    clock.advance(300)
    with in_background(lambda: vault.source("u").token()) as renewed:
        held.wait_for_arrival()
        vault.source("other").token()
        store.down = True
        held.release.set()
        assert renewed().access_token.reveal() == "at-2"
    vault.source("other").token()
    gc.collect()
    store.down = False
    assert vault.source("u").token().access_token.reveal() == "at-2"
    vault.source("other").token()
    gc.collect()
    assert len(vault._keys) == 1  # saved now, and no longer held
    assert len(hostile.token_requests) == 1


@pytest.mark.parametrize("bad", [0, -1, True, 1.5, "many"])
def test_bounds_that_bound_nothing_are_refused(bad: Any, vault_on: Callable[..., TokenVault]) -> None:
    with pytest.raises(UsageError):
        vault_on(max_sources=bad)

"""Of many processes that renew one token at an issuer, one fetches the metadata: the one that has the lease."""

import threading
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from typing import Any

import pytest

from doorkey.stores import MemoryStore
from doorkey.stores.protocol import Lease
from doorkey.vault import TokenVault
from tests.support.hostile_server import WAIT, Exchange, Held, Hostile, Whole, reply, token
from tests.vault.arrivals import Arrivals
from tests.vault.conftest import OLD

WELL_KNOWN = "/.well-known/openid-configuration"
PROCESSES = 8

VaultOn = Callable[..., TokenVault]


class Counting(MemoryStore):
    """Counts the leases that were taken."""

    def __init__(self) -> None:
        super().__init__()
        self.leases = 0

    def try_lease(self, key: str, seconds: float) -> Lease | None:
        lease = super().try_lease(key, seconds)
        self.leases += lease is not None
        return lease


@pytest.fixture
def metadata(hostile: Hostile) -> bytes:
    return reply(json={"issuer": hostile.url(""), "token_endpoint": hostile.token_endpoint})


def test_of_many_processes_that_wait_for_one_renewal_one_fetches_the_metadata(
    vault_on: VaultOn, hostile: Hostile, clock: Arrivals, metadata: bytes
) -> None:
    waiting, everyone_else = threading.Semaphore(0), threading.Event()
    held = Held(metadata)
    hostile.on(WELL_KNOWN, held)
    hostile.on("/token", token("at-2"))

    def sleep(_: float) -> None:
        waiting.release()
        assert everyone_else.wait(WAIT)

    store = MemoryStore()
    how: dict[str, Any] = {"issuer": hostile.url(""), "token_endpoint": None, "sleep": sleep}
    vaults = [vault_on(store, **how) for _ in range(PROCESSES)]
    vaults[0].save("u", OLD)
    clock.advance(301)
    with ThreadPoolExecutor(PROCESSES) as threads:
        tokens = [threads.submit(vault.source("u").token) for vault in vaults]
        try:
            held.wait_for_arrival()
            assert all(waiting.acquire(timeout=WAIT) for _ in vaults[1:]), "some send a request in place of waiting"
        finally:
            held.release.set()
            wait(tokens, WAIT, FIRST_COMPLETED)  # the pauses of the others take no time after that
            everyone_else.set()
    assert {one.result().access_token.reveal() for one in tokens} == {"at-2"}
    assert (len(hostile.to(WELL_KNOWN)), len(hostile.token_requests)) == (1, 1)


def test_a_token_that_is_still_good_is_used_without_metadata_while_another_process_renews_it(
    vault_on: VaultOn, hostile: Hostile, clock: Arrivals
) -> None:
    store = MemoryStore()
    vault = vault_on(store, issuer=hostile.url(""), token_endpoint=None)
    vault.save("u", OLD)
    assert store.try_lease("u", 20) is not None
    clock.advance(290)
    assert vault.source("u").token().access_token.reveal() == "at-1"
    assert hostile.received == []


def test_metadata_that_arrives_too_late_for_the_lease_is_used_under_the_next_one(
    vault_on: VaultOn, hostile: Hostile, clock: Arrivals, metadata: bytes
) -> None:
    def late(exchange: Exchange) -> None:
        clock.advance(6)
        exchange.send(metadata)

    hostile.on(WELL_KNOWN, Whole(late))
    hostile.on("/token", token("at-2"))
    store = Counting()
    vault = vault_on(store, issuer=hostile.url(""), token_endpoint=None)
    vault.save("u", OLD)
    clock.advance(301)
    assert vault.source("u").token().access_token.reveal() == "at-2"
    assert store.leases == 2
    assert (len(hostile.to(WELL_KNOWN)), len(hostile.token_requests)) == (1, 1)

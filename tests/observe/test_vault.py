"""What vaults tell beyond what all tell: of waiting for another process."""

import threading
from typing import Any

import pytest

from doorkey import OAuthError
from doorkey.stores import MemoryStore
from doorkey.vault import TokenVault
from tests.observe.conftest import OLD, REFRESH, SECRET, Events, Timer
from tests.support.every_adapter import in_background
from tests.support.fake_clock import START, Clock
from tests.support.hostile_server import WAIT, Held, Hostile, reply, token

EXPIRED = {"access_token": OLD, "refresh_token": REFRESH, "expires_at": START - 1}


def vault_on(store: MemoryStore, server: Hostile, **options: Any) -> TokenVault:
    usual: dict[str, Any] = {"token_endpoint": server.token_endpoint, "clock": Clock()}
    return TokenVault(store, client_id="c", client_secret=SECRET, **{**usual, **options})


def test_a_wait_for_another_process_is_reported_with_its_duration(
    server: Hostile, events: Events, timer: Timer
) -> None:
    held = Held(token("new", refresh_token="next"))
    server.on("/token", held)
    store = MemoryStore()
    renewed = threading.Event()

    def sleep(_: float) -> None:
        timer.advance(0.25)
        held.release.set()
        assert renewed.wait(WAIT)

    leader = vault_on(store, server)
    other = vault_on(store, server, on_event=events.append, timer=timer, sleep=sleep)

    def leads() -> None:
        leader.source("u").token()
        renewed.set()

    leader.save("u", EXPIRED)
    with in_background(leads) as outcome:
        held.wait_for_arrival()
        assert other.source("u").token().access_token.reveal() == "new"
        outcome()
    assert [(event.kind, event.duration, event.error) for event in events] == [("waited", 0.25, None)]


def test_a_takeover_from_a_dead_process_reports_the_wait_and_then_the_request(
    server: Hostile, events: Events, timer: Timer
) -> None:
    server.on("/token", token("new", refresh_token="next"))
    seconds = Clock()
    store = MemoryStore(clock=seconds)
    pauses: list[float] = []

    def sleep(_: float) -> None:
        pauses.append(0.25)
        timer.advance(0.25)
        seconds.advance(60)  # the lease runs out

    with vault_on(store, server, on_event=events.append, timer=timer, sleep=sleep) as vault:
        vault.save("u", EXPIRED)
        assert store.try_lease("u", 30) is not None
        assert vault.source("u").token().access_token.reveal() == "new"
    told = [(event.kind, event.duration) for event in events]
    assert told == [("waited", sum(pauses)), ("requested", None), ("renewed", 0.0)]
    assert pauses


def test_a_wait_that_comes_to_nothing_says_so(server: Hostile, events: Events, timer: Timer) -> None:
    store = MemoryStore(clock=Clock())  # a lease that never runs out

    def sleep(_: float) -> None:
        timer.advance(1)

    with vault_on(store, server, on_event=events.append, timer=timer, sleep=sleep) as vault:
        vault.save("u", EXPIRED)
        assert store.try_lease("u", 30) is not None
        with pytest.raises(OAuthError):
            vault.source("u").token()
    assert [(event.kind, event.error) for event in events] == [("waited", "transport_error")]


def test_a_vault_that_cannot_discover_its_server_tells(server: Hostile, events: Events) -> None:
    server.on("/.well-known/openid-configuration", reply(500))
    options: dict[str, Any] = {"token_endpoint": None, "issuer": server.url(""), "on_event": events.append}
    with vault_on(MemoryStore(), server, **options) as vault:
        vault.save("u", EXPIRED)
        with pytest.raises(OAuthError):
            vault.source("u").token()
    assert [(event.kind, event.server, event.grant_type) for event in events] == [("failed", server.url(""), None)]


def test_a_session_of_a_vault_tells_of_its_own_login(server: Hostile, events: Events) -> None:
    server.on("/token", token("first", refresh_token=REFRESH))
    with vault_on(MemoryStore(), server, on_event=events.append) as vault, vault.client("u") as session:
        session.fetch_token(username="alice", password=SECRET)
    assert [(event.kind, event.grant_type) for event in events] == [("requested", "password"), ("renewed", "password")]

"""A token that is assigned while another is being renewed stays: the session sends no token of its former user."""

import asyncio
import contextvars
import threading
from collections.abc import Callable
from typing import Any

import pytest

from doorkey.errors import MissingTokenError, TokenExpiredError
from doorkey.values import Secret
from tests.support.every_adapter import KINDS, Adapter, Client, in_background
from tests.support.fake_clock import START, Clock
from tests.support.flights import Watched
from tests.support.hostile_server import WAIT, Exchange, Held, Hostile, Whole, token

ALICE = {"access_token": "alice-1", "refresh_token": "alice-rt-1", "expires_at": START + 300, "expires_in": 300}
BOB = {"access_token": "bob-1", "refresh_token": "bob-rt-1", "expires_at": START + 9000, "expires_in": 9000}

only_async = pytest.mark.parametrize("adapter", [n for n, k in KINDS.items() if k.is_async], indirect=True)
only_blocking = pytest.mark.parametrize("adapter", [n for n, k in KINDS.items() if not k.is_async], indirect=True)


def during_a_renewal(
    adapter: Adapter, hostile: Hostile, clock: Clock, change: Callable[[Client], None], **options: Any
) -> tuple[Client, Any]:
    """Return the client, and what a request came to during whose renewal `change` was made."""
    held = Held(token("alice-2", refresh_token="alice-rt-2"))
    hostile.on("/token", held, token("other", refresh_token="other-rt"))
    client = adapter.client(token=ALICE, clock=clock, token_endpoint=hostile.token_endpoint, **options)
    clock.advance(300)

    def request() -> Any:
        try:
            return client.get(hostile.url()).status_code
        except (MissingTokenError, TokenExpiredError) as error:
            return error

    with in_background(request) as outcome:
        held.wait_for_arrival()
        change(client)
        held.release.set()
        return client, outcome()


def restore_an_expired_login_of_bob(client: Client) -> None:
    client.token = {**BOB, "expires_at": START}


def log_in_as_bob(client: Client) -> None:
    client.token = BOB


def log_out(client: Client) -> None:
    client.token = None


def load_the_same_again(client: Client) -> None:
    client.token = dict(ALICE)


def test_a_login_during_a_renewal_wins(adapter: Adapter, hostile: Hostile, clock: Clock) -> None:
    client, status = during_a_renewal(adapter, hostile, clock, log_in_as_bob)
    assert client.access_token == "bob-1"
    client.get(hostile.url())
    assert status == 200
    assert [request.token for request in hostile.to("/api")] == ["bob-1", "bob-1"]


def test_an_expired_login_during_a_renewal_is_renewed_and_not_sent(
    adapter: Adapter, hostile: Hostile, clock: Clock
) -> None:
    _, status = during_a_renewal(adapter, hostile, clock, restore_an_expired_login_of_bob)
    assert status == 200
    assert [request.form["refresh_token"] for request in hostile.token_requests] == ["alice-rt-1", "bob-rt-1"]
    assert [request.token for request in hostile.to("/api")] == ["other"]


def test_an_expired_login_that_cannot_be_renewed_is_not_sent_either(
    adapter: Adapter, hostile: Hostile, clock: Clock
) -> None:
    def restore(client: Client) -> None:
        client.token = {"access_token": "bob-1", "expires_at": START}

    _, error = during_a_renewal(adapter, hostile, clock, restore)
    assert isinstance(error, TokenExpiredError)
    assert hostile.to("/api") == []


def test_a_refresh_by_hand_that_waited_for_an_expired_login_is_made(
    adapter: Adapter, hostile: Hostile, clock: Clock
) -> None:
    held = Held(token("alice-2", refresh_token="alice-rt-2"))
    hostile.on("/token", held, token("bob-2", refresh_token="bob-rt-2"))
    client = adapter.client(token=ALICE, clock=clock, token_endpoint=hostile.token_endpoint)
    lock = client.native._flight._lock = Watched()
    with in_background(client.refresh_token) as first:
        held.wait_for_arrival()
        with in_background(client.refresh_token) as second:
            lock.wait_for(1)
            clock.advance(300)
            restore_an_expired_login_of_bob(client)
            held.release.set()
            assert (first()["access_token"], second()["access_token"]) == ("alice-2", "bob-2")
    assert [request.form["refresh_token"] for request in hostile.token_requests] == ["alice-rt-1", "bob-rt-1"]


def test_a_login_that_expires_each_time_it_is_renewed_is_an_error(
    adapter: Adapter, hostile: Hostile, clock: Clock
) -> None:
    def restore(exchange: Exchange) -> None:
        number = len(hostile.token_requests)
        client.token = {"access_token": f"bob-{number}", "refresh_token": f"bob-rt-{number}", "expires_at": START}
        exchange.send(token("of-the-one-before"))

    hostile.on("/token", Whole(restore))
    client = adapter.client(token={**ALICE, "expires_at": 1}, clock=clock, token_endpoint=hostile.token_endpoint)
    with pytest.raises(TokenExpiredError, match="each time this token is renewed, another caller replaces it"):
        client.get(hostile.url())
    assert len(hostile.token_requests) == 3
    assert hostile.to("/api") == []


def test_a_logout_during_a_renewal_wins(adapter: Adapter, hostile: Hostile, clock: Clock) -> None:
    client, error = during_a_renewal(adapter, hostile, clock, log_out)
    assert isinstance(error, MissingTokenError)
    assert client.token is None
    with pytest.raises(MissingTokenError):
        client.get(hostile.url())
    assert hostile.to("/api") == []


def test_what_was_renewed_for_another_is_saved_anyway(adapter: Adapter, hostile: Hostile, clock: Clock) -> None:
    saved: list[tuple[str, str | None]] = []

    def save(token: Any, refresh_token: str | None = None, access_token: str | None = None) -> None:
        saved.append((token["access_token"], refresh_token))

    during_a_renewal(adapter, hostile, clock, log_in_as_bob, update_token=adapter.function(save))
    assert saved == [("alice-2", "alice-rt-1")]


def test_the_same_token_assigned_again_during_its_renewal_is_renewed(
    adapter: Adapter, hostile: Hostile, clock: Clock
) -> None:
    client, status = during_a_renewal(adapter, hostile, clock, load_the_same_again)
    assert (status, client.access_token) == (200, "alice-2")
    assert [request.form["refresh_token"] for request in hostile.token_requests] == ["alice-rt-1"]


def test_who_asked_for_a_refresh_gets_it_though_the_session_is_anothers_by_then(
    adapter: Adapter, hostile: Hostile, clock: Clock
) -> None:
    held = Held(token("alice-2", refresh_token="alice-rt-2"))
    hostile.on("/token", held)
    client = adapter.client(token=ALICE, clock=clock, token_endpoint=hostile.token_endpoint)
    with in_background(lambda: client.refresh_token()["access_token"]) as outcome:
        held.wait_for_arrival()
        log_in_as_bob(client)
        held.release.set()
        assert outcome() == "alice-2"
    assert client.access_token == "bob-1"


@only_async
def test_a_task_begun_by_update_token_sends_no_expired_token_later(
    adapter: Adapter, hostile: Hostile, clock: Clock
) -> None:

    hostile.on("/token", token("at-2", refresh_token="rt-2"), token("at-3", refresh_token="rt-3"))
    later = threading.Event()
    begun: list[asyncio.Task[None]] = []

    async def save(token: Any, refresh_token: str | None = None, access_token: str | None = None) -> None:
        async def task() -> None:
            await asyncio.to_thread(later.wait, WAIT)
            await client.native.get(hostile.url())

        if not begun:
            begun.append(asyncio.get_running_loop().create_task(task()))

    client = adapter.client(token=ALICE, clock=clock, update_token=save, token_endpoint=hostile.token_endpoint)
    client.refresh_token()
    clock.advance(9000)
    later.set()

    async def done() -> None:
        await begun[0]

    adapter.caller(done)
    assert [request.token for request in hostile.to("/api")] == ["at-3"]


@only_blocking
def test_a_thread_that_copies_the_context_of_update_token_sends_no_expired_token_later(
    adapter: Adapter, hostile: Hostile, clock: Clock
) -> None:

    hostile.on("/token", token("at-2", refresh_token="rt-2"), token("at-3", refresh_token="rt-3"))
    copies: list[contextvars.Context] = []

    def save(token: Any, refresh_token: str | None = None, access_token: str | None = None) -> None:
        copies.append(contextvars.copy_context())

    client = adapter.client(token=ALICE, clock=clock, update_token=save, token_endpoint=hostile.token_endpoint)
    client.refresh_token()
    clock.advance(9000)
    copies[0].run(client.get, hostile.url())
    assert [request.token for request in hostile.to("/api")] == ["at-3"]


def test_a_secret_is_taken_for_a_refresh_token(adapter: Adapter, hostile: Hostile, clock: Clock) -> None:
    hostile.on("/token", token("at-2"), token("at-3"))
    client = adapter.client(clock=clock, token_endpoint=hostile.token_endpoint)
    client.refresh_token(refresh_token=Secret("rt-1"))
    client.refresh_token(refresh_token=Secret("rt-1"))
    assert [request.form["refresh_token"] for request in hostile.token_requests] == ["rt-1", "rt-1"]

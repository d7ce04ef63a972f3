"""Ctrl-C while a blocking renewal waits for the server: what the server has done by then is saved first."""

import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from doorkey import ClientCredentials
from doorkey.errors import StoreError
from doorkey.stores import MemoryStore
from doorkey.vault import TokenVault
from tests.support.every_adapter import Adapter, in_background
from tests.support.every_source import KINDS, Driven
from tests.support.fake_clock import Clock
from tests.support.hostile_server import WAIT, Held, Hostile, reply, token
from tests.support.interrupts import no_garbage_collection
from tests.support.source_requests import REFRESH, on_token

blocking = pytest.mark.parametrize("adapter", ["requests", "httpx2", "httpx"], indirect=True)


class CtrlC:
    """Interrupts the main thread, and returns when the interrupt was raised there."""

    def __init__(self) -> None:
        self.handled = threading.Semaphore(0)
        self.main = threading.get_ident()

    def handle(self, *_: object) -> None:
        self.handled.release()
        raise KeyboardInterrupt

    def __call__(self) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        assert self.handled.acquire(timeout=WAIT), "the main thread was not interrupted"
        while self.is_handled():  # an interrupt of the handler itself would replace the first one
            time.sleep(0)

    def is_handled(self) -> bool:
        frame = sys._current_frames()[self.main]
        return any(one.f_code is CtrlC.handle.__code__ for one, _ in traceback.walk_stack(frame))


@pytest.fixture
def ctrl_c() -> Iterator[CtrlC]:
    assert threading.current_thread() is threading.main_thread()
    pressed = CtrlC()
    before = signal.signal(signal.SIGINT, pressed.handle)
    with no_garbage_collection():
        yield pressed
    signal.signal(signal.SIGINT, before)


def struck_while_held(held: Held, call: Callable[[], Any], *strikes: Callable[[], None]) -> None:
    """Make `call` in this thread; once its token request is there, strike, and then let the server answer."""

    def beside() -> None:
        held.wait_for_arrival()
        for strike in strikes:
            strike()
        held.release.set()

    with in_background(beside) as done:
        with pytest.raises(KeyboardInterrupt):
            call()
        done()


def session(adapter: Adapter, hostile: Hostile, saved: list[Any], **options: Any) -> Any:
    expired = {"access_token": "old", "refresh_token": "rt-1", "expires_at": 1}

    def save(token: Any, **_: Any) -> None:
        saved.append(token)

    options = {"token_endpoint": hostile.token_endpoint, "update_token": save, **options}
    return adapter.client("c", "s", token=expired, **options)


@blocking
def test_a_session_that_is_interrupted_in_a_renewal_has_saved_the_new_token(
    adapter: Adapter, hostile: Hostile, ctrl_c: CtrlC
) -> None:
    held, saved = Held(token("new", refresh_token="rt-2")), list[Any]()
    hostile.on("/token", held)
    client = session(adapter, hostile, saved)
    struck_while_held(held, lambda: client.get(hostile.url()), ctrl_c)
    assert [one["refresh_token"] for one in saved] == ["rt-2"]
    assert client.get(hostile.url()).status_code == 200
    assert [request.token for request in hostile.to("/api")] == ["new"]
    assert len(hostile.token_requests) == 1


@blocking
def test_a_second_interrupt_takes_effect_at_once(adapter: Adapter, hostile: Hostile, ctrl_c: CtrlC) -> None:
    held, saved = Held(token("new", refresh_token="rt-2")), list[Any]()
    hostile.on("/token", held)
    client = session(adapter, hostile, saved)
    struck_while_held(held, client.ensure_active_token, ctrl_c, ctrl_c)
    assert saved == []


@blocking
def test_a_renewal_that_fails_after_the_interruption_is_an_interruption(
    adapter: Adapter, hostile: Hostile, ctrl_c: CtrlC
) -> None:
    held = Held(reply(400, json={"error": "invalid_grant"}))
    hostile.on("/token", held)
    client = session(adapter, hostile, [])
    struck_while_held(held, client.ensure_active_token, ctrl_c)
    assert len(hostile.token_requests) == 1


@blocking
def test_a_session_that_is_interrupted_before_it_can_verify_the_id_token_has_saved_the_new_refresh_token(
    adapter: Adapter, hostile: Hostile, ctrl_c: CtrlC
) -> None:
    """The keys are another exchange, which is not begun any more."""
    unverified = "eyJhbGciOiJSUzI1NiJ9.e30.AAAA"
    held, saved = Held(token("new", refresh_token="rt-2", id_token=unverified)), list[Any]()
    hostile.on("/token", held)
    client = session(adapter, hostile, saved, metadata={"issuer": hostile.url(""), "jwks_uri": hostile.url("/keys")})
    struck_while_held(held, client.ensure_active_token, ctrl_c)
    assert [(one["access_token"], one["refresh_token"]) for one in saved] == [("old", "rt-2")]
    assert client.token is not None
    assert client.token.refresh_token == "rt-2"
    assert hostile.to("/keys") == []


@blocking
def test_a_login_without_update_token_is_interrupted_at_once(adapter: Adapter, hostile: Hostile, ctrl_c: CtrlC) -> None:
    held = Held(token("new"))
    hostile.on("/token", held)
    client = adapter.client("c", "s", token_endpoint=hostile.token_endpoint)
    struck_while_held(held, client.fetch_token, ctrl_c)
    assert client.token is None


def test_a_source_that_is_interrupted_has_the_new_token(hostile: Hostile, ctrl_c: CtrlC) -> None:
    held = Held(token("new", refresh_token="rt-2"))
    asking = Driven(KINDS["blocking"], None, REFRESH, on_token(hostile, held))
    try:
        struck_while_held(held, asking.token, ctrl_c)
        assert asking.access_token() == "new"
        assert len(hostile.token_requests) == 1
    finally:
        asking.close()


@pytest.mark.parametrize("retry_after", [None, "5"])
def test_nothing_else_is_begun_after_an_interruption(hostile: Hostile, ctrl_c: CtrlC, retry_after: str | None) -> None:
    """A refresh token that is refused leads to the first grant, and a busy server to a pause: not any more then."""
    clock, answers = Clock(), list[Any]()
    if retry_after is None:
        held = Held(reply(400, json={"error": "invalid_grant"}))
        answers = [token("old", refresh_token="rt", expires_in=1), held, token("new")]
    else:
        held = Held(reply(503, "busy", {"Retry-After": retry_after}))
        answers = [held, token("new")]
    options = {**on_token(hostile, *answers), "clock": clock}
    asking = Driven(KINDS["blocking"], None, ClientCredentials("c", "s"), options)
    try:
        if retry_after is None:
            asking.token()
            clock.advance(10)
        struck_while_held(held, asking.token, ctrl_c)
        assert asking.sleeps == []
        assert len(hostile.token_requests) == len(answers) - 1
    finally:
        asking.close()


OLD = {"access_token": "at-1", "refresh_token": "rt-1", "expires_at": 1}


class FailingOnce(MemoryStore):
    """A store that fails at the first commit of a renewal."""

    def commit(self, key: str, data: bytes | None, *, expected: int) -> int:
        if expected == 1 and not self.has_failed:
            self.has_failed = True
            raise StoreError("the store is away", retryable=True)
        return super().commit(key, data, expected=expected)

    has_failed = False


def test_a_vault_that_is_interrupted_in_a_renewal_waits_for_its_store_and_has_saved_the_new_token(
    hostile: Hostile, ctrl_c: CtrlC
) -> None:
    held, store, sleeps = Held(token("new", refresh_token="rt-2")), FailingOnce(), list[float]()
    hostile.on("/token", held)
    with TokenVault(
        store, client_id="c", client_secret="s", token_endpoint=hostile.token_endpoint, sleep=sleeps.append
    ) as vault:
        vault.save("u", OLD)
        struck_while_held(held, vault.source("u").token, ctrl_c)
        assert (store.has_failed, len(sleeps)) == (True, 1)
        assert vault.source("u").token().access_token.reveal() == "new"
        assert len(hostile.token_requests) == 1


def test_a_vault_that_is_interrupted_in_a_discovery_does_not_wait_for_another_process(
    hostile: Hostile, ctrl_c: CtrlC
) -> None:
    described = {"issuer": hostile.url(""), "token_endpoint": hostile.token_endpoint}
    held, store, sleeps = Held(reply(json=described)), MemoryStore(), list[float]()
    hostile.on("/.well-known/openid-configuration", held)
    with TokenVault(store, client_id="c", client_secret="s", issuer=hostile.url(""), sleep=sleeps.append) as vault:
        vault.save("u", OLD)
        assert store.try_lease("u", 60) is not None
        struck_while_held(held, vault.source("u").token, ctrl_c)
        assert (sleeps, hostile.token_requests) == ([], [])

"""Ctrl-C while a blocking renewal waits for the server: what the server has done by then is saved first."""

import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from doorkey import ClientCredentials, TokenSource
from doorkey.errors import StoreError
from doorkey.integrations.requests_client import OAuth2Session
from doorkey.stores import MemoryStore, SQLStore
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
@pytest.mark.parametrize("ending", [KeyboardInterrupt, SystemExit])
def test_an_interruption_of_update_token_waits_until_it_has_saved(
    adapter: Adapter, hostile: Hostile, ending: type[BaseException]
) -> None:
    """Also while it gets a token of its own to save with."""
    hostile.on("/token", token("new", refresh_token="rt-2"))
    hostile.on("/other", token("other"))
    saved, own = list[Any](), adapter.client("c", "s", token_endpoint=hostile.url("/other"))

    def save(token: Any, **_: Any) -> None:
        signal.raise_signal(signal.SIGTERM)
        saved.append((token["refresh_token"], own.fetch_token()["access_token"]))

    def handle(*_: object) -> None:
        raise ending

    client = session(adapter, hostile, [], update_token=save)
    before = signal.signal(signal.SIGTERM, handle)
    try:
        with pytest.raises(ending):
            client.ensure_active_token()
        assert signal.getsignal(signal.SIGTERM) is handle
    finally:
        signal.signal(signal.SIGTERM, before)
    assert saved == [("rt-2", "other")]
    assert client.access_token == "new"


@blocking
def test_a_second_interruption_of_update_token_takes_effect_at_once(
    adapter: Adapter, hostile: Hostile, ctrl_c: CtrlC
) -> None:
    hostile.on("/token", token("new", refresh_token="rt-2"))
    reached = list[int]()

    def save(_: Any, **__: Any) -> None:
        for number in range(3):
            reached.append(number)
            signal.raise_signal(signal.SIGINT)

    client = session(adapter, hostile, [], update_token=save)
    with pytest.raises(KeyboardInterrupt):
        client.ensure_active_token()
    assert reached == [0, 1]


def test_a_handler_that_update_token_has_set_stays(hostile: Hostile) -> None:
    def handle(*_: object) -> None: ...

    def save(_: Any, **__: Any) -> None:
        signal.signal(signal.SIGTERM, handle)

    hostile.on("/token", token("new", refresh_token="rt-2"))
    before = signal.signal(signal.SIGTERM, handle_nothing)
    try:
        with OAuth2Session("c", token=dict(OLD), token_endpoint=hostile.token_endpoint, update_token=save) as client:
            client.ensure_active_token()
        assert signal.getsignal(signal.SIGTERM) is handle
    finally:
        signal.signal(signal.SIGTERM, before)


def handle_nothing(*_: object) -> None: ...


def test_a_pause_that_risks_nothing_is_interrupted_at_once(hostile: Hostile, ctrl_c: CtrlC) -> None:
    slept = list[float]()

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        ctrl_c()
        slept.append(0.0)

    hostile.on("/token", reply(503, "busy", {"Retry-After": "5"}), token("new"))
    with TokenSource(ClientCredentials("c", "s"), token_endpoint=hostile.token_endpoint, sleep=sleep) as source:
        with pytest.raises(KeyboardInterrupt):
            source.token()
        assert slept == [5.0]


def test_a_vault_that_is_interrupted_in_a_commit_has_saved_the_new_token(hostile: Hostile, tmp_path: Path) -> None:
    class Struck(SQLStore):
        def commit(self, key: str, data: bytes | None, *, expected: int) -> int:
            if expected == 1:
                signal.raise_signal(signal.SIGINT)
            return super().commit(key, data, expected=expected)

    folder = tmp_path / "own"
    folder.mkdir(mode=0o700)
    hostile.on("/token", token("new", refresh_token="rt-2"))
    store = Struck(f"sqlite:///{folder / 'tokens.db'}")
    store.create_table()
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with TokenVault(store, client_id="c", token_endpoint=hostile.token_endpoint) as vault:
            vault.save("u", OLD)
            with pytest.raises(KeyboardInterrupt):
                vault.source("u").token()
            record = store.load("u")
    finally:
        signal.signal(signal.SIGINT, before)
    assert record is not None
    assert b"rt-2" in bytes(record.data)


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


def test_a_vault_that_is_interrupted_in_a_discovery_gives_back_the_lease_and_requests_no_token(
    hostile: Hostile, ctrl_c: CtrlC
) -> None:
    described = {"issuer": hostile.url(""), "token_endpoint": hostile.token_endpoint}
    held, store, sleeps = Held(reply(json=described)), MemoryStore(), list[float]()
    hostile.on("/.well-known/openid-configuration", held)
    with TokenVault(store, client_id="c", client_secret="s", issuer=hostile.url(""), sleep=sleeps.append) as vault:
        vault.save("u", OLD)
        struck_while_held(held, vault.source("u").token, ctrl_c)
        assert (sleeps, hostile.token_requests) == ([], [])
        assert store.try_lease("u", 60) is not None

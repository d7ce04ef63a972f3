"""Single flight of threads, and across a fork."""

import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from doorkey.errors import OAuthError, TransportError
from doorkey.renewal import leader_lock
from doorkey.renewal.effects import saving
from doorkey.renewal.leader_lock import LeaderLock
from doorkey.renewal.single_flight import SingleFlight
from doorkey.renewal.slot import Slot
from doorkey.tokens import OAuthToken
from doorkey.values import Secret
from doorkey.wire.flow import Flow, Settle
from tests.support.flights import (
    EXPIRED,
    FAILURE,
    NEW,
    NOW,
    STALE,
    WAIT,
    Renews,
    Server,
    Watched,
    callers,
    now,
    renewing,
    slot,
)


def test_32_threads_that_want_an_expired_token_make_one_renewal() -> None:
    server, lock = Server(), Watched()
    flight = SingleFlight(slot(), server, now, lock)
    with callers(flight, 32) as outcomes:
        lock.wait_for(31)
        server.go_on.set()
    assert [outcome.result(0) for outcome in outcomes] == [NEW] * 32
    assert server.asked == 1


def test_32_threads_that_ask_for_a_renewal_make_one() -> None:
    server, lock = Server(), Watched()
    flight = SingleFlight(slot(NEW), server, now, lock)
    with ThreadPoolExecutor(32) as pool:
        outcomes = [pool.submit(flight.renewed, renewing) for _ in range(32)]
        lock.wait_for(31)
        server.go_on.set()
    assert [outcome.result(0) for outcome in outcomes] == [NEW] * 32
    assert server.asked == 1


def test_a_failure_is_raised_as_a_copy_for_all_waiting_callers_and_for_no_later_caller() -> None:
    server, lock = Server(FAILURE), Watched()
    flight = SingleFlight(slot(), server, now, lock)
    with callers(flight, 10) as outcomes:
        lock.wait_for(9)
        server.go_on.set()
    errors = [outcome.exception(0) for outcome in outcomes]
    assert [str(error) for error in errors] == ["invalid_grant: Session not active"] * 10
    assert len({id(error) for error in errors}) == 10
    assert server.asked == 1
    assert flight.token() == NEW
    assert server.asked == 2


def test_while_one_renews_a_stale_token_the_others_go_on_with_it() -> None:
    server = Server()
    flight = SingleFlight(slot(STALE), server, now)
    with ThreadPoolExecutor(1) as pool:
        leader = pool.submit(flight.token)
        assert server.arrived.wait(WAIT)
        assert [flight.token() for _ in range(10)] == [STALE] * 10  # the exchange is still held
        assert not leader.done()
        server.go_on.set()
    assert leader.result(0) == NEW
    assert flight.token() == NEW
    assert server.asked == 1


def test_a_stale_token_survives_a_server_that_cannot_be_reached() -> None:
    server = Server(TransportError("gone"))
    server.go_on.set()
    flight = SingleFlight(slot(STALE), server, now)
    assert flight.token() == STALE
    assert flight.token() == NEW


@pytest.mark.parametrize("error", [None, TransportError("gone"), FAILURE])
def test_in_the_background_a_stale_token_is_renewed_and_no_caller_waits(error: OAuthError | None) -> None:
    server, lock = Server(*([error] if error else [])), Watched()
    flight = SingleFlight(slot(STALE), server, now, lock, background=True)
    assert [flight.token() for _ in range(3)] == [STALE] * 3
    assert server.arrived.wait(WAIT)
    server.go_on.set()
    assert lock.left.wait(WAIT)
    assert server.asked == 1
    assert flight.state.token == (STALE if error else NEW)


def test_where_no_thread_can_be_started_the_token_that_is_good_is_used_and_another_caller_may_try(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def no_more_threads(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    server = Server()
    server.go_on.set()
    lock = Watched()
    flight = SingleFlight(slot(STALE), server, now, lock, background=True)
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", no_more_threads)
        assert flight.token() == STALE
    assert lock.left.is_set()
    lock.left.clear()
    assert flight.token() == STALE
    assert lock.left.wait(WAIT)
    assert flight.token() == NEW


def test_an_interrupted_lock_holder_hands_over_to_the_next_waiter() -> None:
    server, lock = Server(KeyboardInterrupt()), Watched()
    flight = SingleFlight(slot(), server, now, lock)
    with callers(flight, 4) as outcomes:
        lock.wait_for(3)
        server.go_on.set()
    results = [outcome.exception(0) or outcome.result(0) for outcome in outcomes]
    assert sum(isinstance(result, KeyboardInterrupt) for result in results) == 1
    assert results.count(NEW) == 3
    assert server.asked == 2


def test_a_concurrent_reader_never_gets_the_expired_token() -> None:
    shared = slot()

    def clock() -> float:
        if shared.token is EXPIRED:
            shared.set_token(NEW)
        return NOW

    assert SingleFlight(shared, Server(), clock).token() == NEW


def test_a_caller_gives_up_with_an_error_rather_than_never(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leader_lock, "MAX_WAIT", 0.01)
    lock = LeaderLock()
    with ThreadPoolExecutor(1) as another:
        another.submit(lock.try_acquire).result()
        with pytest.raises(TransportError, match="stuck") as caught:
            SingleFlight(slot(), Server(), now, lock).token()
    assert caught.value.retryable


def test_an_update_token_may_use_the_token_without_waiting_for_itself() -> None:
    used: list[OAuthToken] = []

    def renew(_: OAuthToken | None) -> Flow[OAuthToken]:
        yield from saving(shared, NEW, save())
        return NEW

    def save() -> Flow[None]:
        used.append(flight.token())
        yield from Settle(None)
        used.append(flight.token())

    shared = Slot(Renews(renew))
    shared.set_token(EXPIRED)
    flight = SingleFlight(shared, Server(), now)
    assert flight.token() == NEW
    assert used == [NEW, NEW]
    shared.set_token(STALE)
    assert flight.token() == NEW


def test_a_token_that_is_being_saved_is_that_of_its_own_slot_alone() -> None:
    other, used = slot(replace(NEW, access_token=Secret("other"))), list[OAuthToken]()

    def save() -> Flow[None]:
        used.append(SingleFlight(other, Server(), now).token())
        yield from Settle(None)

    for _ in saving(slot(), NEW, save()):
        pass
    assert used == [other.token]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_child_of_a_fork_does_not_wait_for_a_thread_that_only_its_parent_has() -> None:
    code = """
import os, threading, warnings
from tests.renewal.test_threads import EXPIRED, NEW, Server, SingleFlight, now, slot

warnings.simplefilter("ignore")  # that forking with threads is dangerous is the point
server = Server()
flight = SingleFlight(slot(), server, now)
leader = threading.Thread(target=flight.token, daemon=True)
leader.start()
assert server.arrived.wait(30)
child = os.fork()
if child == 0:
    server.go_on = threading.Event()
    server.go_on.set()
    os._exit(0 if flight.token() == NEW and server.asked == 2 else 1)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
assert not server.go_on.is_set() and server.asked == 1
server.go_on.set()
leader.join(30)
assert flight.token() == NEW and server.asked == 1
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=WAIT)

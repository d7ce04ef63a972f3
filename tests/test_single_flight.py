"""One renewal for any number of callers; who waits, who goes on, who is told, and that nobody waits for ever.

Every interleaving is proved: the exchange announces itself and waits to be let on, and the gate tells who has queued.
"""

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from doorkey import single_flight
from doorkey.errors import InvalidGrant, OAuthError, TransportError
from doorkey.gate import Gate
from doorkey.protocol.flow import Flow, Settle
from doorkey.protocol.http import Request, Response
from doorkey.protocol.renewal import Slot
from doorkey.single_flight import AsyncSingleFlight, SingleFlight, saving
from doorkey.tokens import OAuthToken
from doorkey.values import Secret
from tests.backends import both_backends

NOW, WAIT = 1_800_000_000.0, 30.0
ASK = Request("POST", "https://as.example/token")
EXPIRED = OAuthToken(Secret("old"), expires_at=NOW, lifetime=300.0)
STALE = OAuthToken(Secret("old"), expires_at=NOW + 10, lifetime=300.0)
NEW = OAuthToken(Secret("new"), expires_at=NOW + 300, lifetime=300.0)
FAILURE = InvalidGrant("invalid_grant", "Session not active")


def renewing(_: OAuthToken | None) -> Flow[OAuthToken]:
    yield from ASK
    return NEW


def slot(token: OAuthToken | None = EXPIRED) -> Slot:
    made = Slot(renewing, lambda _: True)
    made.put(token)
    return made


def now() -> float:
    return NOW


class Watched(Gate):
    """A gate that tells who has queued and who has left."""

    __slots__ = ("left", "on_queue", "queued")

    def __init__(self, on_queue: Callable[[], object] = lambda: None) -> None:
        super().__init__()
        self.queued, self.left, self.on_queue = threading.Semaphore(0), threading.Event(), on_queue

    def enter(self, wake: Callable[[], object] | None = None) -> bool:
        led = super().enter(wake)
        if not led and wake is not None:
            self.queued.release()
            self.on_queue()
        return led

    def leave(self) -> None:
        super().leave()
        self.left.set()

    def wait_for(self, callers: int) -> None:
        for _ in range(callers):
            assert self.queued.acquire(timeout=WAIT), "not everybody queued"


class Server:
    """Answers the exchange when it is let on; counts how often it was asked."""

    def __init__(self, *errors: BaseException) -> None:
        self.asked = 0
        self.errors = list(errors)
        self.arrived, self.go_on = threading.Event(), threading.Event()

    def __call__(self, effect: Any) -> Response:
        assert effect is ASK
        self.asked += 1
        self.arrived.set()
        assert self.go_on.wait(WAIT)
        return self._answer()

    async def answer_later(self, effect: Any) -> Response:
        """As above, for a caller that awaits in any event loop."""
        assert effect is ASK
        self.asked += 1
        self.arrived.set()
        await anyio.to_thread.run_sync(lambda: self.go_on.wait(WAIT))
        return self._answer()

    def _answer(self) -> Response:
        if self.errors:
            raise self.errors.pop(0)
        return Response(200)


@contextmanager
def callers(flight: SingleFlight, number: int) -> Generator[list[Future[OAuthToken]]]:
    with ThreadPoolExecutor(number) as pool:
        yield [pool.submit(flight.token) for _ in range(number)]


# -- threads -----------------------------------------------------------------------------------------------------------


def test_32_threads_that_want_an_expired_token_make_one_renewal() -> None:
    server, gate = Server(), Watched()
    flight = SingleFlight(slot(), server, now, gate)
    with callers(flight, 32) as outcomes:
        gate.wait_for(31)
        server.go_on.set()
    assert [outcome.result(0) for outcome in outcomes] == [NEW] * 32
    assert server.asked == 1


def test_32_threads_that_ask_for_a_renewal_make_one() -> None:
    server, gate = Server(), Watched()
    flight = SingleFlight(slot(NEW), server, now, gate)
    with ThreadPoolExecutor(32) as pool:
        outcomes = [pool.submit(flight.renewed, renewing) for _ in range(32)]
        gate.wait_for(31)
        server.go_on.set()
    assert [outcome.result(0) for outcome in outcomes] == [NEW] * 32
    assert server.asked == 1


def test_a_failure_is_told_to_all_who_waited_in_copies_and_to_nobody_later() -> None:
    server, gate = Server(FAILURE), Watched()
    flight = SingleFlight(slot(), server, now, gate)
    with callers(flight, 10) as outcomes:
        gate.wait_for(9)
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
        assert [flight.token() for _ in range(10)] == [STALE] * 10  # the exchange has not been let on yet
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
def test_in_the_background_a_stale_token_is_renewed_and_nobody_waits(error: OAuthError | None) -> None:
    server, gate = Server(*([error] if error else [])), Watched()
    flight = SingleFlight(slot(STALE), server, now, gate, background=True)
    assert [flight.token() for _ in range(3)] == [STALE] * 3
    assert server.arrived.wait(WAIT)
    server.go_on.set()
    assert gate.left.wait(WAIT)
    assert server.asked == 1
    assert flight._slot.token == (STALE if error else NEW)


def test_where_no_thread_can_be_started_the_token_that_is_good_is_used_and_another_caller_may_try(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def no_more_threads(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    server = Server()
    server.go_on.set()
    gate = Watched()
    flight = SingleFlight(slot(STALE), server, now, gate, background=True)
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", no_more_threads)
        assert flight.token() == STALE
    assert gate.left.is_set()
    gate.left.clear()
    assert flight.token() == STALE
    assert gate.left.wait(WAIT)
    assert flight.token() == NEW


def test_an_interrupted_leader_hands_over_to_the_next_in_line() -> None:
    server, gate = Server(KeyboardInterrupt()), Watched()
    flight = SingleFlight(slot(), server, now, gate)
    with callers(flight, 4) as outcomes:
        gate.wait_for(3)
        server.go_on.set()
    results = [outcome.exception(0) or outcome.result(0) for outcome in outcomes]
    assert sum(isinstance(result, KeyboardInterrupt) for result in results) == 1
    assert results.count(NEW) == 3
    assert server.asked == 2


def test_whoever_looks_while_another_token_is_put_never_gets_the_expired_one() -> None:
    shared = slot()

    def clock() -> float:
        if shared.token is EXPIRED:
            shared.put(NEW)
        return NOW

    assert SingleFlight(shared, Server(), clock).token() == NEW


def test_a_caller_gives_up_with_an_error_rather_than_never(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(single_flight, "PATIENCE", 0.01)
    gate = Gate()
    gate.enter()
    with pytest.raises(TransportError, match="stuck") as caught:
        SingleFlight(slot(), Server(), now, gate).token()
    assert caught.value.retryable


def test_whoever_saves_the_token_may_use_it_meanwhile_without_waiting_for_itself() -> None:
    used: list[OAuthToken] = []

    def renew(_: OAuthToken | None) -> Flow[OAuthToken]:
        yield from saving(shared, NEW, save())
        return NEW

    def save() -> Flow[None]:
        used.append(flight.token())
        yield from Settle(None)
        used.append(flight.token())

    shared = Slot(renew, lambda _: True)
    shared.put(EXPIRED)
    flight = SingleFlight(shared, Server(), now)
    assert flight.token() == NEW
    assert used == [NEW, NEW]
    shared.put(STALE)
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
from tests.test_single_flight import EXPIRED, NEW, Server, SingleFlight, now, slot

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


# -- tasks -------------------------------------------------------------------------------------------------------------


class Exchange:
    """The server's part in one event loop: it announces itself, and answers when it is let on."""

    def __init__(self, *errors: Exception) -> None:
        self.asked, self.errors = 0, list(errors)
        self.arrived, self.go_on, self.over = anyio.Event(), anyio.Event(), anyio.Event()

    async def __call__(self, effect: Any) -> Response:
        assert effect is ASK
        self.asked += 1
        self.arrived.set()
        try:
            await self.go_on.wait()
        except BaseException:
            self.asked += 1000  # it was cancelled: an exchange never is
            raise
        if self.errors:
            raise self.errors.pop(0)
        return Response(200)


class Counted:
    """Lets a server go on once so many have queued."""

    def __init__(self, number: int, server: Exchange) -> None:
        self.left, self.server = number, server

    def __call__(self) -> None:
        self.left -= 1
        if self.left == 0:
            self.server.go_on.set()


async def together(number: int, call: Callable[[], Any]) -> list[Any]:
    """What `number` tasks came to that called at once: tokens or errors."""
    outcomes: list[Any] = []

    async def one() -> None:
        try:
            outcomes.append(await call())
        except OAuthError as error:
            outcomes.append(error)

    with anyio.fail_after(WAIT):
        async with anyio.create_task_group() as group:
            for _ in range(number):
                group.start_soon(one)
    return outcomes


@both_backends
@pytest.mark.anyio
@pytest.mark.parametrize("explicit", [False, True], ids=["a token", "a renewal"])
async def test_1000_tasks_that_want_the_same_make_one_request(explicit: bool) -> None:
    server = Exchange()
    gate = Watched(Counted(999, server))
    flight = AsyncSingleFlight(slot(), server, now, gate)
    outcomes = await together(1000, (lambda: flight.renewed(renewing)) if explicit else flight.token)
    assert outcomes == [NEW] * 1000
    assert server.asked == 1


@both_backends
@pytest.mark.anyio
async def test_a_failure_is_told_to_all_tasks_that_waited_and_to_nobody_later() -> None:
    server = Exchange(FAILURE)
    flight = AsyncSingleFlight(slot(), server, now, Watched(Counted(9, server)))
    errors = await together(10, flight.token)
    assert [str(error) for error in errors] == ["invalid_grant: Session not active"] * 10
    assert len({id(error) for error in errors}) == 10
    assert await flight.token() == NEW
    assert server.asked == 2


@both_backends
@pytest.mark.anyio
async def test_while_one_task_renews_a_stale_token_the_others_go_on_with_it() -> None:
    server = Exchange()
    flight = AsyncSingleFlight(slot(STALE), server, now)
    outcome: list[OAuthToken] = []

    async def lead() -> None:
        outcome.append(await flight.token())

    with anyio.fail_after(WAIT):
        async with anyio.create_task_group() as group:
            group.start_soon(lead)
            await server.arrived.wait()
            assert [await flight.token() for _ in range(10)] == [STALE] * 10
            assert outcome == []
            server.go_on.set()
    assert outcome == [NEW]
    assert server.asked == 1


@both_backends
@pytest.mark.anyio
async def test_a_stale_token_survives_a_server_that_cannot_be_reached_by_a_task() -> None:
    server = Exchange(TransportError("gone"))
    server.go_on.set()
    flight = AsyncSingleFlight(slot(STALE), server, now)
    assert await flight.token() == STALE
    assert await flight.token() == NEW


@both_backends
@pytest.mark.anyio
@pytest.mark.parametrize("error", [None, TransportError("gone"), FAILURE])
async def test_in_the_background_no_task_waits_for_a_stale_token(error: OAuthError | None) -> None:
    server, left = Exchange(*([error] if error else [])), anyio.Event()

    class Telling(Gate):
        def leave(self) -> None:
            super().leave()
            left.set()

    flight = AsyncSingleFlight(slot(STALE), server, now, Telling(), background=True)
    assert [await flight.token() for _ in range(3)] == [STALE] * 3
    with anyio.fail_after(WAIT):
        await server.arrived.wait()
        server.go_on.set()
        await left.wait()
    assert server.asked == 1
    assert flight._slot.token == (STALE if error else NEW)


@both_backends
@pytest.mark.anyio
@pytest.mark.parametrize("token", [EXPIRED, STALE], ids=["expired", "stale"])
async def test_the_renewal_of_a_cancelled_leader_goes_on_and_the_waiters_get_the_token(token: OAuthToken) -> None:
    server, queued = Exchange(), anyio.Event()
    flight = AsyncSingleFlight(slot(token), server, now, Watched(queued.set))
    scope, outcomes = anyio.CancelScope(), list[OAuthToken]()

    async def lead() -> None:
        with scope:
            await flight.token()
            await anyio.lowlevel.checkpoint()
            raise AssertionError("the leader was cancelled")

    async def wait() -> None:
        outcomes.append(await flight.renewed(renewing))

    with anyio.fail_after(WAIT):
        async with anyio.create_task_group() as group:
            group.start_soon(lead)
            await server.arrived.wait()
            group.start_soon(wait)
            await queued.wait()
            scope.cancel()
            await anyio.lowlevel.checkpoint()
            server.go_on.set()
    assert scope.cancelled_caught
    assert outcomes == [NEW]
    assert await flight.token() == NEW
    assert server.asked == 1


@both_backends
@pytest.mark.anyio
async def test_a_cancelled_waiter_leaves_and_harms_nobody() -> None:
    server, queued = Exchange(), anyio.Event()
    flight = AsyncSingleFlight(slot(), server, now, Watched(queued.set))
    scope, outcomes = anyio.CancelScope(), list[OAuthToken]()

    async def lead() -> None:
        outcomes.append(await flight.token())

    async def wait() -> None:
        with scope:
            await flight.token()

    with anyio.fail_after(WAIT):
        async with anyio.create_task_group() as group:
            group.start_soon(lead)
            await server.arrived.wait()
            group.start_soon(wait)
            await queued.wait()
            scope.cancel()
            server.go_on.set()
    assert scope.cancelled_caught
    assert outcomes == [NEW]
    assert server.asked == 1


@pytest.mark.anyio
async def test_a_leader_that_asyncio_cancels_leaves_at_once_and_its_renewal_is_saved() -> None:
    server = Exchange()
    flight = AsyncSingleFlight(slot(), server, now)
    leader = asyncio.create_task(flight.token())
    await server.arrived.wait()
    leader.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leader
    follower = asyncio.create_task(flight.token())
    server.go_on.set()
    assert await follower == NEW
    assert server.asked == 1


@both_backends
@pytest.mark.anyio
async def test_a_task_gives_up_with_an_error_rather_than_never(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(single_flight, "PATIENCE", 0.01)
    gate = Gate()
    gate.enter()
    with pytest.raises(TransportError, match="stuck"):
        await AsyncSingleFlight(slot(), Exchange(), now, gate).token()


@both_backends
@pytest.mark.anyio
async def test_a_task_that_saves_the_token_may_use_it_meanwhile() -> None:
    used: list[OAuthToken] = []

    async def save() -> None:
        used.append(await flight.token())

    def renew(_: OAuthToken | None) -> Flow[OAuthToken]:
        yield from saving(shared, NEW, settle())
        return NEW

    def settle() -> Flow[None]:
        saved: Settle[None] = Settle(save())
        yield from saved

    shared = Slot(renew, lambda _: True)
    shared.put(EXPIRED)
    flight = AsyncSingleFlight(shared, Exchange(), now)
    with anyio.fail_after(WAIT):
        assert await flight.token() == NEW
    assert used == [NEW]


def test_callers_of_several_event_loops_in_several_threads_make_one_request() -> None:
    server, gate = Server(), Watched()
    flight = AsyncSingleFlight(slot(), server.answer_later, now, gate)
    backends = ["asyncio", "trio"] * 3

    def loop(backend: str) -> list[Any]:
        return anyio.run(together, 5, flight.token, backend=backend)

    with ThreadPoolExecutor(len(backends)) as pool:
        outcomes = [pool.submit(loop, backend) for backend in backends]
        assert server.arrived.wait(WAIT)
        gate.wait_for(29)
        server.go_on.set()
    assert [outcome.result(0) for outcome in outcomes] == [[NEW] * 5] * 6
    assert server.asked == 1


def test_a_thread_and_a_task_that_share_a_gate_share_the_renewal() -> None:
    server, gate, shared = Server(), Watched(), slot()
    blocking = SingleFlight(shared, server, now, gate)
    awaiting = AsyncSingleFlight(shared, server.answer_later, now, gate)
    with ThreadPoolExecutor(2) as pool:
        outcomes = [pool.submit(blocking.token), pool.submit(anyio.run, awaiting.token)]
        gate.wait_for(1)
        server.go_on.set()
    assert [outcome.result(0) for outcome in outcomes] == [NEW, NEW]
    assert server.asked == 1

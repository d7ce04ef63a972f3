"""Single flight of tasks, on asyncio and trio, of one event loop and of several."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from doorkey.errors import OAuthError, TransportError
from doorkey.renewal import leader_lock
from doorkey.renewal.effects import saving
from doorkey.renewal.leader_lock import Holder, LeaderLock
from doorkey.renewal.single_flight import AsyncSingleFlight, SingleFlight
from doorkey.renewal.slot import Slot
from doorkey.tokens import OAuthToken
from doorkey.wire.flow import Flow, Settle
from doorkey.wire.messages import Response
from tests.support.backends import both_backends
from tests.support.flights import (
    ASK,
    EXPIRED,
    FAILURE,
    NEW,
    STALE,
    WAIT,
    Renews,
    Server,
    Watched,
    now,
    renewing,
    slot,
)


class Exchange:
    """The server's part in one event loop: it reports each request, and answers when the test allows it."""

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
            self.asked += 1000  # it was canceled, which must never happen to an exchange
            raise
        if self.errors:
            raise self.errors.pop(0)
        return Response(200)


class Counted:
    """Allows a server to answer once so many callers wait."""

    def __init__(self, number: int, server: Exchange) -> None:
        self.left, self.server = number, server

    def __call__(self) -> None:
        self.left -= 1
        if self.left == 0:
            self.server.go_on.set()


async def together(number: int, call: Callable[[], Any]) -> list[Any]:
    """Return the outcomes of `number` tasks that called at once: tokens or errors."""
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
    lock = Watched(Counted(999, server))
    flight = AsyncSingleFlight(slot(), server, now, lock)
    outcomes = await together(1000, (lambda: flight.renewed(renewing)) if explicit else flight.token)
    assert outcomes == [NEW] * 1000
    assert server.asked == 1


@both_backends
@pytest.mark.anyio
async def test_a_failure_is_raised_for_all_waiting_tasks_and_for_no_later_caller() -> None:
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

    class Telling(LeaderLock):
        def release(self, holder: Holder) -> None:
            super().release(holder)
            left.set()

    flight = AsyncSingleFlight(slot(STALE), server, now, Telling(), background=True)
    assert [await flight.token() for _ in range(3)] == [STALE] * 3
    with anyio.fail_after(WAIT):
        await server.arrived.wait()
        server.go_on.set()
        await left.wait()
    assert server.asked == 1
    assert flight.state.token == (STALE if error else NEW)


@both_backends
@pytest.mark.anyio
@pytest.mark.parametrize("token", [EXPIRED, STALE], ids=["expired", "stale"])
async def test_the_renewal_of_a_canceled_lock_holder_continues_and_the_waiters_get_the_token(token: OAuthToken) -> None:
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
async def test_a_canceled_waiter_does_not_affect_the_others() -> None:
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
async def test_a_lock_holder_that_asyncio_cancels_returns_at_once_and_its_renewal_is_saved() -> None:
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
    monkeypatch.setattr(leader_lock, "MAX_WAIT", 0.01)
    lock = LeaderLock()
    lock.try_acquire()
    with pytest.raises(TransportError, match="stuck"):
        await AsyncSingleFlight(slot(), Exchange(), now, lock).token()


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

    shared = Slot(Renews(renew))
    shared.set_token(EXPIRED)
    flight = AsyncSingleFlight(shared, Exchange(), now)
    with anyio.fail_after(WAIT):
        assert await flight.token() == NEW
    assert used == [NEW]


def test_callers_of_several_event_loops_in_several_threads_make_one_request() -> None:
    server, lock = Server(), Watched()
    flight = AsyncSingleFlight(slot(), server.answer_later, now, lock)
    backends = ["asyncio", "trio"] * 3

    def loop(backend: str) -> list[Any]:
        return anyio.run(together, 5, flight.token, backend=backend)

    with ThreadPoolExecutor(len(backends)) as pool:
        outcomes = [pool.submit(loop, backend) for backend in backends]
        assert server.arrived.wait(WAIT)
        lock.wait_for(29)
        server.go_on.set()
    assert [outcome.result(0) for outcome in outcomes] == [[NEW] * 5] * 6
    assert server.asked == 1


def test_a_thread_and_a_task_that_share_a_gate_share_the_renewal() -> None:
    server, lock, shared = Server(), Watched(), slot()
    blocking = SingleFlight(shared, server, now, lock)
    awaiting = AsyncSingleFlight(shared, server.answer_later, now, lock)
    with ThreadPoolExecutor(2) as pool:
        outcomes = [pool.submit(blocking.token), pool.submit(anyio.run, awaiting.token)]
        lock.wait_for(1)
        server.go_on.set()
    assert [outcome.result(0) for outcome in outcomes] == [NEW, NEW]
    assert server.asked == 1

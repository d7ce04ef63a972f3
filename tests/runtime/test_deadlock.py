"""Code that requests the token of the renewal inside which it runs would wait for itself. It gets an error at once."""

import asyncio
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import Context, copy_context
from typing import Any

import anyio
import anyio.to_thread
import pytest

from doorkey.errors import OAuthError, UsageError
from doorkey.protocol.metadata import ServerMetadata
from doorkey.renewal import leader_lock
from doorkey.renewal.effects import saving
from doorkey.renewal.single_flight import AsyncSingleFlight, SingleFlight
from doorkey.renewal.slot import Slot
from doorkey.runtime import deadlock
from doorkey.runtime.deadlock import entered
from doorkey.sources.fetched_once.discovery import AuthorizationServer
from doorkey.tokens import OAuthToken
from doorkey.wire.flow import Flow, Settle, run
from doorkey.wire.messages import Response
from tests.support.backends import both_backends
from tests.support.flights import ASK, EXPIRED, NEW, STALE, WAIT, Renews, now, renewing

WITHIN = "during its own renewal"


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A caller that waits for itself in spite of the checks gets an error after 0.1 seconds, not after 120."""
    monkeypatch.setattr(leader_lock, "MAX_WAIT", 0.1)


def calling(hook: Callable[[], Any], token: OAuthToken = EXPIRED) -> Slot:
    """A slot whose renewal calls `hook`, as one calls a compliance hook, and brings `NEW`."""

    def renew(_: OAuthToken | None) -> Flow[OAuthToken]:
        yield from Settle(hook())
        return NEW

    made = Slot(Renews(renew))
    made.set_token(token)
    return made


def said(call: Callable[[], object]) -> str:
    try:
        return repr(call())
    except OAuthError as error:
        return str(error)


async def asaid(call: Callable[[], Awaitable[object]]) -> str:
    try:
        return repr(await call())
    except OAuthError as error:
        return str(error)


@pytest.mark.parametrize("explicit", [False, True], ids=["a token", "a renewal"])
def test_a_hook_that_wants_the_token_that_is_being_renewed_gets_an_error_at_once(explicit: bool) -> None:
    told: list[str] = []
    flight = SingleFlight(calling(lambda: told.append(said(ask))), _performs_nothing, now)

    def ask() -> OAuthToken:
        return flight.renewed(renewing) if explicit else flight.token()

    assert flight.token() == NEW
    assert [WITHIN in one for one in told] == [True]


@both_backends
@pytest.mark.anyio
@pytest.mark.parametrize("explicit", [False, True], ids=["a token", "a renewal"])
async def test_a_hook_that_awaits_the_token_that_is_being_renewed_gets_an_error_at_once(explicit: bool) -> None:
    told: list[str] = []

    async def hook() -> None:
        told.append(await asaid(lambda: flight.renewed(renewing) if explicit else flight.token()))

    flight = AsyncSingleFlight(calling(hook), _aperforms_nothing, now)
    assert await flight.token() == NEW
    assert [WITHIN in one for one in told] == [True]


def test_a_hook_may_use_a_token_that_is_still_good() -> None:
    used: list[OAuthToken] = []
    flight = SingleFlight(calling(lambda: used.append(flight.token()), STALE), _performs_nothing, now)
    assert flight.token() == NEW
    assert used == [STALE]


def test_an_update_token_sees_the_token_it_saves_and_gets_an_error_if_it_requests_another() -> None:
    told: list[str] = []

    def save() -> Flow[None]:
        told.extend((said(flight.token), said(lambda: flight.renewed(renewing))))
        yield from Settle(None)

    def renew(_: OAuthToken | None) -> Flow[OAuthToken]:
        yield from saving(shared, NEW, save())
        return NEW

    shared = Slot(Renews(renew))
    shared.set_token(EXPIRED)
    flight = SingleFlight(shared, _performs_nothing, now)
    assert flight.token() == NEW
    assert told[0] == repr(NEW)
    assert WITHIN in told[1]


def test_a_thread_that_is_given_the_context_is_inside_too() -> None:
    told: list[str] = []

    def hook() -> None:
        thread = threading.Thread(target=copy_context().run, args=(lambda: told.append(said(flight.token)),))
        thread.start()
        thread.join(WAIT)

    flight = SingleFlight(calling(hook), _performs_nothing, now)
    assert flight.token() == NEW
    assert [WITHIN in one for one in told] == [True]


def test_a_pool_thread_waits_and_its_error_names_the_wait() -> None:
    told: list[str] = []

    def hook() -> None:
        with ThreadPoolExecutor(1) as pool:
            told.append(pool.submit(said, flight.token).result(WAIT))

    flight = SingleFlight(calling(hook), _performs_nothing, now)
    assert flight.token() == NEW
    assert ["another caller has been renewing" in one for one in told] == [True]


@both_backends
@pytest.mark.anyio
async def test_a_task_and_a_worker_thread_that_a_hook_waits_for_are_inside_too() -> None:
    told: list[str] = []

    async def task() -> None:
        told.append(await asaid(flight.token))

    async def hook() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(task)
        told.append(await anyio.to_thread.run_sync(lambda: said(blocking.token)))

    shared = calling(hook)
    flight = AsyncSingleFlight(shared, _aperforms_nothing, now)
    blocking = SingleFlight(shared, _performs_nothing, now, flight._lock)
    assert await flight.token() == NEW
    assert [WITHIN in one for one in told] == [True, True]


@pytest.mark.anyio
async def test_a_task_that_outlives_the_renewal_it_was_begun_in_is_inside_no_longer() -> None:
    begun: list[asyncio.Task[OAuthToken]] = []
    over = asyncio.Event()

    async def later() -> OAuthToken:
        await over.wait()
        flight.state.set_token(EXPIRED)
        return await flight.token()

    async def hook() -> None:
        if not begun:
            begun.append(asyncio.create_task(later()))

    flight = AsyncSingleFlight(calling(hook), _aperforms_nothing, now)
    assert await flight.token() == NEW
    over.set()
    assert await begun[0] == NEW


def test_two_renewals_that_wait_for_each_other_raise_and_other_renewals_within_do_not() -> None:
    told: list[str] = []

    def ask_first() -> OAuthToken:
        return first.token()

    second = SingleFlight(calling(lambda: told.append(said(ask_first))), _performs_nothing, now)
    first = SingleFlight(calling(second.token), _performs_nothing, now)
    assert first.token() == NEW
    assert [WITHIN in one for one in told] == [True]


@both_backends
@pytest.mark.anyio
async def test_a_renewal_in_the_background_is_one_of_its_own() -> None:
    told: list[str] = []
    done = anyio.Event()

    async def hook() -> None:
        told.append(await asaid(lambda: flight.renewed(renewing)))
        done.set()

    flight = AsyncSingleFlight(calling(hook, STALE), _aperforms_nothing, now, background=True)
    assert await flight.token() == STALE
    with anyio.fail_after(WAIT):
        await done.wait()
    assert [WITHIN in one for one in told] == [True]


def test_an_unfinished_flow_can_be_closed_in_another_context() -> None:
    flight = SingleFlight(calling(lambda: None), _performs_nothing, now)
    begun = entered(flight, renewing(None))
    copy_context().run(next, begun)
    begun.close()


COLLECTED = """
import gc
from contextvars import ContextVar
from doorkey.runtime.deadlock import entered

def work():
    yield

def abandon():
    flow = entered(object(), work())
    next(flow)
    cycle = [flow]
    cycle.append(cycle)

variables = [ContextVar(str(number)) for number in range(40)]
gc.set_threshold(3, 1, 1)
for number in range(20_000):
    abandon()
    variables[number % 40].set(object())
"""
"""Flows that the garbage collector closes, often while a context variable is being set."""


def test_a_flow_that_the_garbage_collector_closes_does_not_crash_python() -> None:
    subprocess.run([sys.executable, "-c", COLLECTED], check=True, timeout=600)


def test_a_flow_that_is_closed_is_left_and_the_scope_around_it_is_not() -> None:
    def work() -> Flow[None]:
        yield Settle(lambda: None)

    outer, inner = object(), object()
    around, within = entered(outer, work()), entered(inner, work())
    next(around)
    next(within)
    within.close()
    deadlock.refuse_reentry(inner, "inside")
    with pytest.raises(UsageError, match="inside"):
        deadlock.refuse_reentry(outer, "inside")
    around.close()
    deadlock.refuse_reentry(outer, "inside")


def test_a_transport_that_requests_the_metadata_it_is_discovering_gets_an_error_at_once() -> None:
    told: list[str] = []
    server = AuthorizationServer("https://as.example", ServerMetadata())

    def perform(effect: Any) -> Any:
        if isinstance(effect, leader_lock.AcquireOrWait):
            return effect.acquire_or_wait()
        told.append(said(lambda: run(server.metadata(now), perform)))
        return Response(500)

    said(lambda: run(server.metadata(now), perform))
    assert ["deadlock while discovering" in one for one in told] == [True]


def _performs_nothing(effect: Any) -> Any:
    raise AssertionError(effect)


async def _aperforms_nothing(effect: Any) -> Any:
    assert effect is ASK, effect
    return Response(200)


def place_after(renewals: int) -> tuple[int, int]:
    """How many places, and how many tokens in them, are held where each renewal began the next one."""
    begun = [copy_context()]
    slot = calling(lambda: begun.append(copy_context()))  # as create_task and call_later do
    for _ in range(renewals):
        begun[-1].run(SingleFlight(slot, _performs_nothing, now).token)
        slot.set_token(EXPIRED)
    place, places, tokens = begun[-1][deadlock._here], 0, 0
    while place is not None:
        places, tokens, place = places + 1, tokens + (place.token is not None), place.outer
    return places, tokens


def test_a_renewal_that_begins_the_next_one_leaves_nothing_behind() -> None:
    assert place_after(50) == (1, 0)


def test_a_task_begun_within_an_inner_renewal_is_inside_the_outer_one_until_that_ends() -> None:
    told: list[str] = []
    begun: list[Context] = []
    inner = SingleFlight(calling(lambda: begun.append(copy_context())), _performs_nothing, now)

    def hook() -> None:
        inner.token()
        told.append(begun[0].run(said, outer.token))

    outer = SingleFlight(calling(hook), _performs_nothing, now)
    assert outer.token() == NEW
    assert [WITHIN in one for one in told] == [True]

"""One request for however many ask. The clock counts who has begun, and the server answers once they all have."""

import asyncio
import gc
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest

from doorkey import AsyncTokenSource, TokenSource
from doorkey.errors import InvalidGrant, TransportError
from doorkey.sources.core import SourceCore
from tests.support.backends import both_backends
from tests.support.every_adapter import in_background, together
from tests.support.every_source import TLS, Counting, Maker
from tests.support.fake_clock import Clock
from tests.support.hostile_server import Held, Hostile, token
from tests.support.source_requests import CLIENT, REFRESH, REFUSED, on_token, reset

CALLERS = 32
only_async = pytest.mark.parametrize("source", ["asyncio", "trio"], indirect=True)
ROTATED = token("b", refresh_token="rt-2")


def test_32_callers_make_one_request(source: Maker, hostile: Hostile, counting: Counting) -> None:
    held = Held(token("a"))
    asking = source(CLIENT, clock=counting, **on_token(hostile, held, token("never")))
    counting.expect(CALLERS + 1)  # the lock holder reads the clock a second time, when it sends the request
    with in_background(lambda: together(CALLERS, asking.access_token)) as outcome:
        held.wait_for_arrival()
        counting.wait()
        held.release.set()
        assert outcome() == ["a"] * CALLERS
    assert len(hostile.token_requests) == 1


def test_32_callers_of_an_expired_token_burn_one_refresh_token(
    source: Maker, hostile: Hostile, counting: Counting
) -> None:
    held = Held(ROTATED)
    asking = source(REFRESH, clock=counting, **on_token(hostile, token("a"), held, token("never")))
    asking.token()
    counting.advance(300)
    counting.expect(CALLERS + 1)
    with in_background(lambda: together(CALLERS, asking.access_token)) as outcome:
        held.wait_for_arrival()
        counting.wait()
        held.release.set()
        assert outcome() == ["b"] * CALLERS
    assert len(hostile.token_requests) == 2


@pytest.mark.parametrize(
    ("answer", "error"),
    [(REFUSED, InvalidGrant), (reset, TransportError)],
    ids=["refused", "reset"],
)
def test_a_failed_first_request_is_raised_for_all_waiting_callers_and_for_no_later_caller(
    source: Maker, hostile: Hostile, clock: Clock, answer: Any, error: type[Exception]
) -> None:
    held = Held(answer)
    asking = source(CLIENT, clock=clock, **on_token(hostile, held, token("a")))
    lock = asking.watched()
    with in_background(lambda: together(CALLERS, asking.token)) as outcome:
        held.wait_for_arrival()
        lock.wait_for(CALLERS - 1)
        held.release.set()
        told = outcome()
    assert {type(one) for one in told} == {error}
    assert len({id(one) for one in told}) == CALLERS
    assert len(hostile.token_requests) == 1
    clock.advance(1)
    assert asking.access_token() == "a"


@only_async
def test_1000_tasks_make_one_request(source: Maker, hostile: Hostile, counting: Counting) -> None:
    held = Held(token("a"))
    asking = source(CLIENT, clock=counting, **on_token(hostile, held, token("never")))
    counting.expect(1001)
    got: list[str] = []

    async def one() -> None:
        got.append((await asking.native.token()).access_token.reveal())

    async def all_of_them() -> None:
        async with anyio.create_task_group() as tasks:
            for _ in range(1000):
                tasks.start_soon(one)

    with in_background(lambda: asking.call(all_of_them)) as outcome:
        held.wait_for_arrival()
        counting.wait()
        held.release.set()
        outcome()
    assert got == ["a"] * 1000
    assert len(hostile.token_requests) == 1


@pytest.mark.parametrize("backends", [("asyncio",) * 6, ("trio",) * 6, ("asyncio", "trio") * 3])
def test_6_event_loops_make_one_request(hostile: Hostile, counting: Counting, backends: tuple[str, ...]) -> None:
    held = Held(token("a"))
    asking = AsyncTokenSource(CLIENT, clock=counting, **on_token(hostile, held, token("never")))
    counting.expect(6 * 4 + 1)
    left = list(backends)

    async def four_tasks() -> list[str]:
        got: list[str] = []

        async def one() -> None:
            got.append((await asking.token()).access_token.reveal())

        async with anyio.create_task_group() as tasks:
            for _ in range(4):
                tasks.start_soon(one)
        await asking.aclose()
        return got

    with in_background(lambda: together(6, lambda: anyio.run(four_tasks, backend=left.pop()))) as outcome:
        held.wait_for_arrival()
        counting.wait()
        held.release.set()
        assert outcome() == [["a"] * 4] * 6
    assert len(hostile.token_requests) == 1


def test_threads_and_tasks_that_share_a_core_share_the_token_and_the_request(
    hostile: Hostile, counting: Counting
) -> None:
    held = Held(token("a"))
    core = SourceCore(CLIENT, clock=counting, **on_token(hostile, held, token("never")))
    counting.expect(8 + 8 + 1)

    async def one_task() -> str:
        async with AsyncTokenSource._on(core) as asking:
            return (await asking.token()).access_token.reveal()

    with TokenSource._on(core) as blocking:
        worlds = [True, False] * 8

        def ask() -> str:
            return blocking.token().access_token.reveal() if worlds.pop() else asyncio.run(one_task())

        with in_background(lambda: together(16, ask)) as all16:
            held.wait_for_arrival()
            counting.wait()
            held.release.set()
            assert all16() == ["a"] * 16
    assert len(hostile.token_requests) == 1


def test_what_one_twin_has_got_the_other_has_too(hostile: Hostile, counting: Counting) -> None:
    core = SourceCore(CLIENT, clock=counting, **on_token(hostile, token("a"), token("b")))

    async def one_task() -> str:
        async with AsyncTokenSource._on(core) as asking:
            return (await asking.token()).access_token.reveal()

    with TokenSource._on(core) as blocking:
        first = blocking.token()
        assert asyncio.run(one_task()) == "a"
        blocking.reject(first)
        assert asyncio.run(one_task()) == "b"
        assert blocking.token().access_token.reveal() == "b"


@pytest.mark.anyio
@both_backends
async def test_a_waiting_caller_takes_over_the_request_of_a_canceled_lock_holder(
    hostile: Hostile, counting: Counting
) -> None:
    held = Held(token("a"))
    got: list[str] = []
    leader = anyio.CancelScope()
    async with AsyncTokenSource(CLIENT, clock=counting, **on_token(hostile, held, token("never"))) as asking:

        async def wait() -> None:
            got.append((await asking.token()).access_token.reveal())

        async def lead() -> None:
            with leader:
                await asking.token()
                await anyio.lowlevel.checkpoint()  # on trio the leader is canceled here, once its work is saved
                got.append("the leader went on")

        counting.expect(3)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(lead)
            await anyio.to_thread.run_sync(held.wait_for_arrival)
            tasks.start_soon(wait)
            await anyio.to_thread.run_sync(counting.wait)
            leader.cancel()
            held.release.set()
    assert got == ["a"]
    assert leader.cancelled_caught
    assert len(hostile.token_requests) == 1


@pytest.mark.anyio
@both_backends
async def test_a_lock_holder_whose_time_limit_ends_loses_no_refresh_token(hostile: Hostile, counting: Counting) -> None:
    held = Held(ROTATED)
    answers = (token("a"), held, token("c", refresh_token="rt-3"))
    async with AsyncTokenSource(REFRESH, clock=counting, **on_token(hostile, *answers)) as asking:
        await asking.token()
        counting.advance(300)
        async with anyio.create_task_group() as tasks:
            with anyio.CancelScope() as scope:

                async def give_up() -> None:
                    await anyio.to_thread.run_sync(held.wait_for_arrival)
                    scope.cancel()
                    held.release.set()

                tasks.start_soon(give_up)
                await asking.token()
        assert (await asking.token()).access_token.reveal() == "b"
        counting.advance(300)
        assert (await asking.token()).access_token.reveal() == "c"
    assert [request.form["refresh_token"] for request in hostile.token_requests] == ["rt-1", "rt-1", "rt-2"]


@pytest.mark.anyio
@both_backends
async def test_a_canceled_waiter_does_not_affect_the_others(hostile: Hostile, counting: Counting) -> None:
    held = Held(token("a"))
    got: list[str] = []
    async with AsyncTokenSource(CLIENT, clock=counting, **on_token(hostile, held)) as asking:

        async def ask(scope: anyio.CancelScope) -> None:
            with scope:
                got.append((await asking.token()).access_token.reveal())

        counting.expect(3)
        waiter = anyio.CancelScope()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(ask, anyio.CancelScope())
            await anyio.to_thread.run_sync(held.wait_for_arrival)
            tasks.start_soon(ask, waiter)
            await anyio.to_thread.run_sync(counting.wait)
            waiter.cancel()
            held.release.set()
    assert got == ["a"]


@pytest.mark.parametrize("background", [False, True])
def test_another_caller_takes_over_from_a_loop_that_ends_while_it_renews(
    hostile: Hostile, counting: Counting, background: bool
) -> None:
    """`asyncio.run` cancels the tasks that still run at its end: no caller may wait for them for ever."""
    held = Held(token("never"))
    asking = AsyncTokenSource(
        CLIENT, clock=counting, background=background, leeway=60, **on_token(hostile, token("a"), held, token("b"))
    )

    async def leave_it_running() -> None:
        await asking.token()
        counting.advance(250)
        leader = asyncio.create_task(asking.token())
        await asyncio.to_thread(held.wait_for_arrival)
        leader.cancel()
        await asyncio.wait([leader])

    async def ask() -> str:
        async with asking:
            return (await asking.token()).access_token.reveal()

    asyncio.run(leave_it_running())
    counting.advance(60)
    try:
        assert asyncio.run(ask()) == "b"
    finally:
        held.release.set()


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_given_client_whose_loop_has_ended_is_an_error_of_ours_and_then_works_again(
    hostile: Hostile, counting: Counting
) -> None:
    """What it keeps open belongs to that loop; without an http_client there would be none."""
    on_token(hostile, token("a"), token("b"))
    _in_three_loops(hostile.token_endpoint, counting)
    gc.collect()  # what its loops left open, of which Python complains, is the client's


def _in_three_loops(endpoint: str, clock: Counting) -> None:
    asking = AsyncTokenSource(
        CLIENT, http_client=httpx2.AsyncClient(verify=TLS), clock=clock, token_endpoint=endpoint, random=lambda: 1.0
    )

    async def ask() -> str:
        return (await asking.token()).access_token.reveal()

    assert asyncio.run(ask()) == "a"
    clock.advance(300)
    with pytest.raises(TransportError, match="another event loop"):
        asyncio.run(ask())
    clock.advance(1)
    assert asyncio.run(ask()) == "b"


@pytest.mark.anyio
@both_backends
async def test_the_event_loop_goes_on_while_a_token_is_fetched(hostile: Hostile, counting: Counting) -> None:
    """A task that the loop must run, between the arrival of the request and its answer."""
    held = Held(token("a"))
    async with AsyncTokenSource(CLIENT, clock=counting, **on_token(hostile, held)) as asking:
        steps: list[int] = []

        async def progress() -> None:
            await anyio.to_thread.run_sync(held.wait_for_arrival)
            for step in range(100):
                await anyio.lowlevel.checkpoint()
                steps.append(step)
            held.release.set()

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(progress)
            await asking.token()
            assert len(steps) == 100


ROOT = Path(__file__).resolve().parents[2]
FORKING = "tests.sources.forking"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork()")
@pytest.mark.parametrize("when", ["before", "during", "after", "making", "async"])
def test_a_child_of_fork_gets_a_token_whatever_its_parent_was_doing(hostile: Hostile, when: str) -> None:
    """In a process of its own: pytest has threads that do not survive a fork."""
    held = Held(token("a"))
    hostile.on("/token", *([held] if when == "during" else []), token("a"))
    child = subprocess.Popen(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-m", FORKING, when, hostile.token_endpoint],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    told = threading.Event()
    if when == "during":
        held.wait_for_arrival()
        assert child.stdin is not None
        child.stdin.write("arrived\n")
        child.stdin.flush()
        assert child.stdout is not None
        assert child.stdout.readline() == "child: a\n"  # while its parent's request is still in flight
        held.release.set()
        told.set()
    out, _ = child.communicate(timeout=60)
    assert child.returncode == 0
    assert out.splitlines() == (["parent: a"] if told.is_set() else ["child: a", "parent: a"])

"""Work that goes on when the task that began it is canceled. Its `done` is called exactly once."""

import asyncio
import gc
import weakref
from contextlib import suppress
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from doorkey.errors import InvalidGrant
from doorkey.runtime.loops import running_trio
from doorkey.runtime.shield import interruptible, shielded, spawn_detached
from tests.support.backends import both_backends

WAIT = 60.0
"""Seconds after which a test gives up on what never comes; nothing here waits that long."""


class Work:
    """An exchange that begins, waits to be let on, and comes to an end."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.begun, self.go_on, self.over = anyio.Event(), anyio.Event(), anyio.Event()
        self.ended: list[str] = []

    async def __call__(self) -> str:
        self.begun.set()
        try:
            await self.go_on.wait()
        except BaseException:
            self.ended.append("cancelled")
            raise
        self.ended.append("saved")
        if self.error is not None:
            raise self.error
        return "saved"

    def done(self) -> None:
        self.ended.append("done")
        self.over.set()


async def reached(event: anyio.Event) -> None:
    with anyio.fail_after(WAIT):
        await event.wait()


@both_backends
@pytest.mark.anyio
async def test_the_outcome_of_the_work_is_returned_and_done_is_called_once() -> None:
    work = Work()
    work.go_on.set()
    assert await shielded(work, work.done) == "saved"
    await reached(work.over)
    assert work.ended == ["saved", "done"]


@both_backends
@pytest.mark.anyio
async def test_the_error_of_the_work_is_raised_and_done_is_called_once() -> None:
    error = InvalidGrant("invalid_grant")
    work = Work(error)
    work.go_on.set()
    with pytest.raises(InvalidGrant) as caught:
        await shielded(work, work.done)
    assert caught.value is error
    await reached(work.over)
    assert work.ended == ["saved", "done"]


@both_backends
@pytest.mark.anyio
@pytest.mark.parametrize("error", [None, InvalidGrant("invalid_grant")])
async def test_work_whose_caller_is_canceled_goes_on_to_its_end(error: Exception | None) -> None:
    work, left = Work(error), anyio.Event()
    scope = anyio.CancelScope()

    async def caller() -> None:
        with scope, suppress(InvalidGrant):  # on trio it hears the outcome, as nothing can strike it before
            await shielded(work, work.done)
        left.set()

    async with anyio.create_task_group() as group:
        group.start_soon(caller)
        await reached(work.begun)
        scope.cancel()
        await anyio.lowlevel.checkpoint()
        assert work.ended == []
        work.go_on.set()
        await reached(work.over)
        await reached(left)
    assert work.ended == ["saved", "done"]


@both_backends
@pytest.mark.anyio
async def test_a_caller_that_is_canceled_before_it_begins_has_done_called_too() -> None:
    work = Work()
    work.go_on.set()
    with anyio.CancelScope() as scope:
        scope.cancel()
        await shielded(work, work.done)
    await reached(work.over)
    assert work.ended == ["saved", "done"]


@both_backends
@pytest.mark.anyio
@pytest.mark.parametrize("error", [None, InvalidGrant("invalid_grant")])
async def test_detached_work_needs_no_waiting_caller_and_its_failure_ends_nothing(error: Exception | None) -> None:
    work = Work(error)
    spawn_detached(work, work.done)
    await reached(work.begun)
    work.go_on.set()
    await reached(work.over)
    assert work.ended == ["saved", "done"]


@both_backends
@pytest.mark.anyio
async def test_unattended_work_outlives_the_garbage_collector_and_the_task_that_began_it() -> None:
    work = Work()
    async with anyio.create_task_group() as group:

        async def begin() -> None:
            await anyio.lowlevel.checkpoint()
            spawn_detached(work, work.done)

        group.start_soon(begin)
    await reached(work.begun)
    gc.collect()
    work.go_on.set()
    await reached(work.over)
    assert work.ended == ["saved", "done"]


@both_backends
@pytest.mark.anyio
async def test_which_loop_runs_is_seen(anyio_backend: str) -> None:
    assert (running_trio() is not None) == (anyio_backend == "trio")


def test_asyncio_does_not_report_a_failure_without_a_waiting_caller() -> None:
    complaints: list[Any] = []

    def note(_: Any, complaint: Any) -> None:
        complaints.append(complaint)

    async def main() -> None:
        asyncio.get_running_loop().set_exception_handler(note)
        work = Work(InvalidGrant("invalid_grant"))
        caller = asyncio.create_task(shielded(work, work.done))
        await work.begun.wait()
        caller.cancel()
        with pytest.raises(asyncio.CancelledError):
            await caller
        work.go_on.set()
        await work.over.wait()
        del work, caller
        gc.collect()

    asyncio.run(main())
    gc.collect()
    assert complaints == []


def test_work_that_an_ending_asyncio_loop_cancels_has_done_called() -> None:
    ended: list[str] = []

    async def main() -> None:
        work = Work()
        work.ended = ended
        caller = asyncio.create_task(shielded(work, work.done))
        await work.begun.wait()
        caller.cancel()

    asyncio.run(main())
    assert ended == ["cancelled", "done"]


def test_work_in_a_loop_that_was_closed_in_the_middle_of_it_is_let_go() -> None:
    complaints: list[Any] = []
    loop = asyncio.new_event_loop()
    loop.set_exception_handler(lambda _, complaint: complaints.append(complaint["message"]))

    async def begin() -> weakref.ref[Any]:
        work = Work()
        spawn_detached(work, work.done)
        await work.begun.wait()
        return weakref.ref(work)

    left = loop.run_until_complete(begin())
    loop.close()
    gc.collect()
    assert left() is not None
    anyio.run(test_the_outcome_of_the_work_is_returned_and_done_is_called_once)
    gc.collect()
    assert left() is None
    assert complaints == ["Task was destroyed but it is pending!"]  # as asyncio says of any task


@both_backends
async def test_a_cancelled_caller_leaves_in_a_pause_that_risks_nothing_and_in_no_other(anyio_backend_name: str) -> None:
    """On trio the work ends there too; on asyncio it goes on in its own task, without its caller."""
    steps: list[str] = []
    pausing = anyio.Event()

    async def work() -> None:
        with interruptible():
            pausing.set()
            await anyio.sleep(3600)
        steps.append("went on")  # pragma: no cover  # nothing wakes it

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(shielded, work, lambda: steps.append("done"))
        await pausing.wait()
        tasks.cancel_scope.cancel()
    assert steps == (["done"] if anyio_backend_name == "trio" else [])

    protected = Work()

    async def shielded_again() -> str:
        with interruptible():
            await anyio.lowlevel.checkpoint()
        return await protected()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(shielded, shielded_again, lambda: None)
        await protected.begun.wait()
        tasks.cancel_scope.cancel()
        protected.go_on.set()
    with anyio.fail_after(WAIT):
        while not protected.ended:
            await anyio.lowlevel.checkpoint()
    assert protected.ended == ["saved"]
    with interruptible():  # where nothing is shielded, it changes nothing
        await anyio.lowlevel.checkpoint()

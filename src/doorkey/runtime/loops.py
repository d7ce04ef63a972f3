"""The running event loop of asyncio or trio: its identity, whether it can still continue, and how to wake its tasks."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any


def running_trio() -> Any:
    """Return the module trio if a trio loop runs in this thread, else None."""
    trio = sys.modules.get("trio")
    # Another thread, such as that of `preload`, may be importing trio. Then it does not run in this thread.
    in_trio_run = getattr(getattr(trio, "lowlevel", None), "in_trio_run", None)
    return trio if in_trio_run is not None and in_trio_run() else None


def _running_asyncio() -> Any:
    """Return the asyncio loop that runs in this thread, or None."""
    running = getattr(sys.modules.get("asyncio"), "_get_running_loop", None)  # it may be partially imported, as above
    return None if running is None else running()


def running_loop() -> Any:
    """Return the running asyncio loop, or the token of the running trio loop. Both support weak references."""
    loop = _running_asyncio()
    # Every request of some clients calls this, and the check for asyncio takes a tenth of the time of that for trio. In
    # a guest run of trio on an asyncio loop, asyncio has no current task.
    if loop is not None and sys.modules["asyncio"].current_task(loop) is not None:
        return loop
    trio = running_trio()
    if trio is not None:
        return trio.lowlevel.current_trio_token()
    import asyncio as asyncio_itself

    return asyncio_itself.get_running_loop()


def liveness_check(thread: threading.Thread) -> Callable[[], bool]:
    """Return a function that returns whether the current task, or `thread` outside of event loops, can still continue.

    A loop that was stopped may be run again, so its tasks can continue while `thread` is alive.
    """
    trio = running_trio()
    if trio is not None:
        token = trio.lowlevel.current_trio_token()
        return lambda: thread.is_alive() and not _has_finished(trio, token)
    loop = _running_asyncio()
    if loop is None:
        return thread.is_alive
    return lambda: not loop.is_closed() and (loop.is_running() or thread.is_alive())


def _has_finished(trio: Any, token: Any) -> bool:
    try:
        token.run_sync_soon(_nothing, idempotent=True)  # trio has no other way to check this
    except _gone(trio):
        return True
    return False


def _gone(trio: Any) -> tuple[type[Exception], ...]:
    return trio.RunFinishedError, OSError  # an OSError after a crash, because the sockets of the run are closed


def _nothing() -> None:
    pass


def waker_of(event: Any) -> Callable[[], object]:
    """Return a callable that sets `event`, an event of the running loop, and can be called in any thread or loop."""
    trio = running_trio()
    if trio is not None:
        token = trio.lowlevel.current_trio_token()
        return lambda: _ignoring(_gone(trio), token.run_sync_soon, event.set)
    import asyncio

    loop = asyncio.get_running_loop()
    return lambda: _ignoring((RuntimeError,), loop.call_soon_threadsafe, event.set)


def _ignoring(errors: tuple[type[Exception], ...], call: Callable[..., object], *arguments: object) -> None:
    with suppress(*errors):  # the loop of the waiter is closed, so there is no waiter to wake
        call(*arguments)

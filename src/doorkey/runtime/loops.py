"""The event loop that runs here, of asyncio or trio: which one, whether it can still go on, and how to wake it."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any


def running_trio() -> Any:
    """Return the module trio where its loop is the one that runs here, else None."""
    trio = sys.modules.get("trio")
    # Another thread may be importing it, such as the one of `preload`: then its loop does not run here.
    in_trio_run = getattr(getattr(trio, "lowlevel", None), "in_trio_run", None)
    return trio if in_trio_run is not None and in_trio_run() else None


def _running_asyncio() -> Any:
    """Return the loop of asyncio that runs here, else None."""
    running = getattr(sys.modules.get("asyncio"), "_get_running_loop", None)  # it may be half imported, as above
    return None if running is None else running()


def running_loop() -> Any:
    """Return what stands for the event loop that runs here, of asyncio or trio; it can be referred to weakly."""
    loop = _running_asyncio()
    # Asked by every request of some clients, and a tenth of the time of asking trio, whose guest run on a loop of
    # asyncio is no task there.
    if loop is not None and sys.modules["asyncio"].current_task(loop) is not None:
        return loop
    trio = running_trio()
    if trio is not None:
        return trio.lowlevel.current_trio_token()
    import asyncio as asyncio_itself

    return asyncio_itself.get_running_loop()


def life_of_current_runner(thread: threading.Thread) -> Callable[[], bool]:
    """Return what says whether this task or `thread` can still go on. A loop that was stopped may be run again."""
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
        token.run_sync_soon(_nothing, idempotent=True)  # trio has no other way to ask
    except _gone(trio):
        return True
    return False


def _gone(trio: Any) -> tuple[type[Exception], ...]:
    return trio.RunFinishedError, OSError  # the latter once it has crashed, when its sockets are closed


def _nothing() -> None:
    pass


def waker_of(event: Any) -> Callable[[], object]:
    """Return a callable that sets `event` (an `anyio.Event` of the running loop) from any thread and any loop."""
    trio = running_trio()
    if trio is not None:
        token = trio.lowlevel.current_trio_token()
        return lambda: _ignoring(_gone(trio), token.run_sync_soon, event.set)
    import asyncio

    loop = asyncio.get_running_loop()
    return lambda: _ignoring((RuntimeError,), loop.call_soon_threadsafe, event.set)


def _ignoring(errors: tuple[type[Exception], ...], call: Callable[..., object], *arguments: object) -> None:
    with suppress(*errors):  # the loop that waited is closed: nothing is left there to wake
        call(*arguments)

"""Work that continues when the task that waits for it is canceled, and when its event loop ends.

A refresh request may have used up the refresh token, so the grant is lost if the response is not saved.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Coroutine, Generator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, TypeVar, cast

from doorkey.errors import OAuthError
from doorkey.runtime.deadlock import is_saving
from doorkey.runtime.loops import running_trio

if TYPE_CHECKING:
    import asyncio

    from doorkey.runtime.unattended import UnattendedTask

T = TypeVar("T")

# asyncio keeps only weak references to tasks. A task whose caller was canceled must live until it is done, or its loop
# is closed. After that, the task would never end, and would keep its connection open forever.
_running: dict[Any, set[Any]] = {}

_scope: ContextVar[Any] = ContextVar("doorkey_shield", default=None)  # the scope that shields the work of a trio task


async def shielded(work: Callable[[], Coroutine[Any, Any, T]], done: Callable[[], object]) -> T:
    """Return the result of the coroutine `work()`, and call `done()` when it ends, also after an error.

    The work is not canceled with its caller. On trio, a canceled caller leaves after the work. On asyncio, it leaves at
    once, because a cancellation there interrupts an await even in a shielded scope.
    """
    trio = running_trio()
    if trio is not None:
        try:
            with trio.CancelScope(shield=True) as scope:
                mark = _scope.set(scope)
                try:
                    return await work()
                finally:
                    _scope.reset(mark)
        finally:
            done()
    import asyncio

    return await asyncio.shield(_started(work, done))


@contextmanager
def interruptible() -> Generator[None]:
    """Allow the cancellation of shielded work in the block, a pause in which nothing can be lost.

    On trio, a canceled caller leaves. On asyncio, it has left before, and the end of the event loop cancels the work.
    """
    if (scope := _scope.get()) is not None:
        scope.shield = False
        try:
            yield
        finally:
            scope.shield = True
    elif (task := _unattended_task()) is not None:
        with task.cancelable():
            yield
    else:
        yield


def begin_exchange() -> None:
    """Record that the current work sends a request. From now on, the end of its event loop does not cancel it.

    Raises `asyncio.CancelledError` if the event loop is ending.
    """
    if (task := _unattended_task()) is not None:
        task.begin_exchange()


def _unattended_task() -> UnattendedTask[Any] | None:
    """Return the current task if it is an `UnattendedTask` of asyncio, else None."""
    tasks = sys.modules.get("doorkey.runtime.unattended")
    return None if tasks is None else cast("UnattendedTask[Any] | None", tasks.current())


def spawn_detached(work: Callable[[], Coroutine[Any, Any, object]], done: Callable[[], object]) -> None:
    """Start `work()` in a task of its own, without waiting for it, and call `done()` when it ends."""
    trio = running_trio()
    if trio is None:
        _started(work, done)
        return

    async def system_task() -> None:
        with suppress(OAuthError):  # callers get the error from the state, and a system task that fails ends trio
            await shielded(work, done)  # trio cancels its system tasks when the run ends

    trio.lowlevel.spawn_system_task(system_task)


def _started(work: Callable[[], Coroutine[Any, Any, T]], done: Callable[[], object]) -> asyncio.Task[T]:
    import asyncio

    from doorkey.runtime.unattended import UnattendedTask

    loop = asyncio.get_running_loop()
    task = UnattendedTask(work(), is_at_risk=is_saving())
    for other in list(_running):
        if other.is_closed():
            _running.pop(other, None)

    def finished(ended: asyncio.Task[T]) -> None:
        tasks.discard(ended)
        if not tasks:
            _running.pop(loop, None)
        if not ended.cancelled():
            ended.exception()  # waiters get it; this call prevents asyncio's warning that it was never retrieved
        done()

    tasks = _running.setdefault(loop, set())
    tasks.add(task)
    task.add_done_callback(finished)
    return task

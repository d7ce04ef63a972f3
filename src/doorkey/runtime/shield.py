"""Work that goes on when the task that wanted it is cancelled, and when its event loop ends.

A refresh that was sent may have used up the refresh token: giving up before the answer is saved loses the grant.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Coroutine, Generator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, TypeVar, cast

from doorkey.errors import OAuthError
from doorkey.runtime.loops import running_trio
from doorkey.runtime.reentrancy import is_saving

if TYPE_CHECKING:
    import asyncio

    from doorkey.runtime.unattended import UnattendedTask

T = TypeVar("T")

# asyncio keeps only weak references to tasks; one whose caller was canceled must live until it is done, or until its
# loop is closed: work that is left then is never done, and would hold its connection for ever.
_running: dict[Any, set[Any]] = {}

_scope: ContextVar[Any] = ContextVar("doorkey_shield", default=None)  # that shields the work of this task of trio


async def shielded(work: Callable[[], Coroutine[Any, Any, T]], done: Callable[[], object]) -> T:
    """Return what `work()` returns, and call `done()` when it ends, however it ends.

    A cancelled caller leaves at once on asyncio (where cancellation strikes an await whatever scope shields it), and
    after the work on trio; the work itself is never cancelled with its caller.
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
    """Let shielded work be cancelled in the block, which is a pause that risks nothing.

    On trio a cancelled caller leaves. On asyncio it has left before: there the end of the event loop cancels the work.
    """
    if (scope := _scope.get()) is not None:
        scope.shield = False
        try:
            yield
        finally:
            scope.shield = True
    elif (task := _unattended_task()) is not None:
        with task.at_no_risk():
            yield
    else:
        yield


def begin_exchange() -> None:
    """Note that the work which runs here sends a request: from now on the end of an event loop does not cancel it.

    Raises `asyncio.CancelledError` if the event loop is ending.
    """
    if (task := _unattended_task()) is not None:
        task.begin_exchange()


def _unattended_task() -> UnattendedTask[Any] | None:
    """Return the task that runs here if it is one of asyncio that was started here."""
    tasks = sys.modules.get("doorkey.runtime.unattended")
    return None if tasks is None else cast("UnattendedTask[Any] | None", tasks.current())


def spawn_detached(work: Callable[[], Coroutine[Any, Any, object]], done: Callable[[], object]) -> None:
    """Start `work()` in a task of its own, without waiting for it, and call `done()` when it ends."""
    trio = running_trio()
    if trio is None:
        _started(work, done)
        return

    async def system_task() -> None:
        with suppress(OAuthError):  # the callers get it from the state; a system task that fails ends trio
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
            ended.exception()  # the waiters have it; asyncio need not warn that it was never retrieved
        done()

    tasks = _running.setdefault(loop, set())
    tasks.add(task)
    task.add_done_callback(finished)
    return task

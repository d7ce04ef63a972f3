"""Work that goes on when the task that wanted it is cancelled.

A refresh that was sent may have used up the refresh token: giving up before the answer is saved loses the grant.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

# asyncio keeps only weak references to tasks; one whose leader was cancelled must live until it is done.
_running: set[Any] = set()


async def shielded(work: Callable[[], Coroutine[Any, Any, T]], done: Callable[[], object]) -> T:
    """Return what `work()` returns, and call `done()` when it ends, however it ends.

    A cancelled caller leaves at once on asyncio (where cancellation strikes an await whatever scope shields it), and
    after the work on trio; the work itself is never cancelled with its caller.
    """
    trio = sys.modules.get("trio")
    if trio is not None and trio.lowlevel.in_trio_run():
        try:
            with trio.CancelScope(shield=True):
                return await work()
        finally:
            done()
    import asyncio

    task = asyncio.get_running_loop().create_task(work())

    def finished(ended: asyncio.Task[T]) -> None:
        _running.discard(ended)
        done()
        if not ended.cancelled():
            ended.exception()  # it was told to whoever waited; asyncio need not complain that nobody looked

    _running.add(task)
    task.add_done_callback(finished)
    return await asyncio.shield(task)

"""A task of asyncio that the end of its event loop does not cancel while it exchanges a token.

`asyncio.run` ends a loop so: it cancels all tasks that are left, while the loop does not run, and then runs it until
they have ended. A web server that is told to stop ends like this. A renewal would lose the response that it waits for,
and with it the rotated refresh token. So that cancellation waits until the work is over or pauses, or for `MOST`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Generator
from contextlib import contextmanager
from typing import Any, Final, TypeVar

from doorkey.runtime.reentrancy import is_saving

T = TypeVar("T")

MOST: Final = 20.0
"""Seconds that the end of an event loop waits: those of an exchange, and some to save its result."""


class UnattendedTask(asyncio.Task[T]):
    """A task whose caller may have left. `is_at_risk`: it has to be finished, even if it has sent no request."""

    _is_ending = False

    def __init__(self, work: Coroutine[Any, Any, T], *, is_at_risk: bool) -> None:
        super().__init__(work)
        self._is_at_risk = is_at_risk

    def cancel(self, msg: Any = None) -> bool:
        """Cancel the task; the first time that its loop ends and it exchanges something, `MOST` seconds later."""
        loop = self.get_loop()
        if loop.is_running() or self._is_ending or not self._is_at_risk:
            return super().cancel(msg)
        self._is_ending = True
        loop.call_later(MOST, super().cancel)
        return False

    def begin_exchange(self) -> None:
        """Record that a request is sent, which may use up the grant that it presents. Raises `CancelledError` if the
        loop ends."""
        self._check()
        self._is_at_risk = True

    @contextmanager
    def at_no_risk(self) -> Generator[None]:
        """Let the task be cancelled within the block as any task is. Raises `CancelledError` if the loop ends."""
        self._check()
        before, self._is_at_risk = self._is_at_risk, False
        try:
            yield
        finally:
            self._is_at_risk = before

    def _check(self) -> None:
        if self._is_ending and not is_saving():
            raise asyncio.CancelledError


def current() -> UnattendedTask[Any] | None:
    """Return the task that runs here if it is such a task."""
    loop = asyncio._get_running_loop()
    task = None if loop is None else asyncio.current_task(loop)
    return task if isinstance(task, UnattendedTask) else None

"""An asyncio task that the end of its event loop does not cancel during a token request.

At the end of `asyncio.run`, all remaining tasks are canceled while the loop does not run, and then the loop runs until
they have ended. This also happens when a web server stops. A renewal would lose the response that it waits for, and
with it the rotated refresh token. So the cancellation is delayed until the work ends or pauses, at most `MAX_DELAY`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Generator
from contextlib import contextmanager
from typing import Any, Final, TypeVar

from doorkey.runtime.deadlock import is_saving

T = TypeVar("T")

MAX_DELAY: Final = 20.0
"""The maximum delay of a cancellation in seconds: enough for an exchange, and to save its result."""


class UnattendedTask(asyncio.Task[T]):
    """A task whose caller may have left. `is_at_risk`: the work must be completed, even if it has sent no request."""

    _is_ending = False

    def __init__(self, work: Coroutine[Any, Any, T], *, is_at_risk: bool) -> None:
        super().__init__(work)
        self._is_at_risk = is_at_risk

    def cancel(self, msg: Any = None) -> bool:
        """Cancel the task. If its loop is ending and the task is at risk, the first call is delayed by `MAX_DELAY`."""
        loop = self.get_loop()
        if loop.is_running() or self._is_ending or not self._is_at_risk:
            return super().cancel(msg)
        self._is_ending = True
        loop.call_later(MAX_DELAY, super().cancel)
        return False

    def begin_exchange(self) -> None:
        """Record that a request is sent, which may use up its grant. Raises `CancelledError` if the loop is ending."""
        self._check()
        self._is_at_risk = True

    @contextmanager
    def cancelable(self) -> Generator[None]:
        """Allow the cancellation of the task in the block. Raises `CancelledError` if the loop is ending."""
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
    """Return the current task if it is an `UnattendedTask`, else None."""
    loop = asyncio._get_running_loop()
    task = None if loop is None else asyncio.current_task(loop)
    return task if isinstance(task, UnattendedTask) else None

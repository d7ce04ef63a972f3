"""The authorization requests of a session: pending ones, and the states that are used up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from doorkey.runtime.forks import ForkSafeLock

if TYPE_CHECKING:
    from doorkey.sessions.authorizations import Pending

MOST_PENDING: Final = 64
"""Pending logins that a session remembers. The oldest is dropped, because most abandoned logins never end."""
MOST_FINISHED: Final = 1024
"""Finished transactions that a session remembers: many more than can come back within the lifetime of one."""


class Authorizations:
    """The authorization requests of one session by their `state`: those that are pending, and those it has finished."""

    def __init__(self) -> None:
        self._mutex = ForkSafeLock()
        self._pending: dict[str, Pending] = {}
        self._finished: dict[str, None] = {}

    def remember(self, state: str, pending: Pending) -> None:
        """Store `pending` until its callback arrives."""
        with self._mutex:
            self._pending[state] = pending
            while len(self._pending) > MOST_PENDING:
                del self._pending[next(iter(self._pending))]

    def find(self, state: str | None) -> Pending | None:
        """Return the pending request with this `state`, or None."""
        return self._pending.get(state) if state is not None else None

    def forget(self, state: str | None) -> bool:
        """Drop `state`: it is used up. Return whether it was pending; of several concurrent callers one gets True."""
        with self._mutex:
            return self._pending.pop(state or "", None) is not None

    def is_finished(self, state: str) -> bool:
        """Return whether the transaction of `state` is finished."""
        return state in self._finished

    def finish(self, state: str) -> bool:
        """Record that the transaction of `state` is finished. Return whether it was not; one caller gets True."""
        with self._mutex:
            if state in self._finished:
                return False
            self._finished[state] = None
            while len(self._finished) > MOST_FINISHED:
                del self._finished[next(iter(self._finished))]
            return True

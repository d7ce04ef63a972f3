"""The authorization requests a session has made and not finished."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from doorkey.runtime.forks import ForkSafeLock

if TYPE_CHECKING:
    from doorkey.sessions.authorizations import Pending

MOST_PENDING: Final = 64
"""Logins a session remembers; the oldest is forgotten, so that begun and abandoned ones do not pile up."""
MOST_FINISHED: Final = 1024
"""Transactions a session remembers to have finished: many more than come back within the lifetime of one."""


class Authorizations:
    """The authorization requests of one session by their `state`: those that are pending, and those it has finished."""

    def __init__(self) -> None:
        self._mutex = ForkSafeLock()
        self._pending: dict[str, Pending] = {}
        self._finished: dict[str, None] = {}

    def remember(self, state: str, pending: Pending) -> None:
        """Keep `pending` until its callback comes."""
        with self._mutex:
            self._pending[state] = pending
            while len(self._pending) > MOST_PENDING:
                del self._pending[next(iter(self._pending))]

    def find(self, state: str | None) -> Pending | None:
        """Return what was promised for `state`, if this session made it."""
        return self._pending.get(state) if state is not None else None

    def forget(self, state: str | None) -> bool:
        """Drop `state`: it is used up. Say whether it was there, which is so for one of several callers at once."""
        with self._mutex:
            return self._pending.pop(state or "", None) is not None

    def finish(self, state: str) -> bool:
        """Note that the transaction of `state` is finished; say whether it was not, which is so for one caller."""
        with self._mutex:
            if state in self._finished:
                return False
            self._finished[state] = None
            while len(self._finished) > MOST_FINISHED:
                del self._finished[next(iter(self._finished))]
            return True

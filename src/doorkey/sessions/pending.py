"""The authorization requests of a session: the pending requests, and the finished transactions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from doorkey.runtime.forks import ForkSafeLock

if TYPE_CHECKING:
    from doorkey.sessions.authorizations import Pending

MOST_PENDING: Final = 64
"""The maximum number of pending logins. The oldest is dropped first, because an abandoned login never ends."""
MOST_FINISHED: Final = 1024
"""The maximum number of remembered finished transactions: far more than end within the lifetime of one transaction."""


class Authorizations:
    """The authorization requests of one session by their `state`: pending requests and finished transactions."""

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
        """Remove the pending request of `state`. Return whether there was one. Only one concurrent caller gets True."""
        with self._mutex:
            return self._pending.pop(state or "", None) is not None

    def is_finished(self, state: str) -> bool:
        """Return whether the transaction of `state` is finished."""
        return state in self._finished

    def finish(self, state: str) -> bool:
        """Record that the transaction of `state` is finished. Return True only to the first caller."""
        with self._mutex:
            if state in self._finished:
                return False
            self._finished[state] = None
            while len(self._finished) > MOST_FINISHED:
                del self._finished[next(iter(self._finished))]
            return True

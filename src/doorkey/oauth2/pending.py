"""The authorization requests a session has made and not finished."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from doorkey.oauth2.authorizations import Pending

MOST_PENDING: Final = 64
"""Logins a session remembers; the oldest is forgotten, so that begun and abandoned ones do not pile up."""


class Authorizations:
    """The pending authorization requests of one session, by their `state`."""

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._pending: dict[str, Pending] = {}

    def remember(self, state: str, pending: Pending) -> None:
        """Keep `pending` until its callback comes."""
        with self._mutex:
            self._pending[state] = pending
            while len(self._pending) > MOST_PENDING:
                del self._pending[next(iter(self._pending))]

    def find(self, state: str | None) -> Pending | None:
        """Return what was promised for `state`, if this session made it."""
        return self._pending.get(state) if state is not None else None

    def forget(self, state: str | None) -> None:
        """Drop `state`: it is used up."""
        with self._mutex:
            self._pending.pop(state or "", None)

"""The pause of all requests to a server that does not respond, for every token.

There is also a pause for each token. But a caller can send a new token each time, and every request of the API would
then wait for the deadline. Only several consecutive failures of the whole server count: no response, or the status 429
or 503. Any other error may be caused by one token, and must not block the other tokens.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from doorkey.errors import OAuthError, ServerError, TransportError
from doorkey.renewal.backoff import Backoff

__all__: list[str] = []

TOLERATED: Final = 2
"""The number of consecutive failures that cause no pause yet."""
PROBE: Final = 15.0
"""Seconds after a pause in which one caller sends a request, and the others still get the last failure."""


@dataclass(frozen=True, slots=True)
class _State:
    """The state of the pause.

    failures: the number of consecutive failures.
    error: the last failure.
    ends_at: the end of the pause in seconds since the epoch.
    length: the length of the pause in seconds.
    """

    failures: int = 0
    error: OAuthError | None = None
    ends_at: float = 0.0
    length: float = 0.0


class ServerPause:
    """Decides whether a request may be sent. Threads may share it, because its state is replaced as a whole."""

    def __init__(self) -> None:
        self._state = _State()

    def check(self, now: float) -> None:
        """Raise the last failure during the pause.

        After the pause, one caller may send a request. The others get the failure for another `PROBE` seconds.
        """
        state = self._state
        if state.error is None or state.failures <= TOLERATED:
            return
        if 0 < state.ends_at - now <= state.length:  # otherwise it has ended, or the clock was set back
            failure = state.error.for_waiter()
            failure.retry_at = state.ends_at
            raise failure
        self._state = _State(state.failures, state.error, now + PROBE, PROBE)

    def failed(self, error: OAuthError, now: float) -> None:
        """Record that a request failed with `error` at `now`. An error about one token counts as a response."""
        if _is_of_server(error):
            failures, backoff = self._state.failures + 1, Backoff()
            length = min(backoff.most, backoff.pause(max(1, failures - TOLERATED), error, 0.0))
            self._state = _State(failures, error.without_history(), now + length, length)
        else:
            self.succeeded()  # the server has responded

    def succeeded(self) -> None:
        """Record that the server has responded."""
        if self._state.failures:
            self._state = _State()


def _is_of_server(error: OAuthError) -> bool:
    return isinstance(error, TransportError) or (isinstance(error, ServerError) and error.status in (429, 503))

"""The pause of all requests to a server that does not respond, whichever token they are about.

With a pause for each token alone, callers that send a new token each time would make every request of the API wait for
the deadline. Only failures of the server as a whole count, several in a row: no response, and the statuses 429 and 503.
Any other error may be caused by one token, and must not lock out the others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from doorkey.errors import OAuthError, ServerError, TransportError
from doorkey.renewal.backoff import Backoff

__all__: list[str] = []

TOLERATED: Final = 2
"""Failures in a row without a pause."""
PROBE: Final = 15.0
"""Seconds for which the others wait for the one request that is sent after a pause."""


@dataclass(frozen=True, slots=True)
class _State:
    """Failures in a row, the last one, and the pause: its end and its length in seconds."""

    failures: int = 0
    error: OAuthError | None = None
    ends_at: float = 0.0
    length: float = 0.0


class ServerPause:
    """Whether a request may be sent. Threads share it: its state is replaced as a whole."""

    def __init__(self) -> None:
        self._state = _State()

    def check(self, now: float) -> None:
        """Raise the last failure while the pause lasts. When it has ended, one caller passes and the others wait on."""
        state = self._state
        if state.error is None or state.failures <= TOLERATED:
            return
        if 0 < state.ends_at - now <= state.length:  # else it is over, or the clock was set back
            failure = state.error.for_waiter()
            failure.retry_at = state.ends_at
            raise failure
        self._state = _State(state.failures, state.error, now + PROBE, PROBE)

    def failed(self, error: OAuthError, now: float) -> None:
        """Note that a request failed with `error`. Not every error means that the server does not respond."""
        if _is_of_server(error):
            failures, backoff = self._state.failures + 1, Backoff()
            length = min(backoff.most, backoff.pause(max(1, failures - TOLERATED), error, 0.0))
            self._state = _State(failures, error.without_history(), now + length, length)
        else:
            self.succeeded()  # it has responded

    def succeeded(self) -> None:
        """Note that the server has responded."""
        if self._state.failures:
            self._state = _State()


def _is_of_server(error: OAuthError) -> bool:
    return isinstance(error, TransportError) or (isinstance(error, ServerError) and error.status in (429, 503))

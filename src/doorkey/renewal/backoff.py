"""The pause after a failed token request. Pure: random and clock are arguments."""

from __future__ import annotations

from dataclasses import dataclass

from doorkey.errors import InvalidResponse, OAuthError, RecordError, ServerError, TransportError, UsageError

_ABOUT_THE_MOMENT = frozenset({"temporarily_unavailable", "server_error"})


@dataclass(frozen=True, slots=True)
class Backoff:
    """Pauses that double from `first` to `most` seconds, unless the server names its own with `Retry-After`."""

    first: float = 0.5
    most: float = 60.0

    def pause(self, failures: int, error: Exception, chance: float) -> float:
        """Return the seconds to wait after `failures` failures in a row, the last one `error`.

        `chance` in 0…1 spreads callers over the second half of the pause, so that a fleet does not come back at once.
        """
        asked = error.retry_after if isinstance(error, ServerError) else None
        if asked is not None:
            return asked * (1 + chance / 10)
        return min(self.most, self.first * (1 << min(max(failures - 1, 0), 16))) * (0.5 + chance / 2)


def is_transient(error: OAuthError) -> bool:
    """Say whether `error` is about the moment (no answer, overload, a broken answer) and not about the request.

    A server that fails says so with any status from 500, or in the protocol's words (RFC 6749 §4.1.2.1).
    """
    if isinstance(error, TransportError | InvalidResponse):
        return True
    if not isinstance(error, ServerError):
        return False
    status = error.status or 0
    return status == 429 or status >= 500 or error.error in _ABOUT_THE_MOMENT


def counts_for_backoff(error: OAuthError) -> bool:
    """Say whether asking again at once, after `error`, would ask a server: to be hammered, or to lock an account.

    A wrong call makes no request, and a record that is not ours is no reason to read the store less often.
    """
    return not isinstance(error, UsageError | RecordError)

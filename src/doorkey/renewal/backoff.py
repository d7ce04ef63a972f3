"""The pause after a failed token request. Pure: random and clock are arguments."""

from __future__ import annotations

from dataclasses import dataclass

from doorkey.errors import InvalidResponse, OAuthError, RecordError, ServerError, TransportError, UsageError

_TRANSIENT = frozenset({"temporarily_unavailable", "server_error"})


@dataclass(frozen=True, slots=True)
class Backoff:
    """Pauses that double from `first` to `most` seconds. `Retry-After` in a server's response replaces them."""

    first: float = 0.5
    most: float = 60.0

    def pause(self, failures: int, error: Exception, chance: float) -> float:
        """Return the pause in seconds after `failures` failures in a row, of which `error` is the last.

        `chance` in 0…1 is the jitter: it selects a time in the second half of the pause, or adds up to a tenth to
        `Retry-After`, so that many processes do not retry at once.
        """
        retry_after = error.retry_after if isinstance(error, ServerError) else None
        if retry_after is not None:
            return retry_after * (1 + chance / 10)
        return min(self.most, self.first * (1 << min(max(failures - 1, 0), 16))) * (0.5 + chance / 2)


def is_transient(error: OAuthError) -> bool:
    """Return whether `error` is temporary (no response, overload, an invalid response), and not about the request.

    A server reports its own failure with a status from 500 on, with 429, or with the error codes
    `temporarily_unavailable` and `server_error` (RFC 6749 §4.1.2.1).
    """
    if isinstance(error, TransportError | InvalidResponse):
        return True
    if not isinstance(error, ServerError):
        return False
    status = error.status or 0
    return status == 429 or status >= 500 or error.error in _TRANSIENT


def counts_for_backoff(error: OAuthError) -> bool:
    """Return whether `error` counts for backoff: an immediate retry could overload the server or lock the account.

    A `UsageError` makes no request. After a `RecordError` (an unusable stored record), the store is read again at once.
    """
    return not isinstance(error, UsageError | RecordError)

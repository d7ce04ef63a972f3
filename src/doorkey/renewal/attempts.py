"""The outcomes of the attempts to renew one token: the error that waiters share, the time of the next one. Pure."""

from __future__ import annotations

from collections.abc import Callable

from doorkey.arguments import share
from doorkey.errors import OAuthError
from doorkey.renewal.backoff import Backoff, counts_for_backoff

__all__: list[str] = []


class Attempts:
    """The outcomes of the attempts at one token. Not thread-safe by itself: the holder of the leader lock changes it.

    `generation` counts the attempts that ended and the tokens that were put: a caller that finds another generation
    than before it queued shares what happened meanwhile. With `backoff`, a failure begins a pause, in which callers
    get a copy of the error and no request is made. `random` returns 0…1 and scatters the end of the pause.
    """

    __slots__ = ("_ended", "backoff", "error", "failures", "generation", "pause", "random", "retry_at")

    def __init__(self, backoff: Backoff | None = None, random: Callable[[], float] | None = None) -> None:
        self.backoff, self.random = backoff, random
        self.generation = 0
        self.error: OAuthError | None = None
        self.failures = 0
        self.pause = self.retry_at = 0.0
        self._ended = 0  # the generation whose pause has begun

    def put(self) -> None:
        """Note that there is another token: the last failure is over."""
        self.error, self.failures = None, 0
        self.generation += 1

    def fail(self, error: OAuthError, *, shared: bool = True) -> None:
        """Note that an attempt failed; not `shared` where another token was put meanwhile."""
        if shared:
            self.error = error.for_waiter()
            self.failures += 1
        self.generation += 1

    def is_pausing(self, now: float) -> bool:
        """Return whether no attempt may be made at `now` (seconds since the epoch), because the last one failed."""
        if self.error is None:
            return False
        if self.backoff is not None and self._ended != self.generation:
            return counts_for_backoff(self.error)  # the pause is about to begin: its caller has the lock
        return 0 < self.retry_at - now <= self.pause + 1  # more is left where a clock was set back

    def raise_shared(self) -> None:
        """Raise a copy of the error of the last attempt, if it failed, for a caller that waited for it."""
        if self.error is not None:
            raise self.error.for_waiter()

    def raise_paused(self) -> None:
        """Raise a copy of the last error, which states as `retry_at` when the next attempt will be made."""
        if self.error is not None:
            told = self.error.for_waiter()
            told.retry_at = self.retry_at
            told.add_note(
                "No request was made, because the last one failed a moment ago: `retry_at` is when the next one is "
                "made (seconds since the epoch), and retry_now() of the source or session allows it at once."
            )
            raise told

    def back_off(self, now: float, chance: float) -> None:
        """Start the pause after a failure at `now`; `chance` is in 0…1. A failure that made no request has none."""
        if self.backoff is None or self._ended == self.generation:
            return  # this caller has made no attempt: the pause of the last one stands
        self._ended = self.generation
        if self.error is None or not counts_for_backoff(self.error):
            return
        self.pause = self.backoff.pause(self.failures, self.error, share(chance, "what random returns"))
        self.retry_at = now + self.pause

    def end(self) -> None:
        """Note that the attempt is over: no pause of it is still to begin."""
        self._ended = self.generation

    def retry_now(self) -> None:
        """End the pause: the next caller makes an attempt."""
        self.retry_at = 0.0

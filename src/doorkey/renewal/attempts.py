"""The outcomes of attempts to renew one token: the error that waiters share, and the pause after a failure. Pure."""

from __future__ import annotations

from collections.abc import Callable

from doorkey.arguments import share
from doorkey.errors import OAuthError
from doorkey.renewal.backoff import Backoff, counts_for_backoff

__all__: list[str] = []


class Attempts:
    """The outcomes of the attempts to renew one token.

    Not thread-safe by itself: the holder of the leader lock records the outcomes.

    `generation` counts the attempts that ended and the tokens that were set. If it has changed since a caller began to
    wait, that caller shares the outcome. With `backoff`, a failure begins a pause, in which callers get a copy of the
    error and no request is made. `random` returns 0…1 and spreads the end of the pause.
    """

    __slots__ = ("_ended", "backoff", "error", "failures", "generation", "pause", "random", "retry_at")

    def __init__(self, backoff: Backoff | None = None, random: Callable[[], float] | None = None) -> None:
        self.backoff, self.random = backoff, random
        self.generation = 0
        self.error: OAuthError | None = None
        self.failures = 0
        self.pause = self.retry_at = 0.0
        self._ended = 0  # the generation whose pause has begun

    def record_new_token(self) -> None:
        """Record that another token was set, which clears the last failure."""
        self.error, self.failures = None, 0
        self.generation += 1

    def fail(self, error: OAuthError, *, shared: bool = True) -> None:
        """Record that an attempt failed. `shared` is False if another token was set meanwhile: waiters get that one."""
        if shared:
            self.error = error.for_waiter()
            self.failures += 1
        self.generation += 1

    def is_pausing(self, now: float) -> bool:
        """Return whether `now` (seconds since the epoch) is in the pause after a failure, when no attempt is made."""
        if self.error is None:
            return False
        if self.backoff is not None and self._ended != self.generation:
            return counts_for_backoff(self.error)  # the pause is about to begin: the failed caller still has the lock
        return 0 < self.retry_at - now <= self.pause + 1  # more than `pause` is left only if the clock was set back

    def raise_shared(self) -> None:
        """Raise a copy of the last attempt's error, if it failed, for a caller that waited for the attempt."""
        if self.error is not None:
            raise self.error.for_waiter()

    def raise_paused(self) -> None:
        """Raise a copy of the last error. Its `retry_at` is the end of the pause, in seconds since the epoch."""
        if self.error is not None:
            error = self.error.for_waiter()
            error.retry_at = self.retry_at
            error.add_note(
                "No request was made, because the last one failed a moment ago: `retry_at` is the time of the next one "
                "(seconds since the epoch), and retry_now() of the source or session allows it at once."
            )
            raise error

    def back_off(self, now: float, chance: float) -> None:
        """Begin the pause after a failure at `now`, if the error counts for backoff; `chance` is in 0…1."""
        if self.backoff is None or self._ended == self.generation:
            return  # this caller has made no attempt, so the pause of the last one is not changed
        self._ended = self.generation
        if self.error is None or not counts_for_backoff(self.error):
            return
        self.pause = self.backoff.pause(self.failures, self.error, share(chance, "what random returns"))
        self.retry_at = now + self.pause

    def end(self) -> None:
        """Record that the attempt is over. `back_off` does nothing until the next attempt ends."""
        self._ended = self.generation

    def retry_now(self) -> None:
        """End the pause, so that the next caller makes an attempt."""
        self.retry_at = 0.0

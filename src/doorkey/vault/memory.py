"""The state of one key in one process."""

from __future__ import annotations

from collections.abc import Callable
from random import random

from doorkey.renewal.backoff import Backoff
from doorkey.renewal.slot import Freshness, freshness
from doorkey.values import Secret
from doorkey.vault.entry import Entry

__all__: list[str] = []

ELSEWHERE = 1.0
"""Seconds for which a usable token is left to the process that is renewing it."""


class Memory:
    """The state of the store's record of `key` in this process, and the time of the next look at the store.

    `held` is the latest entry that is known, ahead of the store while `unsaved`; `on_unsaved` is told when that begins
    (True) and ends. `rejected` is an access token that an API rejected. `changes` counts what `save` and `forget` of
    this process did, so that a renewal that began earlier does not undo it here, unless what was saved is the very
    token that it has used up. `leeway` and `check_every` are in seconds.

    What is put off is put off from one moment of the clock to another. A clock that is set back stands before the
    first, and nothing is put off any longer: else it would be for as long as the clock was wrong.
    """

    __slots__ = (
        *("changes", "check_at", "check_every", "checked_at", "held", "key", "leeway", "misses", "on_unsaved"),
        *("rejected", "deferred_until", "deferred_at", "unsaved"),
    )

    def __init__(self, key: str, leeway: float | None, check_every: float) -> None:
        self.key, self.leeway, self.check_every = key, leeway, check_every
        self.held: Entry | None = None
        self.unsaved = False
        self.on_unsaved: Callable[[bool], object] | None = None
        self.rejected: Secret | None = None
        self.changes = 0
        self.checked_at = self.check_at = 0.0
        self.deferred_at = self.deferred_until = 0.0
        self.misses = 0

    def freshness_of(self, entry: Entry, now: float) -> Freshness:
        """Return how fresh the token of `entry` is; one that was rejected has expired, whatever it says."""
        return Freshness.EXPIRED if self.refuses(entry) else freshness(entry.token, now, self.leeway)

    def refuses(self, entry: Entry) -> bool:
        """Say whether an API rejected the token of `entry`, or the server its grant."""
        return entry.dead is not None or (self.rejected is not None and entry.token.access_token == self.rejected)

    def observe(self, entry: Entry | None, changes: int, now: float) -> None:
        """Note what the store holds, unless this process has changed it since it had made `changes`."""
        if self._is_news(entry, changes):
            self.held = entry
            self._mark(unsaved=False)
            self.checked_at, self.check_at = now, now + self.check_every

    def hold_unsaved(self, entry: Entry, changes: int) -> None:
        """Keep an entry that the store does not hold yet: the only copy of a refresh token that still works."""
        if self._is_news(entry, changes):
            self.held = entry
            self._mark(unsaved=True)

    def _is_news(self, entry: Entry | None, changes: int) -> bool:
        held = self.held
        if self.changes == changes:
            return True
        return entry is not None and held is not None and (entry.supersedes(held) or entry.is_same_rotation_as(held))

    def _mark(self, *, unsaved: bool) -> None:
        if self.unsaved != unsaved:
            self.unsaved = unsaved
            if self.on_unsaved is not None:
                self.on_unsaved(unsaved)

    def changed(self, entry: Entry | None, now: float) -> None:
        """Take what this process has just saved, or forgotten (None)."""
        self.changes += 1
        if entry is not None and self.held is not None and self.held.supersedes(entry):
            self._mark(unsaved=True)  # what was saved is used up: the next look puts back what it was renewed to
            return
        self.observe(entry, self.changes, now)
        self.rejected, self.deferred_until, self.misses = None, 0.0, 0

    def defer(self, now: float, error: Exception | None = None) -> None:
        """Go on with a token that is still good for a while: after an `error`, or as another process is renewing it."""
        self.misses = self.misses + 1 if error is not None else 0
        pause = ELSEWHERE if error is None else Backoff().pause(self.misses, error, random())  # noqa: S311
        self.deferred_at, self.deferred_until = now, now + pause

    def is_deferred(self, now: float) -> bool:
        """Say whether a token that is still good is to be used without a look at the store."""
        return self.deferred_at <= now < self.deferred_until

    def is_to_be_checked(self, now: float) -> bool:
        """Say whether it is time to look what other processes have saved or forgotten."""
        return not self.checked_at <= now < self.check_at

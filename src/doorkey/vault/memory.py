"""The state of one key in one process."""

from __future__ import annotations

from collections.abc import Callable
from random import random

from doorkey.renewal.backoff import Backoff
from doorkey.renewal.slot import Freshness, freshness
from doorkey.values import Secret
from doorkey.vault.entry import Entry

__all__: list[str] = []

OTHER_RENEWS = 1.0
"""Seconds for which this process uses a stale token without reading the store, while another process renews it."""


class Memory:
    """This process's copy of the store's record of `key`, and the time of the next read of the store.

    `held` is the latest known entry. While `unsaved`, it is newer than the record of the store; `on_unsaved` is called
    when that begins (True) and ends (False). `rejected` is an access token that an API rejected. `changes` counts the
    calls of `save` and `forget` in this process, so that a renewal that began earlier does not undo them here, unless
    it has used up the saved token. `leeway` and `check_every` are in seconds.

    A deferral has a start and an end. If the clock is set back before the start, the deferral ends. Otherwise it would
    last until the clock reaches the end again.
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
        """Return the freshness of the token of `entry`; a rejected token counts as expired."""
        return Freshness.EXPIRED if self.refuses(entry) else freshness(entry.token, now, self.leeway)

    def refuses(self, entry: Entry) -> bool:
        """Return whether an API rejected the token of `entry`, or the server rejected its grant."""
        return entry.dead is not None or (self.rejected is not None and entry.token.access_token == self.rejected)

    def observe(self, entry: Entry | None, changes: int, now: float) -> None:
        """Keep `entry`, which the store holds at `now`.

        If this process has made other changes than the first `changes`, `entry` must be newer than they are.
        """
        if self.changes == changes or self._is_not_older(entry):
            self.held = entry
            if self.unsaved:
                self._mark(unsaved=False)
            self.checked_at, self.check_at = now, now + self.check_every

    def hold_unsaved(self, entry: Entry, changes: int) -> None:
        """Keep an entry that is not in the store yet, because it is the only copy of a refresh token that still works.

        If this process has made other changes than the first `changes`, `entry` must be newer than they are.
        """
        if self.changes == changes or self._is_not_older(entry):
            self.held = entry
            self._mark(unsaved=True)

    def _is_not_older(self, entry: Entry | None) -> bool:
        """Return whether `entry` is newer than the held entry, or the same rotation."""
        held = self.held
        return entry is not None and held is not None and (entry.supersedes(held) or entry.is_same_rotation_as(held))

    def _mark(self, *, unsaved: bool) -> None:
        if self.unsaved != unsaved:
            self.unsaved = unsaved
            if self.on_unsaved is not None:
                self.on_unsaved(unsaved)

    def changed(self, entry: Entry | None, now: float) -> None:
        """Keep the entry that this process has just saved at `now`, or None if it has deleted the record."""
        self.changes += 1
        if entry is not None and self.held is not None and self.held.supersedes(entry):
            self._mark(unsaved=True)  # the saved token is used up: the next read of the store restores its successor
            return
        self.observe(entry, self.changes, now)
        self.rejected, self.deferred_until, self.misses = None, 0.0, 0

    def defer(self, now: float, error: Exception | None = None) -> None:
        """Use a valid token for a time without reading the store: after an `error`, or while another process renews."""
        self.misses = self.misses + 1 if error is not None else 0
        pause = OTHER_RENEWS if error is None else Backoff().pause(self.misses, error, random())  # noqa: S311
        self.deferred_at, self.deferred_until = now, now + pause

    def is_deferred(self, now: float) -> bool:
        """Return whether a valid token is used at `now` without reading the store."""
        return self.deferred_at <= now < self.deferred_until

    def is_check_due(self, now: float) -> bool:
        """Return whether the store must be read for changes of other processes at `now`."""
        return not self.checked_at <= now < self.check_at

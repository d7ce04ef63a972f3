"""What one process remembers of one key."""

from __future__ import annotations

from collections.abc import Callable
from random import random
from typing import Final

from doorkey.errors import UsageError
from doorkey.renewal.backoff import Backoff
from doorkey.renewal.slot import Freshness, Slot, Wanted, freshness
from doorkey.tokens import OAuthToken
from doorkey.values import Secret
from doorkey.vault.entry import Entry
from doorkey.wire.flow import Flow

__all__: list[str] = []

ELSEWHERE = 1.0
"""Seconds for which a token that is still good is left to whoever is renewing it in another process."""


DECIDED: Final = frozenset(
    {
        *("client_id", "client_secret", "token_endpoint_auth_method", "issuer", "token_endpoint"),
        *("leeway", "token", "update_token"),
    }
)
"""Options of a session that are the vault's: by them it renews a token, and saves it, for all who share it."""


class Memory:
    """What is known of the store's record of `key`, and when to look again.

    `held` is the latest entry that is known, ahead of the store while `unsaved`; `on_unsaved` is told when that begins
    (True) and ends. `refused` is an access token that an API refused. `changes` counts what `save` and `forget` of this
    process did, so that a renewal that began earlier does not undo it here, unless what was saved is the very token
    that it has used up. `leeway` and `check_every` are in seconds.

    What is put off is put off from one moment of the clock to another. A clock that is set back stands before the
    first, and nothing is put off any longer: else it would be for as long as the clock was wrong.
    """

    __slots__ = (
        *("changes", "check_at", "check_every", "checked_at", "held", "key", "leeway", "misses", "on_unsaved"),
        *("refused", "rest_until", "rested_at", "unsaved"),
    )

    def __init__(self, key: str, leeway: float | None, check_every: float) -> None:
        self.key, self.leeway, self.check_every = key, leeway, check_every
        self.held: Entry | None = None
        self.unsaved = False
        self.on_unsaved: Callable[[bool], object] | None = None
        self.refused: Secret | None = None
        self.changes = 0
        self.checked_at = self.check_at = 0.0
        self.rested_at = self.rest_until = 0.0
        self.misses = 0

    def good(self, entry: Entry, now: float) -> Freshness:
        """Return how fresh the token of `entry` is; one that was refused has expired, whatever it says."""
        return Freshness.EXPIRED if self.refuses(entry) else freshness(entry.token, now, self.leeway)

    def refuses(self, entry: Entry) -> bool:
        """Say whether an API refused the token of `entry`, or the server its grant."""
        return entry.dead is not None or (self.refused is not None and entry.token.access_token == self.refused)

    def see(self, entry: Entry | None, changes: int, now: float) -> None:
        """Note what the store holds, unless this process has changed it since it had made `changes`."""
        if self._is_news(entry, changes):
            self.held = entry
            self._mark(unsaved=False)
            self.checked_at, self.check_at = now, now + self.check_every

    def keep(self, entry: Entry, changes: int) -> None:
        """Keep an entry that the store does not hold yet: the only copy of a refresh token that still works."""
        if self._is_news(entry, changes):
            self.held = entry
            self._mark(unsaved=True)

    def _is_news(self, entry: Entry | None, changes: int) -> bool:
        held = self.held
        if self.changes == changes:
            return True
        return entry is not None and held is not None and (entry.supersedes(held) or entry.is_turn_of(held))

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
        self.see(entry, self.changes, now)
        self.refused, self.rest_until, self.misses = None, 0.0, 0

    def rest(self, now: float, error: Exception | None = None) -> None:
        """Go on with a token that is still good for a while: after an `error`, or as another process is renewing it."""
        self.misses = self.misses + 1 if error is not None else 0
        pause = ELSEWHERE if error is None else Backoff().pause(self.misses, error, random())  # noqa: S311
        self.rested_at, self.rest_until = now, now + pause

    def rests(self, now: float) -> bool:
        """Say whether a token that is still good is to be used without a look at the store."""
        return self.rested_at <= now < self.rest_until

    def is_to_be_checked(self, now: float) -> bool:
        """Say whether it is time to look what other processes have saved or forgotten."""
        return not self.checked_at <= now < self.check_at


class _KeyRenewer:
    """Renews the token of one key, as the vault does."""

    def __init__(self, memory: Memory, renew: Callable[[Memory], Flow[OAuthToken]]) -> None:
        self._memory, self._renew = memory, renew

    def renew(self, _: OAuthToken | None) -> Flow[OAuthToken]:
        return self._renew(self._memory)

    def renewable(self, _: OAuthToken | None) -> bool:
        return True

    def repeatable(self) -> bool:
        return False


class KeySlot(Slot):
    """The slot of one key, whose token is always that of its `memory`. `renew` brings the next one."""

    __slots__ = ("memory",)

    def __init__(self, memory: Memory, renew: Callable[[Memory], Flow[OAuthToken]]) -> None:
        # The slot is part of no cycle: what is dropped of a million keys is gone at once.
        super().__init__(_KeyRenewer(memory, renew), memory.leeway, Backoff())
        self.memory = memory

    def refuse_change(self, name: str) -> None:
        """Raise `UsageError` where the vault decides `name`; `metadata` names the token endpoint."""
        if name in DECIDED or name == "metadata":
            instead = ": save() and forget() change it" if name == "token" else ", as it renews the token for everybody"
            raise UsageError(f"{name} is not this session's own: the vault decides it{instead}")

    def put(self, token: OAuthToken | None) -> None:
        """Take the token of the memory; `token` was the latest one when it was asked for, and may no longer be."""
        super().put(self.memory.held.token if self.memory.held is not None else None)

    def reject(self, token: OAuthToken) -> bool:
        """Forget the token if it is still this one, because a server refused it; say whether it was.

        Where nothing is known of the key (it was dropped to make room), it may be. One that cannot be renewed is not
        forgotten, because there is no other to send; but the next caller looks whether the store has another by now.
        """
        current = self.token
        if current is not None and current.access_token != token.access_token:
            return False
        if (current or token).refresh_token is None:
            self.memory.check_at = 0.0
            return True
        if current is not None and not super().reject(token):
            return False
        self.rejected = self.memory.refused = token.access_token
        return True

    def holds(self, token: OAuthToken | None) -> bool:
        """Say whether the slot's token is still `token`; one that the memory has left behind was not put since."""
        held = self.memory.held
        return super().holds(token) or (held is not None and self.token is not held.token)

    def fresh_token(self, now: float) -> None:
        """Return None: what is held may be old however fresh it looks, as `wanted` says."""

    def wanted(self, now: float) -> Wanted:
        """Return what to do for a token at `now`, in seconds since the epoch. Raises as `Slot.wanted` does.

        Once in a while somebody looks into the store, where another process may have saved or forgotten.
        """
        memory = self.memory
        if memory.held is not None and memory.held.dead is not None:
            return Wanted.RENEW  # looking into the store tells whether somebody has logged in again
        wanted = super().wanted(now)
        if wanted is Wanted.RENEW or self.token is None:
            return wanted
        if memory.rests(now):
            return Wanted.USE
        if wanted is Wanted.TRY or memory.is_to_be_checked(now) or memory.unsaved:
            return Wanted.TRY
        return Wanted.USE

"""The state of the token of one key for its single flight: decides for each caller on the basis of `Memory`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from doorkey.errors import InvalidResponse, MissingTokenError, OAuthError, ServerError, UsageError
from doorkey.renewal.api_rejections import ApiRejections
from doorkey.renewal.attempts import Attempts
from doorkey.renewal.backoff import Backoff, is_transient
from doorkey.renewal.dead_grant import DeadGrant
from doorkey.renewal.slot import Freshness, freshness, warn_of_leeway
from doorkey.renewal.state import Decision, Renew, SlotObserver
from doorkey.tokens import OAuthToken
from doorkey.values import Secret
from doorkey.vault.entry import Entry
from doorkey.vault.memory import Memory
from doorkey.wire.flow import Flow

__all__: list[str] = []

VAULT_OPTIONS: Final = frozenset(
    {
        *("client_id", "client_secret", "token_endpoint_auth_method", "issuer", "token_endpoint"),
        *("leeway", "scope", "token", "update_token"),
    }
)
"""Options of a session that the vault decides, because it renews and saves the token for all who share it."""


class KeyState:
    """A `TokenState` whose token is that of the store's record, as far as `memory` has it.

    `renew(memory)` is the flow that returns the next token, from the store or the server; if `repeatable`, it needs no
    refresh token. There is no fast path: another process may have called `save` or `forget`, so even a fresh token must
    be checked against the store from time to time. Callers get the token of the last `set_token`, because during a
    renewal the memory already holds an entry that is not committed yet.
    """

    __slots__ = (
        *("_entry", "_renew", "_repeatable", "_warned", "attempts", "dead", "issued", "memory", "observer"),
        "rejections",
    )

    def __init__(
        self,
        memory: Memory,
        renew: Callable[[Memory], Flow[OAuthToken]],
        observer: SlotObserver,
        *,
        repeatable: bool = False,
    ) -> None:
        # This object is in no reference cycle, so that dropped keys are freed at once.
        self.memory, self._renew, self._repeatable = memory, renew, repeatable
        self.attempts = Attempts(Backoff())
        self.observer: SlotObserver | None = observer
        self.rejections = ApiRejections()
        self.dead: DeadGrant | None = None  # always None: the record, in the memory, has the mark of a dead grant
        self.issued: OAuthToken | None = None
        self._entry: Entry | None = None
        self._warned = False

    @property
    def token(self) -> OAuthToken | None:
        """The latest token that callers may see, fresh or not."""
        entry = self._entry
        return None if entry is None else entry.token

    @property
    def rejected(self) -> Secret | None:
        """The access token that an API rejected last, or None."""
        return self.memory.rejected

    def set_token(self, token: OAuthToken | None) -> None:
        """Publish the memory's current token to the callers, which may be newer than `token`."""
        self._entry, self.issued = self.memory.held, None
        current, unproven = self.token, self.rejections.unproven
        if current is None or unproven is None or current.access_token != unproven:
            self.rejections = ApiRejections()
        self.attempts.record_new_token()

    def fresh_token(self, now: float) -> OAuthToken | None:
        """Return None: each caller calls `decide`."""
        return None

    def drop_fast_path(self) -> None:
        """Do nothing: there is no fast path."""

    def decide(self, now: float) -> tuple[int, OAuthToken | None, Decision]:
        """Return the generation, the token and the decision for a caller at `now`, in seconds since the epoch.

        Raises a copy of the last failure during the pause after it, unless there is a usable token.
        """
        memory, attempts = self.memory, self.attempts
        seen, entry, held = attempts.generation, self._entry, memory.held
        if held is not None and held.dead is not None:
            return seen, self.token, Decision.RENEW  # the store may have the token of another login
        fresh = Freshness.EXPIRED if entry is None else memory.freshness_of(entry, now)
        if entry is None or fresh is Freshness.EXPIRED:
            if attempts.is_pausing(now):
                attempts.raise_paused()
            return seen, self.token, Decision.RENEW
        if memory.is_deferred(now):
            return seen, entry.token, Decision.USE
        if fresh is Freshness.STALE and not attempts.is_pausing(now):
            return seen, entry.token, Decision.RENEW_IF_FREE
        checks = memory.is_check_due(now) or memory.unsaved
        return seen, entry.token, Decision.RENEW_IF_FREE if checks else Decision.USE

    def renew_or_share(
        self, seen: int, usable: OAuthToken | None = None, renew: Renew | None = None
    ) -> Flow[OAuthToken]:
        """Renew the token, or share the outcome of another caller. The caller has the lock, or waited for it.

        seen: the generation that the caller's `decide` returned.
        usable: a token that may still be sent; it is returned if the store or the server cannot be reached.
        renew: not used, because only the vault renews its tokens.

        A token that is saved meanwhile stays, and the caller gets it. Raises the errors of the renewal.
        """
        attempts, memory = self.attempts, self.memory
        if attempts.generation != seen:
            attempts.raise_shared()
            return self._token_set_meanwhile()
        before, rejected, rejections = self.token, memory.rejected, self.rejections
        try:
            renewed = yield from self._renew(memory)
        except OAuthError as error:
            attempts.fail(error, shared=self.is_current(before))
            if usable is not None and usable.access_token != memory.rejected and is_transient(error):
                return usable
            raise
        if self.token is not renewed and not self.is_current(before):  # a login or a logout meanwhile
            return self._token_set_meanwhile()
        self.set_token(renewed)
        self.issued = renewed
        if rejected is not None and (before is None or before.access_token == rejected):
            rejections.replaced_by(renewed.access_token)
            self.rejections = rejections
        self._warned = self._warned or warn_of_leeway(renewed, memory.leeway)
        return renewed

    def _token_set_meanwhile(self) -> OAuthToken:
        if (theirs := self.token) is not None:
            return theirs
        raise MissingTokenError("the key was forgotten while its token was being renewed: log in again")

    def is_usable(self, token: OAuthToken, now: float) -> bool:
        """Return whether `token` may still be sent at `now`, in seconds since the epoch."""
        return token.access_token != self.memory.rejected and freshness(token, now) is not Freshness.EXPIRED

    def reject(self, token: OAuthToken) -> bool:
        """Treat `token`, which a server rejected, as expired. Return False if another token is current by now.

        If this process has no token of the key (it was dropped from the cache), `token` may be the current one. A token
        that cannot be renewed is not expired, because there is no other token to send. But the next caller reads the
        store, which may have another one by now.
        """
        current = self.token
        if current is not None and current.access_token != token.access_token:
            return False
        if not self._repeatable and (current or token).refresh_token is None:
            self.memory.check_at = 0.0
        else:
            self.memory.rejected = token.access_token
        return True

    def renewable(self) -> bool:
        """Return True: the store may have another token by now, even if this one has no refresh token."""
        return True

    def is_current(self, token: OAuthToken | None) -> bool:
        """Return whether `token` is still the current token, or the memory has a renewed token that is not set yet."""
        current, held = self.token, self.memory.held
        if held is not None and held.token is not current:
            return True  # a renewal has returned the memory's token, which is not set yet
        if current is token or current is None or token is None:
            return current is token
        return (current.access_token, current.refresh_token) == (token.access_token, token.refresh_token)

    def mark_dead(self, token: OAuthToken | None, refused: ServerError | InvalidResponse) -> None:
        """Do nothing: the vault marks the record of a dead grant itself."""

    def dead_grant_of(self, token: OAuthToken | None) -> None:
        """Return None: the record has the mark of a dead grant."""

    def change_leeway(self, leeway: float | None) -> None:
        """Raise `UsageError`: the vault decides the leeway."""
        self.refuse_change("leeway")

    def refuse_change(self, name: str) -> None:
        """Raise `UsageError` if the vault decides the option `name`, or if it is `metadata`, which has the endpoint."""
        if name in VAULT_OPTIONS or name == "metadata":
            instead = ": save() and forget() change it" if name == "token" else ", which renews the token for all"
            raise UsageError(f"{name} belongs to the vault, not to this session{instead}")

"""The state of the token of one key, as a single flight drives it: what `Memory` knows, decided for each caller."""

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

DECIDED: Final = frozenset(
    {
        *("client_id", "client_secret", "token_endpoint_auth_method", "issuer", "token_endpoint"),
        *("leeway", "scope", "token", "update_token"),
    }
)
"""Options of a session that the vault decides: by them it renews a token, and saves it, for all who share it."""


class KeyState:
    """A `TokenState` whose token is that of the store's record, as far as `memory` knows it.

    `renew(memory)` is the flow that returns the next token, from the store or the server; if `repeatable`, it needs no
    refresh token for that. A token is never on the fast path: however fresh it looks, another process may have saved or
    forgotten, so the store is read once in a while. Callers see the entry that was `put` last: during a renewal the
    memory already holds one that is not committed yet.
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
        # Part of no reference cycle: dropped keys are freed at once.
        self.memory, self._renew, self._repeatable = memory, renew, repeatable
        self.attempts = Attempts(Backoff())
        self.observer: SlotObserver | None = observer
        self.rejections = ApiRejections()
        self.dead: DeadGrant | None = None  # a dead grant is a state of the record, which the memory holds
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
        """The access token that an API rejected last."""
        return self.memory.rejected

    def put(self, token: OAuthToken | None) -> None:
        """Give the current token of the memory to the callers that wait for the lock; `token` itself may be older."""
        self._entry, self.issued = self.memory.held, None
        current, unproven = self.token, self.rejections.unproven
        if current is None or unproven is None or current.access_token != unproven:
            self.rejections = ApiRejections()
        self.attempts.put()

    def fresh_token(self, now: float) -> OAuthToken | None:
        """Return None: each caller decides."""
        return None

    def drop_fast_path(self) -> None:
        """Nothing to do: there is none."""

    def decide(self, now: float) -> tuple[int, OAuthToken | None, Decision]:
        """Return the generation, the token and the decision of a caller at `now`, in seconds since the epoch.

        Raises a copy of the last failure in the pause after it, where no usable token is held.
        """
        memory, attempts = self.memory, self.attempts
        seen, entry, held = attempts.generation, self._entry, memory.held
        if held is not None and held.dead is not None:
            return seen, self.token, Decision.RENEW  # reading the store tells whether there was another login
        fresh = Freshness.EXPIRED if entry is None else memory.freshness_of(entry, now)
        if entry is None or fresh is Freshness.EXPIRED:
            if attempts.is_pausing(now):
                attempts.raise_paused()
            return seen, self.token, Decision.RENEW
        if memory.is_deferred(now):
            return seen, entry.token, Decision.USE
        if fresh is Freshness.STALE and not attempts.is_pausing(now):
            return seen, entry.token, Decision.RENEW_IF_FREE
        checks = memory.is_to_be_checked(now) or memory.unsaved
        return seen, entry.token, Decision.RENEW_IF_FREE if checks else Decision.USE

    def renew_or_share(
        self, seen: int, usable: OAuthToken | None = None, renew: Renew | None = None
    ) -> Flow[OAuthToken]:
        """Renew the token for a caller that noted the generation `seen` and has the lock, or waited for it.

        `usable` is a token that may still be sent: it is returned if store or server cannot be reached. `renew` is not
        used: only the vault renews its tokens. A token that is saved meanwhile stays, and the caller gets it.
        """
        attempts, memory = self.attempts, self.memory
        if attempts.generation != seen:
            attempts.raise_shared()
            return self._put_meanwhile()
        before, rejected, rejections = self.token, memory.rejected, self.rejections
        try:
            renewed = yield from self._renew(memory)
        except OAuthError as error:
            attempts.fail(error, shared=self.is_current(before))
            if usable is not None and usable.access_token != memory.rejected and is_transient(error):
                return usable
            raise
        if self.token is not renewed and not self.is_current(before):  # a login or a logout meanwhile
            return self._put_meanwhile()
        self.put(renewed)
        self.issued = renewed
        if rejected is not None and (before is None or before.access_token == rejected):
            rejections.replaced_by(renewed.access_token)
            self.rejections = rejections
        self._warned = self._warned or warn_of_leeway(renewed, memory.leeway)
        return renewed

    def _put_meanwhile(self) -> OAuthToken:
        if (theirs := self.token) is not None:
            return theirs
        raise MissingTokenError("the key was forgotten while its token was being renewed: log in again")

    def is_good(self, token: OAuthToken, now: float) -> bool:
        """Return whether `token` may still be sent at `now`, in seconds since the epoch."""
        return token.access_token != self.memory.rejected and freshness(token, now) is not Freshness.EXPIRED

    def reject(self, token: OAuthToken) -> bool:
        """Expire the token if it is still this one, because a server rejected it; return whether it was.

        Where nothing is known of the key (it was dropped to make room), it may be. One that cannot be renewed is not
        expired, because there is no other to send; but the next caller reads the store, which may have another by now.
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
        """Return True: even for a token without a refresh token, the store may have another by now."""
        return True

    def is_current(self, token: OAuthToken | None) -> bool:
        """Return whether no other token than `token` was put since, the one that the memory holds included."""
        current, held = self.token, self.memory.held
        if held is not None and held.token is not current:
            return True  # a renewal has brought it, and it is still to be put
        if current is token or current is None or token is None:
            return current is token
        return (current.access_token, current.refresh_token) == (token.access_token, token.refresh_token)

    def mark_dead(self, token: OAuthToken | None, refused: ServerError | InvalidResponse) -> None:
        """Nothing to do: the vault marks the record of a dead grant itself."""

    def dead_grant_of(self, token: OAuthToken | None) -> None:
        """Return None: the record says whether its grant is dead."""

    def change_leeway(self, leeway: float | None) -> None:
        """Raise `UsageError`: the vault decides it."""
        self.refuse_change("leeway")

    def refuse_change(self, name: str) -> None:
        """Raise `UsageError` where the vault decides `name`; `metadata` names the token endpoint."""
        if name in DECIDED or name == "metadata":
            instead = ": save() and forget() change it" if name == "token" else ", which renews the token for all"
            raise UsageError(f"{name} belongs to the vault, not to this session{instead}")

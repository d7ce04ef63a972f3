"""When a token is renewed, how, and what those who waited are told. Pure: locks and clocks belong to the sources.

Theory of operation. A token is fresh, stale (inside the margin before its expiry) or expired. `Slot` is the memory of
one single flight: the token, what the last attempt came to, and how many attempts there were. Whoever wants a token
notes `attempts`, and queues for the lock of the slot's owner unless the token is fresh; once inside, an attempt that
ended meanwhile is that caller's outcome too: its token, or a copy of its error. Only callers that queued share it:
those who come later note the new count, and try again. A cancelled attempt counts as none, so the next in line leads.

A refused grant is another matter: not an attempt that failed, but the state that the server says the grant is in. The
slot remembers it (`DeadGrant`) until another token is put, and whoever would present it again is told without asking.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from enum import Enum
from typing import Final, Protocol

from doorkey.arguments import instance
from doorkey.arguments import share as drawn
from doorkey.errors import InvalidResponse, MissingTokenError, OAuthError, ServerError, TokenExpiredError
from doorkey.renewal.api_rejections import Refusals
from doorkey.renewal.backoff import Backoff, counts_for_backoff, is_transient
from doorkey.renewal.dead_grant import DeadGrant
from doorkey.tokens import OAuthToken
from doorkey.values import Secret
from doorkey.wire.flow import Flow

_CHANCE: Final = "what random returns"


class Freshness(Enum):
    """What may be done with a token now."""

    FRESH = "use it"
    STALE = "use it, but somebody should renew it"
    EXPIRED = "never send it"


def freshness(token: OAuthToken, now: float, leeway: float | None = None) -> Freshness:
    """Return how fresh `token` is at `now` (seconds since the epoch); `leeway` is in seconds, None for the default.

    A token of unknown lifetime is fresh: only the server can tell.
    """
    if now < _stale_at(token, leeway):
        return Freshness.FRESH
    return Freshness.STALE if token.expires_at is None or now < token.expires_at else Freshness.EXPIRED


def _stale_at(token: OAuthToken, leeway: float | None) -> float:
    return float("inf") if token.expires_at is None else token.expires_at - token.margin(leeway)


class Wanted(Enum):
    """What somebody who wants the token has to do."""

    USE = "use the token that is there"
    TRY = "renew it unless somebody is at it, else use the one that is there"
    RENEW = "renew it, or wait for whoever is at it"


class Renewer(Protocol):
    """How the tokens of one slot are renewed: a session, a token source and a key of a vault each are one."""

    def renew(self, token: OAuthToken | None, /) -> Flow[OAuthToken]:
        """Return the token that replaces `token` (None: the first one), saved before this returns."""
        ...

    def renewable(self, token: OAuthToken | None, /) -> bool:
        """Return whether `renew(token)` can succeed without user interaction."""
        ...

    def repeatable(self) -> bool:
        """Return whether the initial grant can be presented again, once a refresh token is dead."""
        ...


class SlotObserver(Protocol):
    """Who is told what callers of a slot meet with; see `doorkey.observe`."""

    def waiting(self) -> AbstractContextManager[None]:
        """Tell how long the wait within took, for somebody else's attempt."""
        ...

    def rejected(self) -> None:
        """Tell that a server refused the token."""
        ...


class Slot:
    """One token that many share, and the outcome of the last attempt to renew it. Not thread-safe by itself.

    `renewer` brings the next token. `leeway` is in seconds, None for the default. With `backoff`, a failure answers
    those who come before its pause is over, without a request.
    `chance` returns 0…1: with it, each token draws a share of the default margin, from half to all of it, so that many
    sources that began together do not renew in step. `observer` is for its owners, who tell it what happens.
    """

    __slots__ = (
        *("_ready", "attempts", "backoff", "chance", "dead", "error", "failures", "leeway", "observer", "pause"),
        *("paused", "refusals", "rejected", "renewer", "retry_at", "share", "token"),
    )

    def __init__(
        self,
        renewer: Renewer,
        leeway: float | None = None,
        backoff: Backoff | None = None,
        chance: Callable[[], float] | None = None,
    ) -> None:
        self.renewer = renewer
        self.leeway = leeway
        self.backoff = backoff
        self.chance = chance
        self.dead: DeadGrant | None = None
        self.observer: SlotObserver | None = None
        self.share = 1.0
        self.rejected: Secret | None = None
        self.refusals = Refusals()  # of the token that is there in place of a rejected one
        self.paused = 0
        self.token: OAuthToken | None = None
        self._ready: tuple[OAuthToken, float] | None = None  # of one moment: a fresh token, and when it becomes stale
        self.attempts = 0
        self.error: OAuthError | None = None
        self.failures = 0
        self.pause = 0.0
        self.retry_at = 0.0

    def put(self, token: OAuthToken | None) -> None:
        """Replace the token from outside; who queued for the old one is content with this one."""
        share = 1.0
        try:
            share = share if self.chance is None else 0.5 + drawn(self.chance(), _CHANCE) / 2
        finally:  # a callable of the user's own that raises loses no token, whose predecessor may be dead
            self._put(token, share)

    def _put(self, token: OAuthToken | None, share: float) -> None:
        self.share = share
        unproven = self.refusals.unproven
        if token is None or unproven is None or token.access_token != unproven:
            self.refusals = Refusals()
        self.token, self.error, self.failures, self.rejected = token, None, 0, None
        self._ready = None if token is None else (token, _stale_at(token, self._leeway_of(token)))
        self.dead = None
        self.attempts += 1

    def refuse_change(self, name: str) -> None:
        """Raise `UsageError` where `name` is no session's to change, because whoever keeps the token decides it."""

    def fresh_token(self, now: float) -> OAuthToken | None:
        """Return the token if it is fresh at `now`: all that nearly every request asks. `look` answers the rest."""
        ready = self._ready
        return ready[0] if ready is not None and now < ready[1] else None

    def drop_fast_path(self) -> None:
        """Have every caller `look`, until the next token is put."""
        self._ready = None

    def reject(self, token: OAuthToken) -> bool:
        """Forget the token if it is still this one, because a server refused it; say whether it was."""
        current = self.token
        if current is None or current.access_token != token.access_token:
            return False
        self.drop_fast_path()
        self.rejected = token.access_token  # a mark, not another token: one that is put at this moment is not lost
        return True

    def mark_dead(self, token: OAuthToken | None, refused: ServerError | InvalidResponse) -> None:
        """Note that the server `refused` the grant of `token`, unless another token has been put meanwhile."""
        if self.token is token:
            self.dead = DeadGrant.of(token, refused)

    def dead_grant_of(self, token: OAuthToken | None) -> DeadGrant | None:
        """Return what is known of the grant of `token`, where the server has refused it."""
        dead = self.dead
        return dead if dead is not None and dead.is_of(token) else None

    def look(self, now: float) -> tuple[int, OAuthToken | None, Wanted]:
        """Return the number of attempts, the token, and what is wanted: of one moment, whoever puts tokens meanwhile.

        Raises as `wanted` does.
        """
        while True:
            seen, token = self.attempts, self.token
            wanted = self.wanted(now)
            if self.token is token:
                return seen, token, wanted

    def wanted(self, now: float) -> Wanted:
        """Return what to do for a token at `now`, in seconds since the epoch.

        Raises `MissingTokenError` without a token, `TokenExpiredError` for an expired one that cannot be renewed,
        `InvalidGrant` for one whose grant is dead, and while backing off a copy of the last failure. One that cannot
        be renewed is used until it really expires.
        """
        token = self.token
        fresh = Freshness.EXPIRED if token is None else self._freshness(token, now)
        if fresh is Freshness.FRESH:
            return Wanted.USE
        if self.renewer.renewable(token):
            if (dead := self.dead_grant_of(token)) is not None and not self.renewer.repeatable():
                if fresh is Freshness.STALE:
                    return Wanted.USE
                raise dead.error()
            pausing = self.error is not None and self._pauses(self.error, now)
            if fresh is Freshness.STALE:
                return Wanted.USE if pausing else Wanted.TRY
            if pausing:
                self._raise()
            return Wanted.RENEW
        if token is None:
            raise MissingTokenError("there is no token yet: call fetch_token() first, or give the session a token=")
        if fresh is Freshness.STALE:
            return Wanted.USE
        raise TokenExpiredError(
            "the token has expired and cannot be renewed: it needs a refresh_token, or a grant that can be repeated "
            "(client_credentials, password), and a token_endpoint; log in again, or give the session those"
        )

    def _pauses(self, error: OAuthError, now: float) -> bool:
        if self.backoff is not None and self.paused != self.attempts:
            return counts_for_backoff(error)  # the pause is about to begin: whoever failed is still in the lead
        return 0 < self.retry_at - now <= self.pause + 1  # more is left where a clock was set back

    def fill(
        self,
        seen: int,
        meanwhile: OAuthToken | None = None,
        renew: Callable[[OAuthToken | None], Flow[OAuthToken]] | None = None,
    ) -> Flow[OAuthToken]:
        """Renew the token for a caller that noted `seen` attempts and leads, or waited for one that led.

        `meanwhile` is a token that is still good: it is returned where the server cannot be reached just now. `renew`
        replaces the slot's own way of renewing, this once. A token that is put meanwhile stays, and is what the caller
        gets. Raises the error of the attempt: the caller's own, or a copy of the one that ended while it waited.
        """
        if self.attempts != seen:
            self._raise()
            return self._put_meanwhile()
        token, rejected, refusals = self.token, self.rejected, self.refusals
        try:
            renewed = yield from (renew or self.renewer.renew)(token)
        except OAuthError as error:  # any other, such as a time limit of the leader's own, says nothing to who waits
            if self.holds(token):  # else another one was put here meanwhile, which is not touched by this failure
                self.error = error.for_waiter()
                self.failures += 1
            self.attempts += 1
            if meanwhile is not None and meanwhile.access_token != self.rejected and is_transient(error):
                return meanwhile
            raise
        if self.token is renewed or self.holds(token):
            self.put(renewed)
            if rejected is not None:
                refusals.replaced_by(renewed.access_token)
                self.refusals = refusals
        elif renew is None:  # a login or a logout meanwhile: what was renewed is another's token by now
            return self._put_meanwhile()
        return renewed

    def holds(self, token: OAuthToken | None) -> bool:
        """Say whether the slot's token is still `token`, or the same one put again."""
        current = self.token
        if current is None or token is None:
            return current is token
        return (current.access_token, current.refresh_token) == (token.access_token, token.refresh_token)

    def _put_meanwhile(self) -> OAuthToken:
        if (theirs := self.token) is not None:  # looked at after `attempts`, which put() changes last
            return theirs
        raise MissingTokenError("the token was taken away while it was being renewed: call fetch_token() again")

    def back_off(self, now: float, chance: float) -> None:
        """Start the pause after a failure at `now`; `chance` is in 0…1. A failure that asked nobody has none."""
        if self.backoff is None or self.paused == self.attempts:
            return  # this caller has led no attempt: the pause of the last one stands
        self.paused = self.attempts
        if self.error is None or not counts_for_backoff(self.error):
            return
        self.pause = self.backoff.pause(self.failures, self.error, drawn(chance, _CHANCE))
        self.retry_at = now + self.pause

    def go_on(self) -> None:
        """Note that the attempt is over: no pause of it is still to begin."""
        self.paused = self.attempts

    def is_good(self, token: OAuthToken, now: float) -> bool:
        """Say whether `token` may still be sent at `now`."""
        return self._freshness(token, now) is not Freshness.EXPIRED

    def _freshness(self, token: OAuthToken, now: float) -> Freshness:
        """Return how fresh the slot's token is; one that a server refused has expired, whatever it says."""
        if self.rejected is not None and token.access_token == self.rejected:
            return Freshness.EXPIRED
        return freshness(token, now, self._leeway_of(token))

    def _leeway_of(self, token: OAuthToken) -> float:
        return token.margin() * self.share if self.leeway is None else self.leeway

    def _raise(self) -> None:
        if self.error is not None:
            raise self.error.for_waiter()


def waiting(slot: Slot) -> AbstractContextManager[None]:
    """Return the block in which somebody waits for another's attempt at `slot`. Raises as `Observer.waiting` does."""
    return nullcontext() if slot.observer is None else slot.observer.waiting()


def reject(slot: Slot, token: OAuthToken) -> bool:
    """Reject `token` at `slot`; tell of it once, however many callers were refused with the same token.

    Raises `UsageError` for what is no token.
    """
    instance(token, OAuthToken, "what is rejected is an OAuthToken, as token() returned it")
    known = slot.rejected == token.access_token
    was_current = slot.reject(token)
    if was_current and not known and slot.observer is not None:
        slot.observer.rejected()
    return was_current

"""The token that many callers share, and the decision of each caller: use it, renew it, or wait. Pure: no lock, no
clock.

Theory of operation. A token is fresh, stale (inside the margin before its expiry) or expired. A caller of a fresh token
uses it; of a stale one it uses it too, unless the lock is free: then it renews it. A caller that finds no usable token
notes the `generation` of the slot and waits for the lock. Once it has the lock, an attempt that ended meanwhile is this
caller's outcome too: the token of that attempt, or a copy of its error. Only callers that queued share an outcome: a
later caller notes the new generation and tries again. A canceled attempt counts as none, so the next waiter makes one.

A grant that the server refused is not a failed attempt but a lasting state. The slot remembers it (`DeadGrant`) until
another token is put, and a caller that would present it again gets the server's error without a request.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from enum import Enum
from math import inf
from typing import Final, Protocol

from doorkey.arguments import share as drawn
from doorkey.errors import InvalidResponse, MissingTokenError, OAuthError, ServerError, TokenExpiredError
from doorkey.renewal.api_rejections import ApiRejections
from doorkey.renewal.attempts import Attempts
from doorkey.renewal.backoff import Backoff, is_transient
from doorkey.renewal.dead_grant import DeadGrant
from doorkey.renewal.state import Decision, Renew, SlotObserver
from doorkey.tokens import OAuthToken
from doorkey.values import Secret
from doorkey.wire.flow import Flow

_NOTHING: Final[tuple[OAuthToken | None, float, float]] = (None, inf, inf)


class Freshness(Enum):
    """Whether a token may be sent now, and whether it should be renewed."""

    FRESH = "use it"
    STALE = "use it, but it should be renewed"
    EXPIRED = "never send it"


def freshness(token: OAuthToken, now: float, leeway: float | None = None) -> Freshness:
    """Return how fresh `token` is at `now` (seconds since the epoch); `leeway` is in seconds, None for the default.

    A `leeway` counts up to half the token's lifetime. A token of unknown lifetime is fresh: only the server knows.
    """
    expires_at = inf if token.expires_at is None else token.expires_at
    if now < expires_at - capped_margin(token, leeway):
        return Freshness.FRESH
    return Freshness.STALE if now < expires_at else Freshness.EXPIRED


def capped_margin(token: OAuthToken, leeway: float | None) -> float:
    """Return the seconds before expiry at which `token` is stale: min(`leeway`, lifetime / 2).

    With a `leeway` that is no shorter than the lifetime as given, every call would be a token request.
    """
    lifetime = token.lifetime
    return token.margin(leeway) if leeway is None or lifetime is None else min(leeway, lifetime / 2)


def warn_of_leeway(token: OAuthToken | None, leeway: float | None) -> bool:
    """Warn of a `leeway` that is no shorter than the lifetime of `token`; return whether it is."""
    if token is None or leeway is None or token.lifetime is None or leeway < token.lifetime:
        return False
    warnings.warn(
        f"leeway={leeway:g} is not shorter than the lifetime of the token ({token.lifetime:g} s), so that every call "
        f"would request a token: it is renewed {token.lifetime / 2:g} s before it expires; give a shorter leeway=",
        RuntimeWarning,
        stacklevel=2,
    )
    return True


class Renewer(Protocol):
    """The protocol by which a slot renews its tokens; sessions and token sources implement it."""

    def renew(self, token: OAuthToken | None, /) -> Flow[OAuthToken]:
        """Return the token that replaces `token` (None: the first one), saved before this returns."""
        ...

    def renewable(self, token: OAuthToken | None, /) -> bool:
        """Return whether `renew(token)` can succeed without user interaction."""
        ...

    def repeatable(self) -> bool:
        """Return whether the initial grant can be presented again, once a refresh token is dead."""
        ...


class Slot:
    """One token, kept in this process, and the attempts to renew it. Not thread-safe by itself.

    `renewer` requests the next token. `leeway` is in seconds, None for the default; it counts up to half the token's
    lifetime unless `caps_leeway` is False. With `backoff`, a failure begins a pause; see `Attempts`. `random` returns
    0…1: with it, each token draws a share of the default margin, from half to all of it, so that many sources that
    started together do not renew at the same moment. `observer` is set by the owner of the slot.
    """

    __slots__ = (
        *("_caps", "_fast", "_times", "attempts", "dead", "issued", "leeway", "margin_share", "observer", "rejections"),
        *("rejected", "renewer", "rotated"),
    )

    def __init__(
        self,
        renewer: Renewer,
        leeway: float | None = None,
        backoff: Backoff | None = None,
        random: Callable[[], float] | None = None,
        *,
        caps_leeway: bool = True,
    ) -> None:
        self.renewer, self.leeway = renewer, leeway
        self._caps: bool | None = caps_leeway  # None once the warning of a leeway that is too long was given
        self.attempts = Attempts(backoff, random)
        self.observer: SlotObserver | None = None
        self.dead: DeadGrant | None = None
        self.issued: OAuthToken | None = None
        self.margin_share = 1.0
        self.rejected: Secret | None = None
        self.rotated: Secret | None = None  # the refresh token that `rotate` replaced
        self.rejections = ApiRejections()  # of the current token, if it replaced a rejected one
        # The token, when it becomes stale and when it expires: one value, so that threads see all three of one moment.
        self._times: tuple[OAuthToken | None, float, float] = _NOTHING
        self._fast = self._times  # the same while a fresh token needs no decision, else nothing

    @property
    def token(self) -> OAuthToken | None:
        """The current token, fresh or not."""
        return self._times[0]

    @property
    def generation(self) -> int:
        """The number of attempts that ended and tokens that were put."""
        return self.attempts.generation

    def put(self, token: OAuthToken | None) -> None:
        """Replace the token; callers that wait for the lock get this one."""
        random = self.attempts.random
        share = 1.0
        try:
            share = share if random is None else 0.5 + drawn(random(), "what random returns") / 2
        finally:  # a callable of the user's own that raises must not lose the token, whose predecessor may be dead
            self.margin_share = share
            unproven = self.rejections.unproven
            if token is None or unproven is None or token.access_token != unproven:
                self.rejections = ApiRejections()
            self._times = self._fast = self._times_of(token)
            self.rejected = self.dead = self.rotated = self.issued = None
            self.attempts.put()
        if self._caps:
            self._caps = not warn_of_leeway(token, self.leeway) or None

    def _times_of(self, token: OAuthToken | None) -> tuple[OAuthToken | None, float, float]:
        if token is None or token.expires_at is None:
            return token, inf, inf
        if self.leeway is None:
            margin = token.margin() * self.margin_share
        else:
            margin = self.leeway if self._caps is False else capped_margin(token, self.leeway)
        return token, token.expires_at - margin, token.expires_at

    def change_leeway(self, leeway: float | None) -> None:
        """Have the current token become stale by another `leeway`, in seconds."""
        self.leeway = leeway
        self._times = self._times_of(self.token)
        self.drop_fast_path()

    def refuse_change(self, name: str) -> None:
        """Accept that a session changes `name`: a token that a vault keeps is different."""

    def fresh_token(self, now: float) -> OAuthToken | None:
        """Return the token if it is fresh at `now`: the fast path of nearly every request. `decide` does the rest."""
        token, stale_at, _ = self._fast
        return token if now < stale_at else None

    def drop_fast_path(self) -> None:
        """Have every caller `decide`, until the next token is put."""
        self._fast = _NOTHING

    def reject(self, token: OAuthToken) -> bool:
        """Expire the token if it is still this one, because a server rejected it; return whether it was."""
        current = self.token
        if current is None or current.access_token != token.access_token:
            return False
        self.drop_fast_path()
        self.rejected = token.access_token  # a mark, not another token: one that is put at this moment is not lost
        return True

    def renewable(self) -> bool:
        """Return whether another token can be got without user interaction."""
        return self.renewer.renewable(self.token)

    def mark_dead(self, token: OAuthToken | None, refused: ServerError | InvalidResponse) -> None:
        """Note that the server `refused` the grant of `token`, unless another token has been put meanwhile."""
        if self.token is token:
            self.dead = DeadGrant.of(token, refused)

    def dead_grant_of(self, token: OAuthToken | None) -> DeadGrant | None:
        """Return the `DeadGrant` of `token`, or None if the server has not rejected its grant."""
        dead = self.dead
        return dead if dead is not None and dead.is_of(token) else None

    def decide(self, now: float) -> tuple[int, OAuthToken | None, Decision]:
        """Return the generation, the token and the decision of a caller at `now` (seconds since the epoch).

        All three are of one moment, whatever other threads put meanwhile. Raises `MissingTokenError` without a token,
        `TokenExpiredError` for an expired one that cannot be renewed, `InvalidGrant` for one whose grant is dead, and
        during a pause a copy of the last failure. A token that cannot be renewed is used until it really expires.
        """
        while True:
            seen, times = self.attempts.generation, self._times
            decision = self._decided(times, now)
            if self._times is times:
                return seen, times[0], decision

    def _decided(self, times: tuple[OAuthToken | None, float, float], now: float) -> Decision:
        token, stale_at, expires_at = times
        rejected = token is None or (self.rejected is not None and token.access_token == self.rejected)
        if not rejected and now < stale_at:
            return Decision.USE
        usable = not rejected and now < expires_at
        if self.renewer.renewable(token):
            dead = self.dead
            if dead is not None and dead.is_of(token) and not self.renewer.repeatable():
                if usable:
                    return Decision.USE
                raise dead.error()
            pausing = self.attempts.is_pausing(now)
            if usable:
                return Decision.USE if pausing else Decision.RENEW_IF_FREE
            if pausing:
                self.attempts.raise_paused()
            return Decision.RENEW
        if token is None:
            raise MissingTokenError("there is no token yet: call fetch_token() first, or give the session a token=")
        if usable:
            return Decision.USE
        raise TokenExpiredError(
            "the token has expired and cannot be renewed: it needs a refresh_token, or a grant that can be repeated "
            "(client_credentials, password), and a token_endpoint; log in again, or give the session those"
        )

    def renew_or_share(
        self, seen: int, usable: OAuthToken | None = None, renew: Renew | None = None
    ) -> Flow[OAuthToken]:
        """Renew the token for a caller that noted the generation `seen` and has the lock, or waited for it.

        `usable` is a token that may still be sent: it is returned if the server cannot be reached. `renew` replaces the
        renewer, this once. A token that is put meanwhile stays, and the caller gets it. Raises the error of the
        attempt: the caller's own, or a copy of the one that ended while it waited.
        """
        attempts = self.attempts
        if attempts.generation != seen:
            attempts.raise_shared()
            return self._put_meanwhile()
        token, rejected, rejections = self._times[0], self.rejected, self.rejections
        try:
            renewed = yield from (renew or self.renewer.renew)(token)
        except OAuthError as error:  # any other, such as a time limit of the caller's own, says nothing to the waiters
            attempts.fail(error, shared=self.is_current(token))
            if usable is not None and usable.access_token != self.rejected and is_transient(error):
                return usable
            raise
        if self._times[0] is not renewed or attempts.generation == seen:  # else a session has put it already
            if not self.is_current(token):  # a login or a logout meanwhile: the renewed token is an earlier login's
                return renewed if renew is not None else self._put_meanwhile()
            self.put(renewed)
        self.issued = renewed
        if rejected is not None:
            rejections.replaced_by(renewed.access_token)
            self.rejections = rejections
        return renewed

    def is_current(self, token: OAuthToken | None) -> bool:
        """Return whether the slot's token is still `token`, or the same one put again."""
        current = self._times[0]
        if current is token or current is None or token is None:
            return current is token
        if current.access_token != token.access_token:
            return False
        return current.refresh_token == token.refresh_token or (
            self.rotated is not None and token.refresh_token == self.rotated
        )

    def rotate(self, token: OAuthToken, refresh_token: Secret) -> None:
        """Keep the refresh token that replaced that of `token`, if that is still the slot's.

        For a renewal that failed after the server had rotated the refresh token: the attempt is not a success.
        """
        if self.is_current(token) and self.token is not None:
            self.rotated = token.refresh_token
            self._times = self._times_of(self.token.with_refresh_token(refresh_token))
            self.drop_fast_path()

    def _put_meanwhile(self) -> OAuthToken:
        if (theirs := self.token) is not None:  # looked at after `generation`, which put() changes last
            return theirs
        raise MissingTokenError("the token was taken away while it was being renewed: call fetch_token() again")

    def is_good(self, token: OAuthToken, now: float) -> bool:
        """Return whether `token` may still be sent at `now`."""
        rejected = self.rejected is not None and token.access_token == self.rejected
        return not rejected and (token.expires_at is None or now < token.expires_at)

"""The token that many callers share, and the decision of each caller: use it, renew it, or wait. Pure: no lock, no
clock.

Theory of operation. A token is fresh, stale (inside the margin before its expiry) or expired. A caller uses a fresh
token. It renews a stale token if the lock is free, and uses it otherwise. A caller that finds no usable token notes the
`generation` of the slot and waits for the lock. If an attempt has ended during the wait, its outcome is this caller's
outcome too: the token of that attempt, or a copy of its error. Only callers that waited share an outcome. A later
caller notes the new generation and makes an attempt of its own. A canceled attempt does not count, so the next waiter
makes another attempt.

A grant that the server rejected is not a failed attempt but a lasting state. The slot keeps it (`DeadGrant`) until
another token is set, and a caller that would send it again gets the server's error without a request.
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

    A `leeway` longer than half the token's lifetime counts as that half. A token without a known expiry is fresh.
    """
    expires_at = inf if token.expires_at is None else token.expires_at
    if now < expires_at - capped_margin(token, leeway):
        return Freshness.FRESH
    return Freshness.STALE if now < expires_at else Freshness.EXPIRED


def capped_margin(token: OAuthToken, leeway: float | None) -> float:
    """Return how many seconds before its expiry `token` becomes stale: min(`leeway`, lifetime / 2).

    Without this limit, a `leeway` that is not shorter than the lifetime would make every call a token request.
    """
    lifetime = token.lifetime
    return token.margin(leeway) if leeway is None or lifetime is None else min(leeway, lifetime / 2)


def warn_of_leeway(token: OAuthToken | None, leeway: float | None) -> bool:
    """Warn if `leeway` is not shorter than the lifetime of `token`. Return whether the warning was issued."""
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
        """Return whether the initial grant can be sent again after the server has rejected the refresh token."""
        ...


class Slot:
    """One token, kept in this process, and the attempts to renew it. Not thread-safe by itself.

    renewer: requests the next token.
    leeway: seconds before expiry from which the token is stale; None means the default.
    backoff: the pauses after failures, see `Attempts`; None means no pauses.
    random: returns 0…1. With it, each token gets a random share of the default margin, from half to all of it, so that
        many sources that started together do not renew at the same moment.
    caps_leeway: True to limit `leeway` to half of the token's lifetime.

    The owner of the slot sets `observer`.
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
        # The token, the time when it becomes stale, and its expiry: one value, so that threads read a consistent state.
        self._times: tuple[OAuthToken | None, float, float] = _NOTHING
        self._fast = self._times  # the same value while a fresh token needs no decision, else `_NOTHING`

    @property
    def token(self) -> OAuthToken | None:
        """The current token, fresh or not."""
        return self._times[0]

    @property
    def generation(self) -> int:
        """The number of attempts that ended and of tokens that were set."""
        return self.attempts.generation

    def set_token(self, token: OAuthToken | None) -> None:
        """Set the token. Callers that wait for the lock get this one."""
        random = self.attempts.random
        share = 1.0
        try:
            share = share if random is None else 0.5 + drawn(random(), "what random returns") / 2
        finally:  # if the user's `random` raises, the token must not be lost: its predecessor may no longer be valid
            self.margin_share = share
            unproven = self.rejections.unproven
            if token is None or unproven is None or token.access_token != unproven:
                self.rejections = ApiRejections()
            self._times = self._fast = self._times_of(token)
            self.rejected = self.dead = self.rotated = self.issued = None
            self.attempts.record_new_token()
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
        """Set another `leeway` in seconds, also for the current token."""
        self.leeway = leeway
        self._times = self._times_of(self.token)
        self.drop_fast_path()

    def refuse_change(self, name: str) -> None:
        """Do nothing: a session may change its option `name`. The token state of a vault raises an error instead."""

    def fresh_token(self, now: float) -> OAuthToken | None:
        """Return the token if it is fresh at `now`, else None. This is the fast path of nearly every request."""
        token, stale_at, _ = self._fast
        return token if now < stale_at else None

    def drop_fast_path(self) -> None:
        """Make every caller call `decide`, until the next token is set."""
        self._fast = _NOTHING

    def reject(self, token: OAuthToken) -> bool:
        """Expire `token`, because a server rejected it. Return False if it is not the current token."""
        current = self.token
        if current is None or current.access_token != token.access_token:
            return False
        self.drop_fast_path()
        self.rejected = token.access_token  # only a mark: so a token that another thread sets now is not lost
        return True

    def renewable(self) -> bool:
        """Return whether another token can be obtained without user interaction."""
        return self.renewer.renewable(self.token)

    def mark_dead(self, token: OAuthToken | None, refused: ServerError | InvalidResponse) -> None:
        """Record that the server rejected the grant of `token` with the error `refused`, if it is the current one."""
        if self.token is token:
            self.dead = DeadGrant.of(token, refused)

    def dead_grant_of(self, token: OAuthToken | None) -> DeadGrant | None:
        """Return the `DeadGrant` of `token`, or None if the server has not rejected its grant."""
        dead = self.dead
        return dead if dead is not None and dead.is_of(token) else None

    def decide(self, now: float) -> tuple[int, OAuthToken | None, Decision]:
        """Return the generation, the token and the decision of a caller at `now` (seconds since the epoch).

        The three are consistent even if other threads set a token meanwhile. A token that cannot be renewed is used
        until its expiry. Raises `MissingTokenError` without a token, `TokenExpiredError` for an expired token that
        cannot be renewed, the server's error (for instance `InvalidGrant`) for a dead grant, and during a pause a copy
        of the last error.
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
            "the token has expired and cannot be renewed: that needs a token_endpoint, and a refresh_token or a grant "
            "that can be repeated (client_credentials, password); log in again, or give the session those"
        )

    def renew_or_share(
        self, seen: int, usable: OAuthToken | None = None, renew: Renew | None = None
    ) -> Flow[OAuthToken]:
        """Renew the token, or share the outcome of an attempt that ended since the generation `seen`.

        seen: the generation that the caller noted before it acquired the lock or waited for it.
        usable: a token that may still be sent. It is returned if the renewal fails with a transient error.
        renew: the renewal function to use instead of the renewer, for this call only.

        A token that is set meanwhile is kept, and returned to the caller. Raises the error of the caller's own attempt,
        or a copy of the error of the attempt that ended while it waited.
        """
        attempts = self.attempts
        if attempts.generation != seen:
            attempts.raise_shared()
            return self._token_set_meanwhile()
        token, rejected, rejections = self._times[0], self.rejected, self.rejections
        try:
            renewed = yield from (renew or self.renewer.renew)(token)
        except OAuthError as error:  # any other error, such as a time limit of the caller, is not shared with waiters
            attempts.fail(error, shared=self.is_current(token))
            if usable is not None and usable.access_token != self.rejected and is_transient(error):
                return usable
            raise
        if self._times[0] is not renewed or attempts.generation == seen:  # else a session has set it already
            if not self.is_current(token):  # a login or logout meanwhile: the renewed token belongs to an earlier login
                return renewed if renew is not None else self._token_set_meanwhile()
            self.set_token(renewed)
        self.issued = renewed
        if rejected is not None:
            rejections.replaced_by(renewed.access_token)
            self.rejections = rejections
        return renewed

    def is_current(self, token: OAuthToken | None) -> bool:
        """Return whether the slot's token is still `token`, or an equal one that was set again."""
        current = self._times[0]
        if current is token or current is None or token is None:
            return current is token
        if current.access_token != token.access_token:
            return False
        return current.refresh_token == token.refresh_token or (
            self.rotated is not None and token.refresh_token == self.rotated
        )

    def rotate(self, token: OAuthToken, refresh_token: Secret) -> None:
        """Replace the refresh token of `token`, if `token` is still the slot's token.

        For a renewal that failed after the server had rotated the refresh token. The attempt still counts as failed.
        """
        if self.is_current(token) and self.token is not None:
            self.rotated = token.refresh_token
            self._times = self._times_of(self.token.with_refresh_token(refresh_token))
            self.drop_fast_path()

    def _token_set_meanwhile(self) -> OAuthToken:
        if (theirs := self.token) is not None:  # read after `generation`, which set_token() changes last
            return theirs
        raise MissingTokenError("the token was removed while it was being renewed: call fetch_token() again")

    def is_usable(self, token: OAuthToken, now: float) -> bool:
        """Return whether `token` may still be sent at `now`."""
        rejected = self.rejected is not None and token.access_token == self.rejected
        return not rejected and (token.expires_at is None or now < token.expires_at)

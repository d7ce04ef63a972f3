"""When a token is renewed, how, and what those who waited are told. Pure: locks and clocks belong to the sources.

Theory of operation. A token is fresh, stale (inside the margin before its expiry) or expired. `Slot` is the memory of
one single flight: the token, what the last attempt came to, and how many attempts there were. Whoever wants a token
notes `attempts`, and queues for the lock of the slot's owner unless the token is fresh; once inside, an attempt that
ended meanwhile is that caller's outcome too: its token, or a copy of its error. Only callers that queued share it:
those who come later note the new count, and try again. A cancelled attempt counts as none, so the next in line leads.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum

from doorkey.errors import OAuthError
from doorkey.protocol.flow import Flow
from doorkey.tokens import OAuthToken


class Freshness(Enum):
    """What may be done with a token now."""

    FRESH = "use it"
    STALE = "use it, but somebody should renew it"
    EXPIRED = "never send it"


def freshness(token: OAuthToken, now: float, leeway: float | None = None) -> Freshness:
    """Return how fresh `token` is at `now` (seconds since the epoch); `leeway` is in seconds, None for the default.

    A token of unknown lifetime is fresh: only the server can tell.
    """
    if token.expires_at is None or now < token.expires_at - token.margin(leeway):
        return Freshness.FRESH
    return Freshness.STALE if now < token.expires_at else Freshness.EXPIRED


class Slot:
    """One token that many share, and the outcome of the last attempt to renew it. Not thread-safe by itself.

    `renew(token)` is the flow that brings the next token, and has saved it before it returns.
    """

    __slots__ = ("attempts", "error", "renew", "token")

    def __init__(self, renew: Callable[[OAuthToken], Flow[OAuthToken]], token: OAuthToken | None = None) -> None:
        self.renew = renew
        self.token = token
        self.attempts = 0
        self.error: OAuthError | None = None

    def put(self, token: OAuthToken | None) -> None:
        """Replace the token from outside; who queued for the old one is content with this one."""
        self.token, self.error = token, None
        self.attempts += 1

    def fill(self, seen: int) -> Flow[OAuthToken]:
        """Renew the token for a caller that noted `seen` attempts and now holds the lock.

        Raises the error of the attempt: the caller's own, or a copy of the one that ended while it queued.
        """
        token = self.token
        if self.attempts != seen:
            if self.error is not None:
                raise self.error.for_waiter()
            if token is not None:
                return token
        assert token is not None, "only a token that exists is renewed"
        try:
            renewed = yield from self.renew(token)
        except OAuthError as error:
            self.error = error.for_waiter()
            self.attempts += 1
            raise
        self.put(renewed)
        return renewed

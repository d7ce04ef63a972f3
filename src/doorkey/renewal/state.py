"""The protocol between a single flight and the state of a token. Pure."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from enum import Enum
from typing import Protocol, TypeAlias

from doorkey.arguments import instance
from doorkey.errors import InvalidResponse, ServerError
from doorkey.renewal.api_rejections import ApiRejections
from doorkey.renewal.attempts import Attempts
from doorkey.renewal.dead_grant import DeadGrant
from doorkey.tokens import OAuthToken
from doorkey.values import Secret
from doorkey.wire.flow import Flow

__all__: list[str] = []

Renew: TypeAlias = Callable[[OAuthToken | None], Flow[OAuthToken]]
"""Returns the flow whose result replaces the given token (None: there is no token yet)."""


class Decision(Enum):
    """The next step of a caller that needs the token."""

    USE = "use the token that is there"
    RENEW_IF_FREE = "renew it if the lock is free, else use the token that is there"
    RENEW = "renew it, or wait for the caller that renews it"


class SlotObserver(Protocol):
    """The observer that gets the events of one token; see `doorkey.observe`."""

    def waiting(self) -> AbstractContextManager[None]:
        """Return the context manager in which a caller waits for another caller's attempt. It reports the duration."""
        ...

    def rejected(self) -> None:
        """Report that a server rejected the token."""
        ...


class TokenState(Protocol):
    """One token that many callers share: a `Slot` in this process, or one key of a vault."""

    attempts: Attempts
    observer: SlotObserver | None
    rejections: ApiRejections
    dead: DeadGrant | None
    issued: OAuthToken | None
    """The current token if it is the result of a renewal, and was not set in another way."""

    @property
    def token(self) -> OAuthToken | None:
        """The current token, fresh or not."""
        ...

    @property
    def rejected(self) -> Secret | None:
        """The access token that a server rejected last, or None if another token was set since."""
        ...

    def set_token(self, token: OAuthToken | None) -> None:
        """Set the token. Callers that wait for the lock get this one."""
        ...

    def fresh_token(self, now: float) -> OAuthToken | None:
        """Return the token if it is fresh at `now`, else None: the fast path, without a decision."""
        ...

    def drop_fast_path(self) -> None:
        """Make every caller call `decide`, until the next token is set."""
        ...

    def decide(self, now: float) -> tuple[int, OAuthToken | None, Decision]:
        """Return the generation, the token and the decision of a caller at `now`, in seconds since the epoch."""
        ...

    def renew_or_share(
        self, seen: int, usable: OAuthToken | None = None, renew: Renew | None = None
    ) -> Flow[OAuthToken]:
        """Renew the token, or return the outcome of the attempt that ended since the generation `seen`."""
        ...

    def is_usable(self, token: OAuthToken, now: float) -> bool:
        """Return whether `token` may still be sent at `now`."""
        ...

    def reject(self, token: OAuthToken) -> bool:
        """Expire `token`, because a server rejected it. Return False if it is not the current token."""
        ...

    def renewable(self) -> bool:
        """Return whether another token can be obtained without user interaction."""
        ...

    def is_current(self, token: OAuthToken | None) -> bool:
        """Return whether the current token is still `token`."""
        ...

    def mark_dead(self, token: OAuthToken | None, refused: ServerError | InvalidResponse) -> None:
        """Record that the server rejected the grant of `token` with the error `refused`."""
        ...

    def dead_grant_of(self, token: OAuthToken | None) -> DeadGrant | None:
        """Return the `DeadGrant` of `token`, or None if the server has not rejected its grant."""
        ...

    def change_leeway(self, leeway: float | None) -> None:
        """Set another `leeway` in seconds, also for the current token."""
        ...

    def refuse_change(self, name: str) -> None:
        """Raise `UsageError` if a session may not change its option `name`, because others share the token."""
        ...


def waiting(state: TokenState) -> AbstractContextManager[None]:
    """Return the context manager in which a caller waits for another caller's attempt."""
    return nullcontext() if state.observer is None else state.observer.waiting()


def reject(state: TokenState, token: OAuthToken) -> bool:
    """Reject `token` at `state`, and report it once, even if several callers reject the same token.

    Return False if it is not the current token. Raises `UsageError` for anything but an `OAuthToken`.
    """
    instance(token, OAuthToken, "the argument of reject() must be an OAuthToken, as token() returned it")
    known = state.rejected == token.access_token
    was_current = state.reject(token)
    if was_current and not known and state.observer is not None:
        state.observer.rejected()
    return was_current

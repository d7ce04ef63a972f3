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
"""A flow that returns the token that replaces the given one (None: there is none yet)."""


class Decision(Enum):
    """The next step of a caller that needs the token."""

    USE = "use the token that is there"
    RENEW_IF_FREE = "renew it if the lock is free, else use the token that is there"
    RENEW = "renew it, or wait for the caller that renews it"


class SlotObserver(Protocol):
    """The observer that gets the events of one token; see `doorkey.observe`."""

    def waiting(self) -> AbstractContextManager[None]:
        """Report how long a caller waited, in the block, for another caller's attempt."""
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
    """The current token if a renewal has brought it, and it was not put in another way."""

    @property
    def token(self) -> OAuthToken | None:
        """The current token, fresh or not."""
        ...

    @property
    def rejected(self) -> Secret | None:
        """The access token that a server rejected last, if no other one was put since."""
        ...

    def put(self, token: OAuthToken | None) -> None:
        """Replace the token; callers that wait for the lock get this one."""
        ...

    def fresh_token(self, now: float) -> OAuthToken | None:
        """Return the token if it is certainly fresh at `now`, without a decision."""
        ...

    def drop_fast_path(self) -> None:
        """Have every caller decide, until the next token is put."""
        ...

    def decide(self, now: float) -> tuple[int, OAuthToken | None, Decision]:
        """Return the generation, the token and the decision of a caller at `now`, in seconds since the epoch."""
        ...

    def renew_or_share(
        self, seen: int, usable: OAuthToken | None = None, renew: Renew | None = None
    ) -> Flow[OAuthToken]:
        """Renew the token, or return the outcome of the attempt that ended since the generation `seen`."""
        ...

    def is_good(self, token: OAuthToken, now: float) -> bool:
        """Return whether `token` may still be sent at `now`."""
        ...

    def reject(self, token: OAuthToken) -> bool:
        """Expire `token` if it is the current one; return whether another one may be had for it."""
        ...

    def renewable(self) -> bool:
        """Return whether another token can be got without user interaction."""
        ...

    def is_current(self, token: OAuthToken | None) -> bool:
        """Return whether the current token is still `token`."""
        ...

    def mark_dead(self, token: OAuthToken | None, refused: ServerError | InvalidResponse) -> None:
        """Note that the server `refused` the grant of `token`."""
        ...

    def dead_grant_of(self, token: OAuthToken | None) -> DeadGrant | None:
        """Return the `DeadGrant` of `token`, or None if the server has not rejected its grant."""
        ...

    def change_leeway(self, leeway: float | None) -> None:
        """Have the token become stale by another `leeway`, in seconds."""
        ...

    def refuse_change(self, name: str) -> None:
        """Raise `UsageError` where a session may not change its option `name`, because others share the token."""
        ...


def waiting(state: TokenState) -> AbstractContextManager[None]:
    """Return the block in which a caller waits for another one's attempt. Raises as `Observer.waiting` does."""
    return nullcontext() if state.observer is None else state.observer.waiting()


def reject(state: TokenState, token: OAuthToken) -> bool:
    """Reject `token` at `state`; report it once, however many callers were refused with the same token.

    Raises `UsageError` for anything but an `OAuthToken`.
    """
    instance(token, OAuthToken, "what is rejected is an OAuthToken, as token() returned it")
    known = state.rejected == token.access_token
    was_current = state.reject(token)
    if was_current and not known and state.observer is not None:
        state.observer.rejected()
    return was_current

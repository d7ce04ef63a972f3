"""Single flight: one renewal for any number of callers, which are threads or tasks that share a `TokenState`.

The lock is held only during the token request and the saving of its outcome, never during an API request.
"""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from functools import partial
from random import random
from typing import Any, Final, Generic, TypeAlias, TypeVar

from doorkey.errors import OAuthError, TokenExpiredError
from doorkey.renewal.attempts import Attempts
from doorkey.renewal.leader_lock import AcquireOrWait, Holder, LeaderLock
from doorkey.renewal.state import Decision, Renew, TokenState, waiting
from doorkey.runtime.deadlock import entered, token_inside
from doorkey.runtime.interrupts import defer_interrupt
from doorkey.runtime.preload import preloaded
from doorkey.runtime.shield import shielded, spawn_detached
from doorkey.tokens import OAuthToken
from doorkey.wire.flow import Flow, arun, run

S = TypeVar("S", bound=TokenState)

_Work: TypeAlias = Coroutine[Any, Any, OAuthToken]


_DEADLOCK: Final = (
    "deadlock: a token was requested during its own renewal (by an update_token callback, a hook, a client "
    "authentication method, or a function that returns an assertion or a token): use the token that update_token "
    "receives, or a session of its own"
)
TRIES: Final = 3
"""Attempts at a token that may be sent, if each time an expired token is set in place of the renewed one."""
_REPLACED: Final = "each time this token is renewed, another caller replaces it by an expired token"
_TIMEOUT: Final = (
    "another caller has been renewing this token for {seconds} s: is its update_token callback stuck, or is a user "
    "still logging in?"
)


def _decide(
    state: TokenState, now: float, lock: LeaderLock, *, blocks: bool
) -> tuple[int, OAuthToken | None, Holder | None]:
    """Return the generation, a token that may be sent at `now` or None, and the holder if this caller renews it early.

    Raises the errors of `TokenState.decide`.
    """
    if (mine := token_inside(state)) is not None:
        return state.attempts.generation, mine, None
    seen, token, decision = state.decide(now)
    if decision is Decision.RENEW:
        return seen, None, None
    return seen, token, lock.try_acquire(blocks=blocks) if decision is Decision.RENEW_IF_FREE else None


def _end(attempts: Attempts, clock: Callable[[], float], leave: Callable[[], None]) -> None:
    """Begin the pause if the attempt failed, and call `leave()`, even if the user's `clock` or `random` raises."""
    try:
        attempts.back_off(clock(), (attempts.random or random)())
    finally:
        attempts.end()
        leave()


def _acquiring(state: TokenState, lock: LeaderLock) -> AcquireOrWait:
    return AcquireOrWait(lock, _DEADLOCK, _TIMEOUT, partial(waiting, state))


class _Once:
    """A renewal function that records whether it was called. If it was, its caller returns the result in any case."""

    def __init__(self, renew: Renew) -> None:
        self._renew, self.has_begun = renew, False

    def __call__(self, token: OAuthToken | None) -> Flow[OAuthToken]:
        self.has_begun = True
        return self._renew(token)


class SingleFlight(Generic[S]):
    """Renews the token of a `TokenState` for threads.

    state: the token and its attempts.
    perform: performs the effects of a renewal.
    clock: returns seconds since the epoch.
    lock: the lock that all flights of this state share; None creates one.
    background: True to renew a token that is still valid in a thread of its own, for which no caller waits.
    """

    def __init__(
        self,
        state: S,
        perform: Callable[[Any], Any],
        clock: Callable[[], float],
        lock: LeaderLock | None = None,
        *,
        background: bool = False,
    ) -> None:
        self.state, self._perform, self._clock = state, perform, clock
        self._lock = lock or LeaderLock()
        self._background = background

    def token(self) -> OAuthToken:
        """Return a token that may be sent now, after a renewal if it is needed. Raises the error of the renewal."""
        state, now = self.state, self._clock()
        if (ready := state.fresh_token(now)) is not None:
            return ready
        for _ in range(TRIES):
            seen, token, holder = _decide(state, now, self._lock, blocks=True)
            if token is None:
                outcome = self._outcome(seen, None)
            elif holder is None:
                return token
            elif self._background:
                self._start(holder, seen, token)
                return token
            else:
                outcome = self._renew(holder, state.renew_or_share(seen, token))
            if outcome is state.issued and outcome is not token:
                return outcome  # just issued, so it is returned even if the local clock is wrong
            now = self._clock()
            if state.is_usable(outcome, now):  # a token that was set meanwhile may have expired long ago
                return outcome
        raise TokenExpiredError(_REPLACED)

    def renewed(self, renew: Renew) -> OAuthToken:
        """Return the token of `renew`, or that of the renewal in progress. Raises the error of that renewal."""
        once = _Once(renew)
        for _ in range(TRIES):
            outcome = self._outcome(self.state.attempts.generation, once)
            if once.has_begun or outcome is self.state.issued or self.state.is_usable(outcome, self._clock()):
                return outcome
        raise TokenExpiredError(_REPLACED)

    def _outcome(self, seen: int, renew: Renew | None) -> OAuthToken:
        renewal = self.state.renew_or_share(seen, renew=renew)
        holder = self._acquired(seen)
        return run(renewal, self._perform) if holder is None else self._renew(holder, renewal)

    def _renew(self, holder: Holder, renewal: Flow[OAuthToken]) -> OAuthToken:
        try:
            with defer_interrupt():
                return run(entered(self._lock, renewal), self._perform)
        finally:
            _end(self.state.attempts, self._clock, partial(self._lock.release, holder))

    def _start(self, holder: Holder, seen: int, token: OAuthToken) -> None:
        given = (holder, seen, token)
        thread = threading.Thread(target=self._renew_in_background, args=given, name="doorkey-renewal", daemon=True)
        holder.hand_to(thread)
        try:
            thread.start()
        except RuntimeError:  # no more threads, or the interpreter is ending; the token is still valid
            self._lock.release(holder)

    def _renew_in_background(self, holder: Holder, seen: int, token: OAuthToken) -> None:
        with suppress(OAuthError):  # the state keeps it for callers that need a token
            self._renew(holder, self.state.renew_or_share(seen, token))

    def _acquired(self, seen: int) -> Holder | None:
        """Return the holder if this caller has acquired the lock, or None once another caller's attempt has ended."""
        acquiring = _acquiring(self.state, self._lock)
        while self.state.attempts.generation == seen:
            if (holder := acquiring.acquire_or_wait()) is not None:
                return holder
        return None


class AsyncSingleFlight(Generic[S]):
    """Renews the token of a `TokenState` for tasks, which may run on several event loops in several threads.

    background: True to renew a token that is still valid in a task of its own, for which no caller waits.

    The other parameters are those of `SingleFlight`.
    """

    def __init__(
        self,
        state: S,
        perform: Callable[[Any], Awaitable[Any]],
        clock: Callable[[], float],
        lock: LeaderLock | None = None,
        *,
        background: bool = False,
    ) -> None:
        self.state, self._perform, self._clock = state, perform, clock
        self._lock = lock or LeaderLock()
        self._background = background

    async def token(self) -> OAuthToken:
        """Return a token that may be sent now, after a renewal if it is needed. Raises the error of the renewal."""
        now = self._clock()
        return self.state.fresh_token(now) or await self._token(now)

    def _at_once(self) -> OAuthToken | Awaitable[OAuthToken]:
        """Return the token if it is fresh, else an awaitable of it: most tokens are fresh, and an await takes time."""
        now = self._clock()
        return self.state.fresh_token(now) or self._token(now)

    async def _token(self, now: float) -> OAuthToken:
        state = self.state
        for _ in range(TRIES):
            seen, token, holder = _decide(state, now, self._lock, blocks=False)
            if token is None:
                outcome = await self._outcome(seen, None)
            elif holder is None:
                return token
            elif self._background:
                spawn_detached(*self._work_of(holder, state.renew_or_share(seen, token)))
                return token
            else:
                outcome = await self._renew(holder, state.renew_or_share(seen, token))
            if outcome is state.issued and outcome is not token:
                return outcome  # just issued, so it is returned even if the local clock is wrong
            now = self._clock()
            if state.is_usable(outcome, now):  # a token that was set meanwhile may have expired long ago
                return outcome
        raise TokenExpiredError(_REPLACED)

    async def renewed(self, renew: Renew) -> OAuthToken:
        """Return the token of `renew`, or that of the renewal in progress. Raises the error of that renewal."""
        once = _Once(renew)
        for _ in range(TRIES):
            outcome = await self._outcome(self.state.attempts.generation, once)
            if once.has_begun or outcome is self.state.issued or self.state.is_usable(outcome, self._clock()):
                return outcome
        raise TokenExpiredError(_REPLACED)

    async def _outcome(self, seen: int, renew: Renew | None) -> OAuthToken:
        await preloaded()
        renewal = self.state.renew_or_share(seen, renew=renew)
        holder = await self._acquired(seen)
        return await arun(renewal, self._perform) if holder is None else await self._renew(holder, renewal)

    async def _renew(self, holder: Holder, renewal: Flow[OAuthToken]) -> OAuthToken:
        return await shielded(*self._work_of(holder, renewal))

    def _work_of(self, holder: Holder, renewal: Flow[OAuthToken]) -> tuple[Callable[[], _Work], Callable[[], None]]:
        """Return the function that creates the holder's coroutine, and the function to call when that ends."""
        leave = partial(self._lock.release, holder)
        return lambda: self._run_renewal(renewal), partial(_end, self.state.attempts, self._clock, leave)

    async def _run_renewal(self, renewal: Flow[OAuthToken]) -> OAuthToken:
        await preloaded()
        return await arun(entered(self._lock, renewal), self._perform)

    async def _acquired(self, seen: int) -> Holder | None:
        """Return the holder if this caller has acquired the lock, or None once another caller's attempt has ended."""
        acquiring = _acquiring(self.state, self._lock)
        while self.state.attempts.generation == seen:
            if (holder := await acquiring.acquire_or_wait_async()) is not None:
                return holder
        return None

"""One renewal for any number of callers: the same `Slot` behind a thread's wait or a task's.

The lead is held for the token exchange and the saving of its outcome, and for nothing else: never across anybody's
request to an API.
"""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from doorkey.errors import TransportError
from doorkey.gate import Gate, waker_of
from doorkey.protocol.flow import Effect, Flow, arun, run
from doorkey.protocol.renewal import Slot, Wanted
from doorkey.shield import shielded
from doorkey.tokens import OAuthToken

PATIENCE = 120.0
"""Seconds somebody waits for a renewal that another leads, before giving up with an error rather than never."""

_saving: ContextVar[tuple[Slot, OAuthToken] | None] = ContextVar("doorkey_saving", default=None)


@dataclass(frozen=True, slots=True)
class Renewed(Effect[OAuthToken]):
    """Ask for the outcome of a renewal by `renew`, or of the one that is under way."""

    renew: Callable[[OAuthToken], Flow[OAuthToken]]


@dataclass(frozen=True, slots=True)
class Active(Effect[OAuthToken]):
    """Ask for a token that may be sent now."""


def saving(slot: Slot, token: OAuthToken, save: Flow[None]) -> Flow[None]:
    """Run `save`; meanwhile whoever saves may use `token`, or a callback that calls an API would wait for itself."""
    mark = _saving.set((slot, token))
    try:
        yield from save
    finally:
        _saving.reset(mark)


def _being_saved(slot: Slot) -> OAuthToken | None:
    current = _saving.get()
    return current[1] if current is not None and current[0] is slot else None


def _gave_up() -> TransportError:
    return TransportError(
        f"another caller has been renewing this token for {PATIENCE:.0f} s and is not done; "
        "is its update_token callback stuck?",
        retryable=True,
    )


class SingleFlight:
    """Keeps the token of a `Slot` fresh for threads."""

    def __init__(self, slot: Slot, perform: Callable[[Any], Any], clock: Callable[[], float]) -> None:
        self._slot, self._perform, self._clock = slot, perform, clock
        self._gate = Gate()

    def token(self) -> OAuthToken:
        """Return a token that may be sent now, renewed if need be. Raises the renewal's error."""
        slot = self._slot
        mine = _being_saved(slot)
        if mine is not None:
            return mine
        seen, token = slot.attempts, slot.token
        wanted = slot.wanted(self._clock())
        if token is not None and (wanted is Wanted.USE or (wanted is Wanted.TRY and not self._gate.enter())):
            return token
        meanwhile = token if wanted is Wanted.TRY else None
        leads = wanted is Wanted.TRY or self._wait_to_lead(seen)
        try:
            return run(slot.fill(seen, meanwhile), self._perform)
        finally:
            if leads:
                self._gate.leave()

    def renewed(self, renew: Callable[[OAuthToken], Flow[OAuthToken]]) -> OAuthToken:
        """Return what `renew` brings, or what the renewal brings that is under way. Raises its error."""
        seen = self._slot.attempts
        leads = self._wait_to_lead(seen)
        try:
            return run(self._slot.fill(seen, renew=renew), self._perform)
        finally:
            if leads:
                self._gate.leave()

    def _wait_to_lead(self, seen: int) -> bool:
        """Return True once this caller leads, False once somebody else's attempt has ended."""
        while self._slot.attempts == seen:
            woken = threading.Event()
            if self._gate.enter(woken.set):
                return True
            if not woken.wait(PATIENCE):
                raise _gave_up()
        return False


class AsyncSingleFlight:
    """Keeps the token of a `Slot` fresh for tasks, of one event loop or of several in several threads."""

    def __init__(self, slot: Slot, perform: Callable[[Any], Awaitable[Any]], clock: Callable[[], float]) -> None:
        self._slot, self._perform, self._clock = slot, perform, clock
        self._gate = Gate()

    async def token(self) -> OAuthToken:
        """Return a token that may be sent now, renewed if need be. Raises the renewal's error."""
        slot = self._slot
        mine = _being_saved(slot)
        if mine is not None:
            return mine
        seen, token = slot.attempts, slot.token
        wanted = slot.wanted(self._clock())
        if token is not None and (wanted is Wanted.USE or (wanted is Wanted.TRY and not self._gate.enter())):
            return token
        meanwhile = token if wanted is Wanted.TRY else None
        leads = wanted is Wanted.TRY or await self._wait_to_lead(seen)
        if leads:
            return await shielded(lambda: arun(slot.fill(seen, meanwhile), self._perform), self._gate.leave)
        return await arun(slot.fill(seen), self._perform)

    async def renewed(self, renew: Callable[[OAuthToken], Flow[OAuthToken]]) -> OAuthToken:
        """Return what `renew` brings, or what the renewal brings that is under way. Raises its error."""
        seen, slot = self._slot.attempts, self._slot
        if await self._wait_to_lead(seen):
            return await shielded(lambda: arun(slot.fill(seen, renew=renew), self._perform), self._gate.leave)
        return await arun(slot.fill(seen, renew=renew), self._perform)

    async def _wait_to_lead(self, seen: int) -> bool:
        """Return True once this caller leads, False once somebody else's attempt has ended."""
        import anyio

        while self._slot.attempts == seen:
            woken = anyio.Event()
            if self._gate.enter(waker_of(woken)):
                return True
            with anyio.move_on_after(PATIENCE) as scope:
                await woken.wait()
            if scope.cancelled_caught:
                raise _gave_up()
        return False

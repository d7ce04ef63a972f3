"""One renewal for any number of callers: the same `Slot` behind a thread's wait or a task's.

The lead is held for the token exchange and the saving of its outcome, and for nothing else: never across anybody's
request to an API.
"""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from random import random
from typing import Any, Final, Generic, TypeAlias, TypeVar

from doorkey.errors import OAuthError, TransportError
from doorkey.renewal.gate import Gate, Lead
from doorkey.renewal.slot import Slot, Wanted, waiting
from doorkey.renewal.turns import PATIENCE, awaited, waited
from doorkey.runtime.deadline import defer_interrupt
from doorkey.runtime.loops import waker_of
from doorkey.runtime.preload import ready
from doorkey.runtime.reentrancy import inside, token_inside
from doorkey.runtime.shield import shielded, spawn_detached
from doorkey.tokens import OAuthToken
from doorkey.wire.flow import Effect, Flow, arun, run

Renew: TypeAlias = Callable[[OAuthToken | None], Flow[OAuthToken]]
S = TypeVar("S", bound=Slot)

_Work: TypeAlias = Coroutine[Any, Any, OAuthToken]


_FROM_WITHIN: Final = (
    "a token was asked for from within its own renewal (an update_token callback, a hook, a client authentication "
    "method, or a function that gives an assertion or a token), which would wait for itself: use the token that "
    "update_token is given, or a session of its own"
)


@dataclass(frozen=True, slots=True)
class Renewed(Effect[OAuthToken]):
    """Ask for the outcome of a renewal by `renew`, or of the one that is under way."""

    renew: Renew


@dataclass(frozen=True, slots=True)
class Active(Effect[OAuthToken]):
    """Ask for a token that may be sent now."""


def saving(slot: Slot, token: OAuthToken, save: Flow[None]) -> Flow[None]:
    """Run `save`; meanwhile whoever saves may use `token`, or a callback that calls an API would wait for itself."""
    slot.drop_fast_path()  # whoever saves is to find the new token, not one at hand
    yield from inside(slot, save, token)


def _found(slot: Slot, now: float, gate: Gate, *, blocks: bool) -> tuple[int, OAuthToken | None, Lead | None]:
    """Return the number of attempts, a token that may be sent at `now` if there is one, and the lead if this caller is
    to renew it early. Raises what `Slot.wanted` does."""
    if (mine := token_inside(slot)) is not None:
        return slot.attempts, mine, None
    seen, token, wanted = slot.look(now)
    if wanted is Wanted.RENEW:
        return seen, None, None
    return seen, token, gate.enter(blocks=blocks) if token is not None and wanted is Wanted.TRY else None


def _end(slot: Slot, clock: Callable[[], float], leave: Callable[[], None]) -> None:
    """Begin the pause after an attempt that failed, and leave: also where a callable of the user's own raises."""
    try:
        slot.back_off(clock(), (slot.chance or random)())
    finally:
        slot.go_on()
        leave()


def _gave_up() -> TransportError:
    return TransportError(
        f"another caller has been renewing this token for {PATIENCE:.0f} s and is not done; "
        "is its update_token callback stuck?",
        retryable=True,
    )


class SingleFlight(Generic[S]):
    """Keeps the token of a `Slot` fresh for threads.

    `gate` is shared with whoever else renews the same slot. With `background`, a token that is still good is renewed
    by a thread of its own, and nobody waits for that.
    """

    def __init__(
        self,
        slot: S,
        perform: Callable[[Any], Any],
        clock: Callable[[], float],
        gate: Gate | None = None,
        *,
        background: bool = False,
    ) -> None:
        self.slot, self._perform, self._clock = slot, perform, clock
        self._gate = gate or Gate()
        self._background = background

    def token(self) -> OAuthToken:
        """Return a token that may be sent now, renewed if need be. Raises the renewal's error."""
        slot, now = self.slot, self._clock()
        if (ready := slot.fresh_token(now)) is not None:
            return ready
        seen, token, lead = _found(slot, now, self._gate, blocks=True)
        if token is None:
            return self._outcome(seen, None)
        if lead is None:
            return token
        if self._background:
            self._start(lead, seen, token)
            return token
        return self._lead(lead, slot.fill(seen, token))

    def renewed(self, renew: Renew) -> OAuthToken:
        """Return what `renew` brings, or what the renewal brings that is under way. Raises its error."""
        return self._outcome(self.slot.attempts, renew)

    def _outcome(self, seen: int, renew: Renew | None) -> OAuthToken:
        filling = self.slot.fill(seen, renew=renew)
        lead = self._wait_to_lead(seen)
        return run(filling, self._perform) if lead is None else self._lead(lead, filling)

    def _lead(self, lead: Lead, filling: Flow[OAuthToken]) -> OAuthToken:
        try:
            with defer_interrupt():
                return run(inside(self._gate, filling), self._perform)
        finally:
            _end(self.slot, self._clock, partial(self._gate.leave, lead))

    def _start(self, lead: Lead, seen: int, token: OAuthToken) -> None:
        given = (lead, seen, token)
        thread = threading.Thread(target=self._lead_unseen, args=given, name="doorkey-renewal", daemon=True)
        lead.hand_to(thread)
        try:
            thread.start()
        except RuntimeError:  # no more threads, or the interpreter is ending: the token is good, another caller may try
            self._gate.leave(lead)

    def _lead_unseen(self, lead: Lead, seen: int, token: OAuthToken) -> None:
        with suppress(OAuthError):  # the slot remembers it, and whoever needs a token is told
            self._lead(lead, self.slot.fill(seen, token))

    def _wait_to_lead(self, seen: int) -> Lead | None:
        """Return the lead once this caller has it, None once somebody else's attempt has ended."""
        self._gate.refuse_inside(_FROM_WITHIN)
        while self.slot.attempts == seen:
            woken = threading.Event()
            if (lead := self._gate.enter(woken.set, blocks=True)) is not None:
                return lead
            with waiting(self.slot):
                if not waited(self._gate, woken, PATIENCE):
                    raise _gave_up()
        return None


class AsyncSingleFlight(Generic[S]):
    """Keeps the token of a `Slot` fresh for tasks, of one event loop or of several in several threads.

    `gate` and `background` are as for `SingleFlight`, with a task in place of a thread.
    """

    def __init__(
        self,
        slot: S,
        perform: Callable[[Any], Awaitable[Any]],
        clock: Callable[[], float],
        gate: Gate | None = None,
        *,
        background: bool = False,
    ) -> None:
        self.slot, self._perform, self._clock = slot, perform, clock
        self._gate = gate or Gate()
        self._background = background

    async def token(self) -> OAuthToken:
        """Return a token that may be sent now, renewed if need be. Raises the renewal's error."""
        now = self._clock()
        return self.slot.fresh_token(now) or await self._token(now)

    def _at_once(self) -> OAuthToken | Awaitable[OAuthToken]:
        """Return what `token` returns: itself where it is fresh, as most are and awaiting costs; else to be awaited."""
        now = self._clock()
        return self.slot.fresh_token(now) or self._token(now)

    async def _token(self, now: float) -> OAuthToken:
        slot = self.slot
        seen, token, lead = _found(slot, now, self._gate, blocks=False)
        if token is None:
            return await self._outcome(seen, None)
        if lead is None:
            return token
        if self._background:
            spawn_detached(*self._led(lead, slot.fill(seen, token)))
            return token
        return await self._lead(lead, slot.fill(seen, token))

    async def renewed(self, renew: Renew) -> OAuthToken:
        """Return what `renew` brings, or what the renewal brings that is under way. Raises its error."""
        return await self._outcome(self.slot.attempts, renew)

    async def _outcome(self, seen: int, renew: Renew | None) -> OAuthToken:
        await ready()
        filling = self.slot.fill(seen, renew=renew)
        lead = await self._wait_to_lead(seen)
        return await arun(filling, self._perform) if lead is None else await self._lead(lead, filling)

    async def _lead(self, lead: Lead, filling: Flow[OAuthToken]) -> OAuthToken:
        return await shielded(*self._led(lead, filling))

    def _led(self, lead: Lead, filling: Flow[OAuthToken]) -> tuple[Callable[[], _Work], Callable[[], None]]:
        """Return the work of whoever leads, and what is to be done when it ends."""
        leave = partial(self._gate.leave, lead)
        return lambda: self._filled(filling), partial(_end, self.slot, self._clock, leave)

    async def _filled(self, filling: Flow[OAuthToken]) -> OAuthToken:
        await ready()
        return await arun(inside(self._gate, filling), self._perform)

    async def _wait_to_lead(self, seen: int) -> Lead | None:
        """Return the lead once this caller has it, None once somebody else's attempt has ended."""
        import anyio

        self._gate.refuse_inside(_FROM_WITHIN)
        while self.slot.attempts == seen:
            woken = anyio.Event()
            if (lead := self._gate.enter(waker_of(woken))) is not None:
                return lead
            with waiting(self.slot):
                if not await awaited(self._gate, woken, PATIENCE):
                    raise _gave_up()
        return None

"""A turn at a gate, as an effect: a flow that is one of many asks to lead, or waits for whoever leads."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from doorkey.errors import TransportError
from doorkey.renewal.gate import Gate, Lead
from doorkey.runtime.loops import waker_of
from doorkey.wire.flow import Effect

PATIENCE: Final = 120.0
"""Seconds somebody waits for a leader, before giving up with an error rather than never."""
LOOK = 1.0
"""Seconds after which who waits looks whether the leader's event loop or thread has ended, which nobody tells."""


@dataclass(frozen=True, slots=True)
class Turn(Effect["Lead | None"]):
    """Ask to lead at `gate`: the lead for who must `leave()` with it, None once the leader of that moment has left.

    `what` is being done there, for the error of who has waited too long (`TransportError`).
    """

    gate: Gate
    what: str

    def wait(self) -> Lead | None:
        """Perform this effect for a thread. Raises `UsageError` inside what it would wait for."""
        self.gate.refuse_inside(self._from_within())
        woken = threading.Event()
        lead = self.gate.enter(woken.set, blocks=True)
        if lead is None and not waited(self.gate, woken, PATIENCE):
            raise self._gave_up()
        return lead

    async def await_(self) -> Lead | None:
        """Perform this effect for a task. Raises as `wait` does."""
        import anyio

        self.gate.refuse_inside(self._from_within())
        woken = anyio.Event()
        lead = self.gate.enter(waker_of(woken))
        if lead is None and not await awaited(self.gate, woken, PATIENCE):
            raise self._gave_up()
        return lead

    def _from_within(self) -> str:
        return f"this runs within what it would wait for ({self.what}): does its HTTP client's transport ask for it?"

    def _gave_up(self) -> TransportError:
        return TransportError(
            f"another caller has been {self.what} for {PATIENCE:.0f} s and is not done: is its HTTP client stuck?",
            retryable=True,
        )


def waited(gate: Gate, woken: threading.Event, patience: float) -> bool:
    """Return True when `woken` is set or nobody leads at `gate` any more, False after `patience`, in seconds.

    Raises `UsageError` where the leader could not go on meanwhile; see `Gate.check_may_block`.
    """
    gate.check_may_block()
    return any(woken.wait(seconds) or gate.is_abandoned() for seconds in _looks(patience))


async def awaited(gate: Gate, woken: Any, patience: float) -> bool:
    """Do what `waited` does, with an `anyio.Event`."""
    import anyio

    for seconds in _looks(patience):
        with anyio.move_on_after(seconds):
            await woken.wait()
        if woken.is_set() or gate.is_abandoned():
            return True
    return False


def _looks(patience: float) -> Iterator[float]:
    """Yield the seconds until each look at the gate, for as long as there is patience."""
    while patience > 0:
        yield min(LOOK, patience)
        patience -= LOOK

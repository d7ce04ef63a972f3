"""A turn at a gate, as an effect: a flow that is one of many asks to lead, or waits for whoever leads."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Final

from doorkey.errors import TransportError
from doorkey.gate import Gate, waker_of
from doorkey.protocol.flow import Effect

PATIENCE: Final = 120.0
"""Seconds somebody waits for a leader, before giving up with an error rather than never."""


@dataclass(frozen=True, slots=True)
class Turn(Effect[bool]):
    """Ask to lead at `gate`: True for who leads and must `leave()` it, False once the leader of that moment has left.

    `what` is being done there, for the error of who has waited too long (`TransportError`).
    """

    gate: Gate
    what: str

    def wait(self) -> bool:
        """Perform this effect for a thread."""
        woken = threading.Event()
        if self.gate.enter(woken.set):
            return True
        if not woken.wait(PATIENCE):
            raise self._gave_up()
        return False

    async def await_(self) -> bool:
        """Perform this effect for a task."""
        import anyio

        woken = anyio.Event()
        if self.gate.enter(waker_of(woken)):
            return True
        with anyio.move_on_after(PATIENCE) as scope:
            await woken.wait()
        if scope.cancelled_caught:
            raise self._gave_up()
        return False

    def _gave_up(self) -> TransportError:
        return TransportError(
            f"another caller has been {self.what} for {PATIENCE:.0f} s and is not done: is its HTTP client stuck?",
            retryable=True,
        )

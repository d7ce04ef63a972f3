"""Who leads, and who is told when the leader is done: across threads, tasks, event loops and a fork.

`asyncio.Lock` belongs to one loop, `anyio.Lock` to one thread, and a `threading.Lock` would block a loop. A `Gate`
never waits: it says whether the caller leads, and otherwise keeps a `wake` callable, which each world makes from what
it can wait for. All are woken at once, because all of them want the same outcome and none wants a turn.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from doorkey.errors import UsageError
from doorkey.runtime.forks import after_fork
from doorkey.runtime.loops import life_of_current_runner
from doorkey.runtime.reentrancy import refuse_inside

if TYPE_CHECKING:
    from types import FrameType


class Lead:
    """The lead of whoever runs here: of this thread, which `blocks`, or of a task of this event loop.

    `goes_on()` says whether it may yet come to leave, and `thread` is where.
    """

    __slots__ = ("blocks", "goes_on", "thread")

    def __init__(self, *, blocks: bool) -> None:
        self.thread, self.blocks = threading.current_thread(), blocks
        self.goes_on = self.thread.is_alive if blocks else life_of_current_runner(self.thread)

    def hand_to(self, thread: threading.Thread) -> None:
        """Let `thread`, which is still to be started, lead in place of who entered."""
        self.thread, self.blocks = thread, True
        self.goes_on = lambda: thread.ident is None or thread.is_alive()


class Gate:
    """Lets one caller at a time lead."""

    __slots__ = ("__weakref__", "_lead", "_mutex", "_wakers")

    def __init__(self) -> None:
        self.reset_in_child()
        after_fork(self, Gate.reset_in_child)

    def reset_in_child(self) -> None:
        """Forget a leader that a fork left behind."""
        self._mutex = threading.RLock()  # a coroutine that the garbage collector ends leaves wherever it strikes
        self._lead: Lead | None = None
        self._wakers: list[Callable[[], object]] = []

    def enter(self, wake: Callable[[], object] | None = None, *, blocks: bool = False) -> Lead | None:
        """Return the lead, for `leave()`; or None, and have `wake` called when the one who leads has left.

        `blocks` says that the caller's thread leads, also where an event loop runs in it.
        """
        with self._mutex:
            if self.is_abandoned():
                self._lead = Lead(blocks=blocks)
                return self._lead
            if wake is not None:
                self._wakers.append(wake)
            return None

    def is_abandoned(self) -> bool:
        """Say whether nobody leads, or nobody who can still come to leave: who waits should `enter()` again."""
        lead = self._lead
        return lead is None or not lead.goes_on()

    def refuse_inside(self, said: str) -> None:
        """Raise `UsageError(said)` where the code that runs here is inside what the leader does."""
        if not self.is_abandoned():
            refuse_inside(self, said)

    def check_may_block(self) -> None:
        """Have nobody lead who cannot go on while this thread blocks, as it is about to.

        A lead of its own was left behind when an interruption (Ctrl-C) struck between two lines: it ends. Raises
        `UsageError` where it is still at work, or where a task of this thread's event loop leads.
        """
        lead = self._lead
        if lead is None or lead.thread is not threading.current_thread():
            return
        if lead.blocks and _is_held_on_this_stack(lead):
            raise UsageError("a blocking call waits for what its own thread is in the middle of: it would never end")
        if not lead.blocks:
            raise UsageError(
                "a task of the event loop that this thread runs is renewing the token, and cannot go on while a "
                "blocking call waits for it: await the token there, or make the blocking call in a thread of its own"
            )
        self.leave(lead)

    def leave(self, lead: Lead) -> None:
        """End the lead, and wake everybody who waited for it. One that another has taken over is ended already."""
        with self._mutex:
            if self._lead is not lead:
                return
            wakers, self._wakers, self._lead = self._wakers, [], None
        for wake in wakers:
            wake()


def _is_held_on_this_stack(lead: Lead) -> bool:
    """Say whether some call that is under way in this thread has `lead`, and so is to leave."""
    frame: FrameType | None = sys._getframe(2)  # whoever asks has it too
    while frame is not None:
        if any(value is lead for value in frame.f_locals.values()):
            return True
        frame = frame.f_back
    return False

"""Ctrl-C during a blocking renewal: what the server has issued is saved first.

Theory of operation. From the first request of a renewal on, the server may have used up the refresh token, and its
response is to be saved. An interruption may strike anywhere: while the response is awaited or read, or in the callback
that saves the token. So until the renewal is over, the handlers of signals in the main thread are wrapped. What the
program's own handler raises, `KeyboardInterrupt` or `SystemExit`, is kept and raised at the end, or before the next
request or pause. A second interruption strikes at once. Where an event loop runs, signals are its own matter.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final

from doorkey.runtime.loops import is_loop_running
from doorkey.runtime.reentrancy import is_saving
from doorkey.values import without_frames

__all__: list[str] = []

_SIGNALS: Final = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


class Deferral:
    """What a renewal defers: `struck` is the interruption that waits, if one does."""

    __slots__ = ("is_at_risk", "struck")

    def __init__(self) -> None:
        self.is_at_risk = False
        self.struck: BaseException | None = None

    def defer(self, interruption: BaseException) -> bool:
        """Keep the interruption for later; return False if it is to strike at once."""
        if self.struck is not None or not self.is_at_risk:
            return False
        self.struck = without_frames(interruption)
        return True

    def strike(self) -> None:
        """Raise the interruption that waits, unless the code that runs here saves a token."""
        if self.struck is not None and not is_saving():
            raise self.struck


_current: ContextVar[Deferral | None] = ContextVar("doorkey_deferral", default=None)


class _Handler:
    """A handler of signals in place of the program's own one, `before`, while a renewal defers what that raises."""

    def __init__(self, deferral: Deferral, before: Any) -> None:
        self._deferral, self.before = deferral, before

    def __call__(self, number: int, frame: Any) -> None:
        try:
            self.before(number, frame)
        except (KeyboardInterrupt, SystemExit) as interruption:
            if not self._deferral.defer(interruption):
                raise


@contextmanager
def defer_interrupt() -> Generator[None]:
    """Have an interruption after the first request in the block wait until the block is over or begins something else.

    The deadline of the request bounds the delay, no further request is begun, and a second interruption strikes at
    once.
    """
    deferral, handlers = Deferral(), dict[int, _Handler]()
    mark = _current.set(deferral)
    try:
        _wrap(deferral, handlers)
        yield
    finally:
        for number, handler in handlers.items():
            installed: object = signal.getsignal(number)
            if installed is handler:
                signal.signal(number, handler.before)
        deferral.is_at_risk = False
        _current.reset(mark)
        if deferral.struck is not None:
            raise deferral.struck


def _wrap(deferral: Deferral, handlers: dict[int, _Handler]) -> None:
    """Put handlers in place of the program's own, and note them in `handlers`: only the main thread has any."""
    if threading.current_thread() is not threading.main_thread() or is_loop_running():
        return
    for number in _SIGNALS:
        before = signal.getsignal(number)
        if callable(before):
            handlers[number] = handler = _Handler(deferral, before)
            try:
                signal.signal(number, handler)
            except ValueError:  # the main thread of another interpreter, which handles no signals
                return


def current() -> Deferral | None:
    """Return what defers interruptions of the code that runs here."""
    return _current.get()


def begin_exchange() -> None:
    """Note that a request leaves, which may use up what it presents. Raises the interruption that waits."""
    deferral = _current.get()
    if deferral is not None:
        deferral.strike()
        deferral.is_at_risk = True


@contextmanager
def pausing() -> Generator[None]:
    """Let interruptions strike at once in the block, which is a pause that risks nothing, and the one that waits."""
    deferral = _current.get()
    if deferral is None:
        yield
        return
    deferral.strike()
    before, deferral.is_at_risk = deferral.is_at_risk, False
    try:
        yield
    finally:
        deferral.is_at_risk = before

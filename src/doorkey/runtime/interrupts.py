"""Ctrl-C during a blocking renewal: the issued token is saved before the interruption takes effect.

Theory of operation. From the first request of a renewal on, the server may have used up the refresh token, so its
response must be saved. An interruption may come at any time: during the wait for the response, while it is read, or in
the callback that saves the token. So until the end of the renewal, the signal handlers are wrapped in the main thread.
If the program's handler raises `KeyboardInterrupt` or `SystemExit`, the exception is kept, and raised at the end or
before the next request or pause. A second interruption takes effect at once. A handler that raises nothing, such as the
handler of an event loop, has its normal effect.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final

from doorkey.runtime.deadlock import is_saving
from doorkey.values import without_frames

__all__: list[str] = []

_SIGNALS: Final = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


class Deferral:
    """The interruption that one renewal defers: `deferred`, or None. It defers only while `is_at_risk` is True."""

    is_at_risk = False
    deferred: BaseException | None = None

    def defer(self, interruption: BaseException) -> bool:
        """Keep the interruption for later. Return False if it must take effect at once."""
        if self.deferred is not None or not self.is_at_risk:
            return False
        self.deferred = without_frames(interruption)
        return True

    def raise_deferred(self) -> None:
        """Raise the deferred interruption, if there is one, unless the current code saves a token."""
        if self.deferred is not None and not is_saving():
            raise self.deferred


_current: ContextVar[Deferral | None] = ContextVar("doorkey_deferral", default=None)


@contextmanager
def defer_interrupt() -> Generator[None]:
    """Defer interruptions from the first request in the block on.

    The interruption is raised when the block ends, or before it begins another request or a pause. The deadline of the
    request bounds the delay, and a second interruption takes effect at once.
    """
    deferral = Deferral()
    replaced: list[tuple[int, Any, Any]] = []
    mark = _current.set(deferral)
    try:
        if threading.current_thread() is threading.main_thread():  # only this thread runs signal handlers
            _wrap(deferral, replaced)
        yield
    finally:
        for number, handler, before in replaced:
            if signal.getsignal(number) is handler:
                signal.signal(number, before)
        deferral.is_at_risk = False
        _current.reset(mark)
        if deferral.deferred is not None:
            raise deferral.deferred


def _wrap(deferral: Deferral, replaced: list[tuple[int, Any, Any]]) -> None:
    """Replace the program's signal handlers, and append (signal number, new handler, old handler) to `replaced`."""
    for number in _SIGNALS:
        before: Any = signal.getsignal(number)
        if not callable(before):
            continue

        def handle(number: int, frame: Any, before: Any = before) -> None:
            try:
                before(number, frame)
            except (KeyboardInterrupt, SystemExit) as interruption:
                if not deferral.defer(interruption):
                    raise

        replaced.append((number, handle, before))
        try:
            signal.signal(number, handle)
        except ValueError:  # the main thread of a subinterpreter, which handles no signals
            return


def current() -> Deferral | None:
    """Return the `Deferral` of the current context, or None outside of `defer_interrupt`."""
    return _current.get()


def begin_exchange() -> None:
    """Record that a request is sent, which may use up its grant. Raises the deferred interruption, if there is one."""
    deferral = _current.get()
    if deferral is not None:
        if deferral.deferred is not None:
            deferral.raise_deferred()
        deferral.is_at_risk = True


@contextmanager
def pausing() -> Generator[None]:
    """Let interruptions take effect at once in the block, a pause in which nothing can be lost.

    Raises the deferred interruption, if there is one.
    """
    deferral = _current.get()
    if deferral is None:
        yield
        return
    deferral.raise_deferred()
    before, deferral.is_at_risk = deferral.is_at_risk, False
    try:
        yield
    finally:
        deferral.is_at_risk = before

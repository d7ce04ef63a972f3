"""The signals that end a command: they do what Ctrl-C does, so that nothing is left behind or lost.

`timeout` and a service manager send SIGTERM, a terminal that is closed sends SIGHUP. By itself each one would end the
process at once: between a renewal and its commit the login would be lost, and a terminal would stay without echo.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, NoReturn

if TYPE_CHECKING:
    from threading import Timer

__all__: list[str] = []

_NAMES: Final = ("SIGTERM", "SIGHUP")
_SECONDS: Final = 0.05
"""From an interrupt that Python ignores until its repetition."""


class Ending:
    """Which signal ended the command, if one did."""

    def __init__(self) -> None:
        self._received: int | None = None
        for name in _NAMES:
            number: int | None = getattr(signal, name, None)  # Windows has no SIGHUP
            if number is not None and signal.getsignal(number) is signal.SIG_DFL:  # nohup ignores SIGHUP
                signal.signal(number, self._interrupt)

    def _interrupt(self, number: int, _: object) -> NoReturn:
        self._received = number
        raise KeyboardInterrupt

    def repeat(self) -> None:
        """End this process by the signal that it received, so that its parent sees why it ended."""
        if self._received is not None:
            signal.signal(self._received, signal.SIG_DFL)
            os.kill(os.getpid(), self._received)


@contextmanager
def repeat_lost_interrupts() -> Generator[None]:
    """Repeat a Ctrl-C that Python ignores because it comes in a finalizer, such as one of the import system."""
    before = sys.unraisablehook
    timers: list[Timer] = []

    def hook(lost: sys.UnraisableHookArgs, /) -> None:
        if lost.exc_type is KeyboardInterrupt:
            from threading import Timer

            timer = Timer(_SECONDS, _interrupt_main)  # not at once: the finalizer has not ended
            timer.daemon = True
            timers.append(timer)
            timer.start()
        else:
            before(lost)

    sys.unraisablehook = hook
    try:
        yield
    finally:
        sys.unraisablehook = before
        for timer in timers:
            timer.cancel()


def _interrupt_main() -> None:
    import threading

    main = threading.main_thread().ident
    if main is not None and hasattr(signal, "pthread_kill"):  # which also ends a call that waits
        signal.pthread_kill(main, signal.SIGINT)
    else:
        import _thread

        _thread.interrupt_main()

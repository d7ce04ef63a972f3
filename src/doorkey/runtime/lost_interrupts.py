"""A Ctrl-C that Python ignores because it comes in a finalizer: it is repeated. Every program of doorkey does so."""

from __future__ import annotations

import signal
import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from threading import Timer

__all__: list[str] = []

_SECONDS: Final = 0.05
"""From an interrupt that Python ignores until its repetition."""


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

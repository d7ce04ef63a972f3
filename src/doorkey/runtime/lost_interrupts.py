"""Repeat a Ctrl-C that Python ignores because it arrives in a finalizer. For the command line programs of doorkey."""

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
"""Seconds from an ignored interrupt to its repetition."""


@contextmanager
def repeat_lost_interrupts() -> Generator[None]:
    """Repeat a Ctrl-C in the block that Python ignores because it arrives in a finalizer, for instance of an import."""
    before = sys.unraisablehook
    timers: list[Timer] = []

    def hook(lost: sys.UnraisableHookArgs, /) -> None:
        if lost.exc_type is KeyboardInterrupt:
            from threading import Timer

            timer = Timer(_SECONDS, _interrupt_main)  # not at once, because the finalizer has not ended yet
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
    if main is not None and hasattr(signal, "pthread_kill"):  # unlike `interrupt_main`, it ends a blocking system call
        signal.pthread_kill(main, signal.SIGINT)
    else:
        import _thread

        _thread.interrupt_main()

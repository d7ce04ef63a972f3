"""The signals that end a command. They raise `KeyboardInterrupt` like Ctrl-C, so that the command can clean up.

`timeout` and service managers send SIGTERM; a terminal that is closed sends SIGHUP. By default both end the process
immediately. Between a renewal and its commit the login would be lost, and a terminal would stay without echo.
"""

from __future__ import annotations

import os
import signal
from typing import Final, NoReturn

__all__: list[str] = []

_NAMES: Final = ("SIGTERM", "SIGHUP")


class TerminationSignals:
    """Handles SIGTERM and SIGHUP, and records the signal that ended the command."""

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
        """End this process by the recorded signal, if there is one, so that the parent process sees the reason."""
        if self._received is not None:
            signal.signal(self._received, signal.SIG_DFL)
            os.kill(os.getpid(), self._received)

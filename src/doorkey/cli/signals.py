"""The signals that end a command: they do what Ctrl-C does, so that nothing is left behind or lost.

`timeout` and a service manager send SIGTERM, a terminal that is closed sends SIGHUP. By itself each one would end the
process at once: between a renewal and its commit the login would be lost, and a terminal would stay without echo.
"""

from __future__ import annotations

import os
import signal
from typing import Final, NoReturn

__all__: list[str] = []

_NAMES: Final = ("SIGTERM", "SIGHUP")


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

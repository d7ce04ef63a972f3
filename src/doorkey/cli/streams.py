"""The standard streams of a command: each one is open, and accepts every character.

Theory of operation. A shell may start a command with a closed stream (`2>&-`). The next file that is opened would then
get the file descriptor of that stream. If it were the store, other code could write messages into it. So the null
device is opened first. In place of a closed stdin, reading returns the end of the file. In place of stderr, messages
are dropped. In place of stdout, the first write fails, because a result that cannot be delivered is an error.
"""

from __future__ import annotations

import io
import os
import sys
from typing import IO, Final

__all__: list[str] = []

_NUMBERS: Final = (("stdin", "r", os.O_RDONLY), ("stdout", "w", os.O_RDONLY), ("stderr", "w", os.O_WRONLY))
"""The name and the mode of each stream, and the flags for opening the null device: for stdout, a write must fail."""


def complete_streams() -> None:
    """Open the null device in place of each standard stream that was closed when this process started."""
    for number, (name, mode, flags) in enumerate(_NUMBERS):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, flags)  # it gets the lowest free number, which is this one
            if getattr(sys, name) is None:
                setattr(sys, name, os.fdopen(number, mode, encoding="utf-8", closefd=False))


def drop_unwritten() -> None:
    """Drop the unwritten output of stdout. Python would try to write it at the exit, and change the exit status."""
    try:
        sys.stdout.flush()
    except (OSError, ValueError):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())


def allow_every_character(*streams: IO[str]) -> None:
    """Write characters that the encoding of a stream lacks as escapes, such as `\\u2192`, instead of raising."""
    for stream in streams:
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")

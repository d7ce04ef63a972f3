"""The standard streams of a command: each one is there, and takes every character.

Theory of operation. A shell may start a command with a stream closed (`2>&-`). Its number would then be that of the
next file that is opened, for instance of the store, into which other code could write messages. So the numbers are
taken first. A closed stdin is at its end, a closed stderr drops what it is given, and a closed stdout fails at the
first write: a result that cannot be delivered is an error.
"""

from __future__ import annotations

import io
import os
import sys
from typing import IO, Final

__all__: list[str] = []

_NUMBERS: Final = (("stdin", "r", os.O_RDONLY), ("stdout", "w", os.O_RDONLY), ("stderr", "w", os.O_WRONLY))
"""Each stream, and how the null device takes its place: stdout for reading, so that a write fails."""


def complete_streams() -> None:
    """Open the null device in place of each standard stream that this process was started without."""
    for number, (name, mode, flags) in enumerate(_NUMBERS):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, flags)  # it gets the lowest free number, which is this one
            if getattr(sys, name) is None:
                setattr(sys, name, os.fdopen(number, mode, encoding="utf-8", closefd=False))


def drop_unwritten() -> None:
    """Drop what could not be written to stdout: Python would try again at the exit, and change the exit status."""
    try:
        sys.stdout.flush()
    except (OSError, ValueError):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())


def allow_every_character(*streams: IO[str]) -> None:
    """Let each stream write characters that its encoding does not have: as escapes, such as `\\u2192`."""
    for stream in streams:
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")

"""Messages to the user of a terminal, on standard error, because standard output is for the result of a program."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import Any


def write_stderr(text: str) -> None:
    """Write to standard error. Do nothing if it is closed or missing, as in a program without a console."""
    out = sys.stderr
    if out is None:
        return
    with suppress(OSError, ValueError):
        try:
            out.write(text)
        except UnicodeEncodeError:
            out.write(text.encode("ascii", "backslashreplace").decode("ascii"))
        out.flush()


def is_terminal(stream: Any) -> bool:
    """Return whether a standard stream is a terminal. Return False for None and for a closed stream."""
    try:
        return bool(stream.isatty())
    except (AttributeError, OSError, ValueError):
        return False

"""Words for the user of a terminal, on standard error, where the result of a program is not."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import Any


def say(text: str) -> None:
    """Write to standard error. A program without a console has none, and it may be closed."""
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
    """Return whether a standard stream is a terminal; None and a closed one are none."""
    try:
        return bool(stream.isatty())
    except (AttributeError, OSError, ValueError):
        return False

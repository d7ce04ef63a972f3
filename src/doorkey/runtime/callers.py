"""The line of the program that called this package, for warnings."""

from __future__ import annotations

import sys

__all__: list[str] = []


def program_stacklevel() -> int:
    """Return the `stacklevel` with which a warning of the calling function names the program's line."""
    depth, frame = 1, sys._getframe(1)
    while frame.f_back is not None and str(frame.f_globals.get("__name__")).startswith("doorkey."):
        depth, frame = depth + 1, frame.f_back
    return depth

"""The line of the program that called this package, which a warning names."""

from __future__ import annotations

import sys

__all__: list[str] = []


def depth_of_ours() -> int:
    """Return the number of frames of this package above the code that called it: `stacklevel` of a warning."""
    depth, frame = 1, sys._getframe(1)
    while frame.f_back is not None and str(frame.f_globals.get("__name__")).startswith("doorkey."):
        depth, frame = depth + 1, frame.f_back
    return depth

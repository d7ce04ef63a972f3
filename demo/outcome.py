"""The result of a step: lines to print, and whether each is as promised."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from demo.place import Place


@dataclass(frozen=True, slots=True)
class Fact:
    """One observation of a step; `holds` is True if it is as expected."""

    name: str
    value: str
    holds: bool


@dataclass(frozen=True, slots=True)
class Step:
    """A step of the demo: `does` is the code to copy, `shows` runs it and looks at what came of it."""

    title: str
    does: Callable[..., Any]
    shows: Callable[[Place], list[Fact]]


def shortened(text: str | None) -> str:
    """Return the beginning and the end of a header or token: enough to distinguish two, too little to use one."""
    text = text or "(none)"
    return text if len(text) <= 40 else f"{text[:16]}…{text[-8:]}"

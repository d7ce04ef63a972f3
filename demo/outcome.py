"""The result of a step: lines to print, and whether each is as promised."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from demo.fleet import Fleet
from demo.place import Place


@dataclass(frozen=True, slots=True)
class Fact:
    """One observation of a step; `holds` is True if it is as expected, None if it is there to compare."""

    name: str
    value: str
    holds: bool | None


@dataclass(frozen=True, slots=True)
class Step:
    """A step of the demo: `does` is the code to copy, `shows` runs it and looks at what came of it."""

    title: str
    does: Callable[..., Any]
    shows: Callable[[Place, Fleet], list[Fact]]

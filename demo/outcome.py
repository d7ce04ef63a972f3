"""The result of a step: lines to print, and whether each is as expected."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from demo.fleet import Fleet
from demo.place import Place


@dataclass(frozen=True, slots=True)
class Fact:
    """One observation of a step; `holds` is whether it is as expected, or None if it is only a comparison."""

    name: str
    value: str
    holds: bool | None


@dataclass(frozen=True, slots=True)
class Step:
    """A step of the demo: `does` is the code to copy, and `shows` runs it and checks the result."""

    title: str
    does: Callable[..., Any]
    shows: Callable[[Place, Fleet], list[Fact]]

"""One line of the table."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

MISSED: Final = "NOT MET"


@dataclass(frozen=True, slots=True)
class Row:
    """A figure of doorkey, that of a peer from the same run, and the target, if there is one.

    `met` is None if there is no target and the row is only a comparison.
    """

    name: str
    ours: str
    peer: str
    ratio: str = ""
    target: str = ""
    met: bool | None = None

    @property
    def verdict(self) -> str:
        return {True: "met", False: MISSED, None: ""}[self.met]


def exit_status(rows: Iterable[Row]) -> int:
    """Return 1 if the target of a row is not met, otherwise 0."""
    return int(any(row.met is False for row in rows))


def microseconds(seconds: float) -> str:
    return f"{seconds * 1e6:.1f} µs"


def milliseconds(seconds: float) -> str:
    return f"{seconds * 1e3:.1f} ms"

"""The events of a trace as text for a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

from rich.console import Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from doorkey.cli.terminal import BAD
from doorkey.cli.trace.events import Event, Message

if TYPE_CHECKING:
    from rich.console import RenderableType

_FEW: Final = 12
"""The number of lines of a document that are shown without `--verbose`."""


def rendered(event: Event, number: int, *, whole: bool = False) -> RenderableType:
    """Return the event with this number as text for a terminal. `whole`: show all headers and whole documents."""
    return Group(*_parts(event, number, whole))


def _parts(event: Event, number: int, whole: bool) -> Iterator[RenderableType]:
    title = Text(f"{number}. {event.title}", style=f"bold {BAD}" if event.failed else "bold")
    if event.section:
        title.append(f" ({event.section})", style="not bold dim")
    yield title
    if event.rows:
        yield Padding(_grid(event.rows), (0, 0, 0, 3))
    for sign, message in (("→", event.request), ("←", event.response)):
        if message is not None:
            yield from _message(sign, message, event.milliseconds if sign == "←" else None, whole)
    if event.note:
        yield Padding(Text(event.note, style="italic"), (0, 0, 0, 3))
    yield Text()


def _message(
    sign: str,
    message: Message,
    milliseconds: float | None,
    whole: bool,
) -> Iterator[RenderableType]:
    first = Text.assemble((sign, "bold"), f" {message.first}")
    if milliseconds is not None:
        first.append(f" in {milliseconds:.0f} ms", style="dim")
    yield Padding(first, (0, 0, 0, 3))
    if whole and message.headers:
        yield Padding(_grid(message.headers), (0, 0, 0, 5))
    if message.body:
        yield Padding(_grid(message.body), (0, 0, 0, 5))
    lines = message.lines if whole else message.lines[:_FEW]
    if lines:
        yield Padding(Text("\n".join(lines)), (0, 0, 0, 5))
    if len(lines) < len(message.lines):
        yield Padding(Text(f"… {len(message.lines) - len(lines)} more lines: --verbose", style="dim"), (0, 0, 0, 5))


def _grid(rows: Iterable[tuple[str, str]]) -> Table:
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(style="dim", overflow="fold")
    grid.add_column(overflow="fold")
    for name, value in rows:
        grid.add_row(Text(name), Text(value))
    return grid

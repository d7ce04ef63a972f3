"""The findings of an audit as a table, or as a list in a narrow terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from rich.console import Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from doorkey.cli.doctor.audit import API, Audit
from doorkey.cli.doctor.finding import Finding, Severity
from doorkey.cli.terminal import BAD, GOOD, WARNING
from doorkey.errors import printable
from doorkey.wire.urls import shown_url

if TYPE_CHECKING:
    from rich.console import RenderableType

_NARROW: Final = 100
_LONGEST: Final = 1000
_ORDER: Final = (Severity.FAILURE, Severity.WARNING, Severity.INFO, Severity.OK)
_MARKS: Final = {
    Severity.FAILURE: ("✗ fail", f"bold {BAD}"),
    Severity.WARNING: ("! warn", WARNING),
    Severity.INFO: ("· info", "dim"),
    Severity.OK: ("✓ ok", GOOD),
}


def rendered(audit: Audit, width: int) -> RenderableType:
    """Return an audit as text for a terminal of `width` columns: the worst findings first, then a summary."""
    what = "API" if audit.kind == API else "authorization server"
    title = Text(f"{what} {shown_url(audit.target)}\n", style="bold")
    findings = sorted(audit.findings, key=lambda one: _ORDER.index(one.severity))
    wrong = [one for one in findings if one.fix]
    parts: list[RenderableType] = [title]
    if wrong:
        parts.append(Group(*_list(wrong), Text()) if width < _NARROW else _table(wrong))
    parts += _list([one for one in findings if not one.fix])
    return Group(*parts, _summary(audit))


def _table(findings: list[Finding]) -> Table:
    table = Table(box=None, padding=(0, 2, 1, 0), show_edge=False, header_style="bold dim")
    table.add_column("", no_wrap=True)
    for title, ratio in (("what", 5), ("why", 4), ("fix", 4)):
        table.add_column(title, ratio=ratio, overflow="fold")
    for one in findings:
        table.add_row(_mark(one), _what(one), Text(_clean(one.why)), Text(_clean(one.fix)))
    return table


def _list(findings: list[Finding]) -> Iterator[RenderableType]:
    for one in findings:
        yield _pair(_mark(one), _what(one))
        lines = [(name, text) for name, text in (("why", one.why), ("fix", one.fix)) if text]
        for name, text in lines:
            yield Padding(_pair(Text(name, style="dim"), Text(_clean(text)), 3), (0, 0, 0, 8))


def _pair(mark: Text, text: Text, width: int = 6) -> Table:
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(width=width, no_wrap=True)
    grid.add_column(overflow="fold")
    grid.add_row(mark, text)
    return grid


def _mark(one: Finding) -> Text:
    mark, style = _MARKS[one.severity]
    return Text(mark, style=style)


def _what(one: Finding) -> Text:
    text = Text(_clean(one.what))
    if one.section:
        text.append(f" ({one.section})", style="dim")
    return text


def _summary(audit: Audit) -> Text:
    failures, warnings = audit.count(Severity.FAILURE), audit.count(Severity.WARNING)
    style = f"bold {BAD if failures else WARNING if warnings else GOOD}"
    return Text(f"\n{_counted(failures, 'failure')}, {_counted(warnings, 'warning')}", style=style)


def _counted(number: int, what: str) -> str:
    return f"{number or 'no'} {what}{'' if number == 1 else 's'}"


def _clean(text: str) -> str:
    return printable(text, _LONGEST)

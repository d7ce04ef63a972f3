"""The report about a token as text for a terminal of any width, with or without colors."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from rich.console import Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from doorkey.cli.inspection.problems import Problem
from doorkey.cli.inspection.report import Report
from doorkey.cli.terminal import BAD, GOOD, WARNING
from doorkey.errors import printable

if TYPE_CHECKING:
    from rich.console import RenderableType

_LONGEST = 4000


def rendered(report: Report) -> RenderableType:
    """Return a report as text for a terminal: the result first, then the members of the token."""
    return Group(*_parts(report))


def _parts(report: Report) -> Iterator[RenderableType]:
    yield _verdict(report)
    for problem in report.problems:
        yield Padding(_problem(problem), (0, 0, 0, 2))
    if report.signature is not None:
        yield _section("Signature")
        yield Padding(Text(printable(report.signature.words, _LONGEST)), (0, 0, 0, 2))
    if report.times:
        yield _section("Times")
        yield Padding(_pairs((name, f"{at} ({words})") for name, (at, words) in report.times.items()), (0, 0, 0, 2))
    yield from _members("Header", report.header)
    if report.claims is not None:
        yield from _members("Claims", report.claims)
    if report.introspection is not None:
        yield from _members("The issuer's response (RFC 7662)", report.introspection)
    if report.unverified:
        yield _section("Not verified")
        yield Padding(_pairs(("-", line) for line in report.unverified), (0, 0, 0, 2))


def _verdict(report: Report) -> Text:
    verified = report.signature is not None and report.signature.verified
    if report.problems:
        count = len(report.problems)
        return Text(f"{report.kind}: {count} problem{'s' if count > 1 else ''}", style=f"bold {BAD}")
    if report.signature is not None and report.signature.issuer_is_claim and verified:
        return Text(f"{report.kind}: no problem found, but only the token itself names its issuer", f"bold {WARNING}")
    if verified or (report.introspection is not None and report.introspection.get("active") is True):
        return Text(f"{report.kind}: no problem found", style=f"bold {GOOD}")
    return Text(f"{report.kind}: no problem found, but its signature was not checked", style=f"bold {WARNING}")


def _problem(problem: Problem) -> Text:
    text = Text("✗ " + printable(problem.message, _LONGEST), style=BAD)
    for name, value in (("expected", problem.expected), ("got", problem.got)):
        if value is not None:
            text.append(f"\n  {name}: ", style="default dim")
            text.append(value, style="default")
    return text


def _section(title: str) -> Text:
    return Text(f"\n{title}", style="bold")


def _members(title: str, members: Mapping[str, Any]) -> Iterator[RenderableType]:
    yield _section(title)
    lines = ((printable(name, 80), _value(value)) for name, value in members.items())
    yield Padding(_pairs(lines), (0, 0, 0, 2))


def _value(value: object) -> str:
    return printable(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False), _LONGEST)


def _pairs(pairs: Iterable[tuple[str, str]]) -> Table:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", overflow="fold")
    grid.add_column(overflow="fold")
    for name, value in pairs:
        grid.add_row(Text(name), Text(value))
    return grid

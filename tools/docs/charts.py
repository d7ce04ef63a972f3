"""Charts of the tables in docs/bench*.md, as SVG inside the page, so that they have the color theme of the reader."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from html import escape

TABLE = re.compile(r"((?:^\|.*\|\n)+)", re.MULTILINE)
PICTURE = re.compile(r"^!\[[^\]]*\]\([\w./-]+\.png\)\n", re.MULTILINE)
UNITS = {"s": 1.0, "ms": 1e-3, "µs": 1e-6}
COLORS = 5


@dataclass(frozen=True, slots=True)
class Table:
    """A table of a page."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def column(self, name: str) -> list[str]:
        """Return the cells below a heading."""
        at = self.head.index(name)
        return [row[at] for row in self.rows]


@dataclass(frozen=True, slots=True)
class Bar:
    """A ratio of two times. If it is below 1, doorkey took less time."""

    label: str
    ratio: float


@dataclass(frozen=True, slots=True)
class Line:
    """A series of points, both coordinates above 0."""

    label: str
    points: tuple[tuple[float, float], ...]


def with_charts(page: str) -> str:
    """Return the page with a chart above each table that has data for one. The charts replace the page's pictures."""
    drawn = TABLE.sub(lambda found: _chart_of(read(found[1])) + found[1], page)
    return PICTURE.sub("", drawn) if drawn != page else page


def read(text: str) -> Table:
    """Return a table of Markdown as its cells."""
    lines = [tuple(cell.strip() for cell in line.strip().strip("|").split("|")) for line in text.splitlines()]
    return Table(lines[0], tuple(line + ("",) * (len(lines[0]) - len(line)) for line in lines[2:]))


def seconds(text: str) -> float | None:
    """Return a time such as `93.2 µs` in seconds, or None for any other text."""
    found = re.fullmatch(r"([\d.,]+) (s|ms|µs)", text)
    return float(found[1].replace(",", "")) * UNITS[found[2]] if found else None


def _chart_of(table: Table) -> str:
    if {"store", "processes"} <= set(table.head):
        return _figure("Processes and the 99th percentile of the wait", lines_of(table, "processes", "p99 wait"))
    if {"store", "keys"} <= set(table.head):
        return _figure("Keys in the store and the time to read a token", lines_of(table, "keys", "read"))
    if {"what", "peer", "ratio"} <= set(table.head):
        return ratios(bars_of(table))
    return ""


def bars_of(table: Table) -> list[Bar]:
    """Return the rows whose ratio is a number."""
    found: list[Bar] = []
    for what, peer, ratio in zip(*map(table.column, ("what", "peer", "ratio")), strict=True):
        number = re.match(r"[\d.]+", ratio)
        if number and float(number[0]) > 0:
            name = re.sub(r"[\d.,]+ (s|ms|µs)\b.*|\d+$", "", peer).strip()
            found.append(Bar(f"{what}, against {name}", float(number[0])))
    return found


def lines_of(table: Table, across: str, up: str) -> list[Line]:
    """Return a series for each library and store."""
    series: dict[str, list[tuple[float, float]]] = {}
    for library, store, x, y in zip(*map(table.column, ("library", "store", across, up)), strict=True):
        if (time := seconds(y)) is not None:
            series.setdefault(f"{library}, {store}", []).append((float(x.replace(",", "")), time))
    return [Line(label, tuple(points)) for label, points in series.items() if len(points) > 1]


def ratios(bars: list[Bar]) -> str:
    """Return bars from 1 on a logarithmic scale: to the left, doorkey takes less time than the other library."""
    if not bars:
        return ""
    text, width, row = 560, 960, 24
    low, high = min(0.5, *(bar.ratio for bar in bars)), max(2.0, *(bar.ratio for bar in bars))

    def x(ratio: float) -> float:
        return text + (width - text - 60) * (math.log(ratio) - math.log(low)) / (math.log(high) - math.log(low))

    height = row * (len(bars) + 1) + 14
    parts = [f'<path d="M{x(1):.1f} 18V{height - 8}" stroke="var(--grid)" fill="none"/>']
    parts.append(f'<text x="{x(1):.1f}" y="12" text-anchor="middle">1: the same time</text>')
    for number, bar in enumerate(bars):
        y = 26 + row * number
        left, right = sorted((x(bar.ratio), x(1)))
        color = "--s3" if bar.ratio <= 1 else "--s2"
        parts.append(f'<text x="{text - 12}" y="{y + 13}" text-anchor="end">{escape(_short(bar.label))}</text>')
        size = max(right - left, 1.5)
        parts.append(f'<rect x="{left:.1f}" y="{y}" width="{size:.1f}" height="16" fill="var({color})"/>')
        parts.append(f'<text x="{right + 6:.1f}" y="{y + 13}">{bar.ratio:g}</text>')
    return _svg("Time of doorkey in relation to the other library; less is better", width, height, parts)


def _short(label: str, limit: int = 82) -> str:
    return label if len(label) <= limit else label[: limit - 1] + "…"


def _figure(title: str, lines: list[Line]) -> str:
    """Return a chart of lines with logarithmic axes, and its legend."""
    if not lines:
        return ""
    width, height, left, bottom, top, right = 960, 400, 80, 350, 20, 700
    xs = [x for line in lines for x, _ in line.points]
    ys = [y for line in lines for _, y in line.points]
    low, high = 10 ** math.floor(math.log10(min(ys))), 10 ** math.ceil(math.log10(max(ys)))

    def at(x: float, y: float) -> tuple[float, float]:
        across = (math.log(x) - math.log(min(xs))) / (math.log(max(xs)) - math.log(min(xs)))
        up = (math.log(y) - math.log(low)) / (math.log(high) - math.log(low))
        return left + (right - left) * across, bottom - (bottom - top) * up

    parts: list[str] = []
    for power in range(round(math.log10(low)), round(math.log10(high)) + 1):
        _, y = at(min(xs), 10.0**power)
        parts.append(f'<path d="M{left} {y:.1f}H{right}" stroke="var(--grid)" fill="none"/>')
        parts.append(f'<text x="{left - 8}" y="{y + 4:.1f}" text-anchor="end">{_time(10.0**power)}</text>')
    for value in sorted(set(xs)):
        x, _ = at(value, low)
        parts.append(f'<text x="{x:.1f}" y="{bottom + 20}" text-anchor="middle">{value:,.0f}</text>')
    for number, line in enumerate(lines):
        parts += _drawn(line, number, [at(*point) for point in line.points], right)
    return _svg(title, width, height, parts)


def _drawn(line: Line, number: int, points: Iterable[tuple[float, float]], right: int) -> list[str]:
    color = f"var(--s{number % COLORS + 1})"
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    dash = "" if line.label.startswith("doorkey") else ' stroke-dasharray="6 4"'
    y = 34 + 24 * number
    return [
        f'<polyline points="{path}" fill="none" stroke="{color}" stroke-width="2.5"{dash}/>',
        f'<path d="M{right + 24} {y}h28" stroke="{color}" stroke-width="2.5"{dash}/>',
        f'<text x="{right + 60}" y="{y + 4}">{escape(line.label)}</text>',
    ]


def _time(value: float) -> str:
    unit, size = next((unit, size) for unit, size in UNITS.items() if value >= size * 0.999 or unit == "µs")
    return f"{value / size:g} {unit}"


def _svg(title: str, width: int, height: int, parts: list[str]) -> str:
    inside = "".join(parts)
    return (
        '<figure class="chart" tabindex="0">'
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
        f'aria-label="{escape(title)}">{inside}</svg><figcaption>{escape(title)}</figcaption></figure>\n\n'
    )

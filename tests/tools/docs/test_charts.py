"""Charts show the numbers of the tables."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tools.docs.charts import Bar, Line, bars_of, lines_of, ratios, read, seconds, with_charts

DOCS = Path(__file__).resolve().parents[3] / "docs"
RATIOS = """\
| what | doorkey | peer | ratio | target | result |
|---|---|---|---|---|---|
| a request | 353.2 µs | bare 345.4 µs | 1.022 ± 0.002 | ≤ 1.10 | met |
| token requests | 1 | authlib 32; requests-oauthlib 32 |  | 1 | met |
| CPU time | 7.3 µs | authlib 47.3 µs | 0.15 ± 0.01 |  |  |
"""
WAITS = """\
| library | store | processes | p99 wait |
|---|---|---|---|
| doorkey | sqlite | 1 | 107 ms |
| doorkey | sqlite | 16 | 1.2 s |
| msal | file | 8 |  |
"""


def test_bars_are_the_rows_with_a_ratio() -> None:
    assert bars_of(read(RATIOS)) == [Bar("a request, against bare", 1.022), Bar("CPU time, against authlib", 0.15)]


def test_lines_are_the_series_with_times() -> None:
    assert lines_of(read(WAITS), "processes", "p99 wait") == [Line("doorkey, sqlite", ((1.0, 0.107), (16.0, 1.2)))]


@pytest.mark.parametrize(("text", "expected"), [("93.2 µs", 93.2e-6), ("1,200 ms", 1.2), ("2 s", 2.0), ("kept", None)])
def test_times_are_read_with_their_unit(text: str, expected: float | None) -> None:
    found = seconds(text)
    assert found == (expected if expected is None else pytest.approx(expected))


def test_a_ratio_below_one_is_to_the_left_and_has_the_color_of_less_time() -> None:
    drawing = ratios([Bar("less", 0.5), Bar("more", 2.0)])
    less, more = re.findall(r'<rect x="([\d.]+)" y="\d+" width="([\d.]+)" height="16" fill="var\((--s\d)\)"', drawing)
    assert float(less[0]) + float(less[1]) == pytest.approx(float(more[0]))
    assert (less[2], more[2]) == ("--s3", "--s2")


def test_a_page_without_such_a_table_stays_as_it_is() -> None:
    page = "# x\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n![kept](picture.png)\n"
    assert with_charts(page) == page


@pytest.mark.parametrize("page", sorted(DOCS.glob("bench*.md")), ids=lambda page: page.stem)
def test_each_page_of_measurements_has_charts_with_legal_markup(page: Path) -> None:
    drawn = with_charts(page.read_text("utf-8"))
    charts = re.findall(r'<figure class="chart" tabindex="0">(<svg.*?</svg>)', drawn)
    assert charts
    assert "](bench" not in drawn
    for chart in charts:
        assert ElementTree.fromstring(chart).attrib["role"] == "img"  # noqa: S314  # our own drawing

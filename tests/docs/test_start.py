"""The programs of the first pages are complete, and print what the page says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

DOCS = Path(__file__).resolve().parents[2] / "docs"
PROGRAM = re.compile(r"^```python\n(.*?)^```\n\n```text\n(.*?)^```", re.DOTALL | re.MULTILINE)
PROGRAMS = [
    pytest.param(source, output, id=f"{name}-{number}")
    for name in ("index.md", "start.md")
    for number, (source, output) in enumerate(PROGRAM.findall((DOCS / name).read_text("utf-8")), 1)
]


@pytest.mark.parametrize(("source", "output"), PROGRAMS)
def test_a_program_runs_alone_and_prints_what_the_page_shows(
    source: str, output: str, capsys: pytest.CaptureFixture[str]
) -> None:
    names: dict[str, Any] = {"__name__": "__main__"}
    exec(compile(source, "start.md", "exec", dont_inherit=True), names)  # noqa: S102  # our own pages
    assert capsys.readouterr().out == output


def test_each_program_of_these_pages_has_its_output() -> None:
    pages = "".join((DOCS / name).read_text("utf-8") for name in ("index.md", "start.md"))
    assert len(PROGRAMS) == pages.count("```python\n") > 5

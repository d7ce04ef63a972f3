"""The demo as a picture and a table for the README. Both come from a run, and neither loads another file."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import SVG_EXPORT_THEME, TerminalTheme

from demo.threads import THREADS, Outcome

BEGIN, END = "<!-- threads:begin -->", "<!-- threads:end -->"
FONTS = 'ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace'
_LOADED = re.compile(r"\s*@font-face \{.*?\}|\s*<!--.*?-->", re.DOTALL)


def svg_of(console: Console, theme: TerminalTheme = SVG_EXPORT_THEME) -> str:
    """Return the output of a recording console as an SVG that uses only fonts of the reader's machine.

    theme: the colors of the terminal; dark by default.
    """
    text = console.export_svg(title="./dev demo", unique_id="demo", theme=theme, clear=False)
    text = _LOADED.sub("", text).replace("Fira Code, monospace", FONTS)
    return "\n".join(line.rstrip() for line in text.splitlines()) + "\n"


def table_of(outcomes: Sequence[Outcome]) -> str:
    """Return the outcomes as a table in Markdown."""
    lines = [
        f"| {THREADS} threads, one expired token | calls answered | refreshes sent | the login |",
        "|---|---|---|---|",
    ]
    for one in outcomes:
        lives = "lives" if one.login_lives else "is lost"
        lines.append(f"| {one.name} {one.version} | {one.answered} | {one.refreshes} | {lives} |")
    note = "`./dev demo --readme` measured this in one run: each library on the same server, with a login of its own."
    return "\n".join([*lines, "", note])


def write_table(readme: Path, outcomes: Sequence[Outcome]) -> None:
    """Replace the table between the markers of a page."""
    before, _, rest = readme.read_text("utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    readme.write_text(f"{before}{BEGIN}\n{table_of(outcomes)}\n{END}{after}", "utf-8")

"""What windows of tmux show: kept as pictures of a light and of a dark terminal, in colors that both can show."""

from __future__ import annotations

import os
import re
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import DEFAULT_TERMINAL_THEME, SVG_EXPORT_THEME
from rich.text import Text

from tests.cli.processes.tmux import Tmux

ROOT = Path(__file__).resolve().parents[3]
THEMES = {"light": DEFAULT_TERMINAL_THEME, "dark": SVG_EXPORT_THEME}
READABLE = {0, 1, 2, 3, 22, 23, 31, 32, 35, 39, 49}
"""Parameters of SGR (ECMA-48 §8.3.117): no color, bold, dim, italic, red, green and magenta."""
QR_CODE = {0, 1, 22, 97, 40}
"""Those of a QR code, which has its own background: bright white on black, and the end of it."""


def keep(window: Tmux, name: str) -> None:
    """Keep pictures of the window, whose colors are readable on a light and on a dark terminal."""
    text = window.shown(colored=True)
    for found in re.findall(r"\x1b\[([\d;]*)m", text):
        parameters = {int(one or 0) for one in found.split(";")}
        assert parameters <= READABLE or parameters <= QR_CODE, f"{name}: the color {found}"
    folder = Path(os.environ.get("DOORKEY_ARTIFACTS") or ROOT / "artifacts") / "terminals"
    folder.mkdir(parents=True, exist_ok=True)
    with open(os.devnull, "w", encoding="utf-8") as nowhere:  # noqa: PTH123
        console = Console(record=True, width=80, file=nowhere, highlight=False, force_terminal=True)
        console.print(Text.from_ansi(text))
    for theme, colors in THEMES.items():
        svg = console.export_svg(title=name, theme=colors, clear=False)
        (folder / f"{name}-{theme}.svg").write_text(svg, "utf-8")

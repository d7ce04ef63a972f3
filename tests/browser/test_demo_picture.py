"""The demo as a picture in Chromium: as a dark and as a light terminal of 80 columns show it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from rich.console import Console
from rich.terminal_theme import DEFAULT_TERMINAL_THEME, SVG_EXPORT_THEME

from demo.__main__ import run
from demo.embedded import embedded
from demo.picture import svg_of

if TYPE_CHECKING:
    from playwright.sync_api import Page

ROOT = Path(__file__).resolve().parents[2]


def test_the_picture_of_a_run_needs_nothing_from_elsewhere(chromium: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with open(os.devnull, "w", encoding="utf-8") as nowhere:  # noqa: PTH123
        console = Console(record=True, width=80, file=nowhere, highlight=False)
        assert all(run(embedded(), console))
    requested: list[str] = []
    chromium.on("request", lambda request: requested.append(request.url))
    folder = Path(os.environ.get("DOORKEY_ARTIFACTS") or ROOT / "artifacts") / "screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    chromium.set_viewport_size({"width": 1000, "height": 1100})
    for name, theme in (("light", DEFAULT_TERMINAL_THEME), ("dark", SVG_EXPORT_THEME)):
        chromium.set_content(f"<!DOCTYPE html><title>demo</title>{svg_of(console, theme)}")
        chromium.get_by_text("steps did what they say").wait_for()
        chromium.screenshot(path=folder / f"demo-{name}.png", full_page=True)
    assert requested == []

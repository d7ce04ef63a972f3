"""The folder that the site is built from."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.docs.staging import stage, with_generated

CONFIG = "nav:\n  - Reference:\n      - First: first.md\n      # generated: reference\n"


def test_generated_pages_are_in_the_navigation_where_the_file_says() -> None:
    filled = with_generated(CONFIG, {"reference": [("doorkey: all", "reference/doorkey.md")]})
    assert filled == ('nav:\n  - Reference:\n      - First: first.md\n      - "doorkey: all": reference/doorkey.md\n')


def test_pages_without_a_place_in_the_navigation_are_an_error() -> None:
    with pytest.raises(LookupError, match="generated: errors"):
        with_generated(CONFIG, {"reference": [], "errors": [("Errors", "errors.md")]})


def test_a_page_that_was_written_by_hand_is_not_replaced(tmp_path: Path) -> None:
    with pytest.raises(FileExistsError, match=r"docs/start\.md"):
        stage({"start.md": "# Generated\n"}, {}, tmp_path / "staged")

"""The list of pages for programs that read documentation."""

from __future__ import annotations

from pathlib import Path

from tools.docs.llms import summary, title, write

PAGE = "# The `page`\n\n| a table |\n|---|\n\n`Name` does [this](x.md), and\nthat. More.\n\n```python\ncode\n```\n"


def test_a_page_is_listed_with_its_heading_and_its_first_sentence() -> None:
    assert title(PAGE) == "The page"
    assert summary(PAGE) == "`Name` does this, and that."
    assert summary("# Only code\n\n```python\nx\n```\n") == ""


def test_the_full_text_has_the_pages_that_were_written_by_hand(tmp_path: Path) -> None:
    docs = tmp_path / "docs"
    (docs / "reference").mkdir(parents=True)
    (docs / "index.md").write_text("# doorkey\n\nIt works.\n", "utf-8")
    (docs / "reference" / "doorkey.md").write_text("# doorkey\n\nMade from the code.\n", "utf-8")
    config = tmp_path / "mkdocs.yml"
    config.write_text('nav:\n  - Start:\n      - doorkey: index.md\n      - "doorkey": reference/doorkey.md\n', "utf-8")
    write(config)
    assert (docs / "llms.txt").read_text("utf-8") == (
        "# doorkey\n\n> It works.\n\n## Pages\n\n- [doorkey](index.md): It works.\n"
        "- [doorkey](reference/doorkey.md): Made from the code.\n"
    )
    full = (docs / "llms-full.txt").read_text("utf-8")
    assert "<!-- index.md -->" in full
    assert "Made from the code" not in full

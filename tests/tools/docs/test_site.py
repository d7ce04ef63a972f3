"""The site, built as `./dev docs --build` does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tools.docs import __main__ as command
from tools.docs.__main__ import build, once
from tools.docs.staging import stage

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def site() -> Path:
    built = once()
    assert built is not None
    return built


def test_each_page_is_built(site: Path) -> None:
    pages = [page.relative_to(ROOT / "docs").with_suffix(".html") for page in (ROOT / "docs").rglob("*.md")]
    assert [str(page) for page in pages if not (site / page).is_file()] == []


def test_search_knows_every_page(site: Path) -> None:
    index = (site / "search.json").read_text("utf-8")
    assert [page.name for page in (ROOT / "docs").glob("*.md") if f"{page.stem}.html" not in index] == []


def test_programs_find_the_pages_as_markdown(site: Path) -> None:
    listed = re.findall(r"^- \[[^\]]+\]\(([^)]+)\): ", (site / "llms.txt").read_text("utf-8"), re.MULTILINE)
    assert len(listed) > 100
    assert [name for name in listed if not (site / name).is_file()] == []


def broken(page: str, folder: Path) -> Path:
    return stage(
        {"broken.md": page},
        {"reference": [("Broken", "broken.md")], "security": [("Security", "security.md")], "project": []},
        folder / "staged",
    )


def test_a_link_to_a_heading_that_is_not_there_fails_the_build(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert build(broken("# Broken\n\n[x](start.md#no-such-heading)\n", tmp_path)) is None
    assert "broken.md:3" in re.sub(r"\x1b\[[\d;]*m", "", capfd.readouterr().err)


def test_a_picture_that_is_not_there_fails_the_build(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert build(broken("# Broken\n\n![x](no-such-picture.png)\n", tmp_path)) is None
    assert "broken.html: no-such-picture.png leads nowhere" in capfd.readouterr().err


def test_a_site_of_the_same_files_is_not_built_again(site: Path) -> None:
    built = (site / "index.html").stat().st_mtime_ns
    assert once() == site
    assert (site / "index.html").stat().st_mtime_ns == built


def test_each_change_of_a_file_is_another_site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "ROOT", tmp_path)
    (tmp_path / "docs").mkdir()
    page, other = tmp_path / "docs" / "one.md", tmp_path / "docs" / "two.md"
    digests = [command._digest()]
    for change in (
        lambda: page.write_text("one"),
        lambda: page.write_text("two"),
        lambda: page.rename(other),
        lambda: page.write_text(""),
        lambda: (tmp_path / "mkdocs.yml").write_text(""),
    ):
        change()
        digests.append(command._digest())
    assert len(set(digests)) == len(digests)
    page.unlink()
    (tmp_path / "mkdocs.yml").unlink()
    assert command._digest() == digests[-3]

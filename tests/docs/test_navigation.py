"""The navigation of the site, mkdocs.yml, names each page once, and nothing comes from another host."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CONFIG = (ROOT / "mkdocs.yml").read_text("utf-8")
NAMED = re.findall(r"([\w./-]+\.md)$", CONFIG, re.MULTILINE)


def test_the_navigation_names_each_page_of_docs_once() -> None:
    pages = sorted(page.relative_to(ROOT / "docs").as_posix() for page in (ROOT / "docs").rglob("*.md"))
    assert sorted(NAMED) == pages, "mkdocs.yml: add new pages to `nav`, and remove those that are gone"


def test_the_site_asks_no_other_host() -> None:
    assert "font: false" in CONFIG
    assert "://" not in CONFIG
    assert "url(" not in (ROOT / "docs" / "site.css").read_text("utf-8")


def test_pictures_and_styles_load_nothing_from_elsewhere() -> None:
    pictures = sorted((ROOT / "docs").rglob("*.svg"))
    assert pictures
    for picture in pictures:
        hosts = re.findall(r"https?://[^\"'\s<]+", picture.read_text("utf-8"))
        assert set(hosts) <= {"http://www.w3.org/2000/svg"}, picture

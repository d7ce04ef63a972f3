"""The documentation site in Chromium: readable in light and dark, on a phone and on a desktop, with search."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Literal

import pytest

from tests.support.browser_fixtures import SCHEMES, WIDTHS, accessibility_problems, screenshots
from tests.support.serving_thread import serving_thread
from tools.docs.__main__ import once

if TYPE_CHECKING:
    from playwright.sync_api import Page

PAGES = {
    "index": "index.html",
    "which-class": "which-class.html",
    "module": "reference/doorkey.sources.html",
    "options": "reference/options.html",
    "errors": "reference/errors.html",
    "measured": "bench.html",
}


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None: ...  # noqa: A002  # the name of the base class


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    folder = once()
    assert folder is not None
    with serving_thread(ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))) as url:
        yield f"{url}/"


@pytest.mark.parametrize("name", PAGES)
def test_a_page_fits_each_screen(chromium: Page, site: str, name: str) -> None:
    chromium.goto(site + PAGES[name])
    for width, height in WIDTHS.items():
        chromium.set_viewport_size({"width": width, "height": height})
        for scheme in SCHEMES:
            chromium.emulate_media(color_scheme=scheme)
            chromium.screenshot(path=screenshots() / f"docs-{name}-{scheme}-{width}.png")
        assert chromium.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{width} px"


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_first_page_is_accessible(chromium: Page, site: str, scheme: Literal["light", "dark"]) -> None:
    chromium.emulate_media(color_scheme=scheme)
    chromium.goto(site + "index.html")
    of_the_theme = ("landmark-unique",)  # two lists of one navigation have the same label
    assert [one for one in accessibility_problems(chromium) if not one.startswith(of_the_theme)] == []


def test_search_finds_a_class_and_leads_to_it(chromium: Page, site: str) -> None:
    chromium.goto(site + "index.html")
    chromium.get_by_role("button", name="Search").first.click()
    box = chromium.get_by_role("combobox")
    box.fill("TokenVault")
    chromium.get_by_text(re.compile(r"^\d+ results$")).wait_for()
    box.press("Enter")
    chromium.wait_for_url("**/reference/doorkey.vault.html?*#doorkey.vault.TokenVault")
    assert "TokenVault" in chromium.locator('[id="doorkey.vault.TokenVault"]').inner_text()


def test_no_page_asks_another_host(chromium: Page, site: str) -> None:
    asked: list[str] = []
    chromium.on("request", lambda request: asked.append(request.url))
    for path in PAGES.values():
        chromium.goto(site + path)
    assert [url for url in asked if not url.startswith((site, "data:", "blob:"))] == []


def test_a_reader_can_choose_dark_colors(chromium: Page, site: str) -> None:
    chromium.emulate_media(color_scheme="light")
    chromium.goto(site + "index.html")
    scheme = "document.body.getAttribute('data-md-color-scheme')"
    assert chromium.evaluate(scheme) == "default"
    chromium.emulate_media(color_scheme="dark")
    chromium.wait_for_function(f"{scheme} === 'slate'")

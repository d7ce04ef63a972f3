"""The fixtures of tests in a real browser: `chromium`, a fresh window, and `shots`, which keeps pictures of pages.

Debian's Chromium runs without a display, driven by Playwright, for tests/browser only. It resolves loopback
names only. The names of `.test` lead to 127.0.0.1, for tests that need several sites.

While a test has a browser, an event loop of Playwright's runs in its thread: `asyncio.run` works in other threads only.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import pytest

from tests.servers.process import Unavailable
from tests.servers.programs import CHROMIUM
from tests.support.server_fixtures import unavailable

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page

ROOT = Path(__file__).resolve().parents[2]
WIDTHS = {360: 740, 1440: 900}
"""The widths of a phone and of a desktop, with the height of each."""
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
RULES = "MAP *.test 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost, EXCLUDE *.localhost"
MAX_SECONDS = 20
NewWindow: TypeAlias = "Callable[[], Page]"
Shots: TypeAlias = "Callable[[Page, str], None]"


@contextmanager
def running_chromium() -> Generator[Browser]:
    """Start a Chromium for `browser_process`. Its windows share no cookies: each is a context of its own."""
    try:
        CHROMIUM.ensure_installed()
        from playwright.sync_api import Error, sync_playwright
    except (Unavailable, ImportError) as error:
        unavailable(CHROMIUM.name, error)
    with sync_playwright() as playwright:
        arguments = [f"--host-resolver-rules={RULES}"]
        try:
            browser = playwright.chromium.launch(executable_path=CHROMIUM.path(), headless=True, args=arguments)
        except Error as error:
            unavailable(CHROMIUM.name, error.message.splitlines()[0])
        yield browser
        browser.close()


@pytest.fixture
def new_window(browser_process: Browser) -> Iterator[NewWindow]:
    """Call it for a page in a new browser with no cookies. The test fails if a policy of a page was violated."""
    contexts: list[BrowserContext] = []
    violations: list[str] = []

    def watch(message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text:
            violations.append(message.text)

    def open_one() -> Page:
        context = browser_process.new_context(ignore_https_errors=True, locale="en-US")
        context.set_default_timeout(MAX_SECONDS * 1000)
        context.on("console", watch)
        contexts.append(context)
        return context.new_page()

    yield open_one
    for context in contexts:
        context.close()
    assert violations == []


@pytest.fixture
def chromium(new_window: NewWindow) -> Page:
    """A page of Playwright in a browser with no cookies; `chromium.context.new_page()` is another tab of it."""
    return new_window()


@pytest.fixture
def shots() -> Shots:
    """Call it with a page and a name to keep pictures in light and dark, as on a phone and on a desktop.

    They are kept in `artifacts/` (or DOORKEY_ARTIFACTS). The page must be accessible in each of them, as axe-core
    checks it (WCAG 2.2 A and AA), and must not scroll sideways.
    """
    return shots_in(screenshots())


def screenshots() -> Path:
    """Return the folder of pictures, which is made if it is missing."""
    folder = Path(os.environ.get("DOORKEY_ARTIFACTS") or ROOT / "artifacts") / "screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def shots_in(folder: Path) -> Shots:
    """Return what keeps the pictures in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)

    def keep(page: Page, name: str) -> None:
        for width, height in WIDTHS.items():
            page.set_viewport_size({"width": width, "height": height})
            for scheme in SCHEMES:
                page.emulate_media(color_scheme=scheme)
                page.screenshot(path=folder / f"{name}-{scheme}-{width}.png", full_page=True)
                assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{name}: {width} px"
                assert accessibility_problems(page) == [], f"{name}: {scheme}, {width} px"
        page.emulate_media(color_scheme="null")

    return keep


def accessibility_problems(page: Page) -> list[str]:
    """Return what axe-core finds: the rule, the element and the reason."""
    if not page.evaluate("typeof axe === 'object'"):
        page.evaluate((files("axe_playwright_python") / "axe.min.js").read_text("utf-8"))
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    result: dict[str, Any] = page.evaluate("tags => axe.run(document, {runOnly: tags})", tags)
    return [
        f"{rule['id']}: {node['html']}: {node['failureSummary']}"
        for rule in result["violations"]
        for node in rule["nodes"]
    ]

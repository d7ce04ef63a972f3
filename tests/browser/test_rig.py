"""The fixtures themselves: what they must notice, and what a page in the browser cannot reach."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from doorkey.pages.layout import page
from doorkey.pages.markup import fill
from tests.support.browser_fixtures import shots_in

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.support.browser_fixtures import NewWindow

FAULTY = {
    "a field without a label": (fill('<form><input type="text" name="x"></form>'), "label"),
    "text that is hard to read": (fill('<p style="color: #999; background: #aaa">Read me</p>'), "color-contrast"),
    "an image without a text": (fill('<img src="data:image/gif;base64,R0lGODlhAQABAAAAACw=">'), "image-alt"),
    "a line that is too wide": (fill('<p style="width: 2000px">wide</p>'), "px"),
}


@pytest.mark.parametrize("fault", FAULTY)
def test_a_page_with_a_fault_is_not_accepted(chromium: Page, tmp_path: Path, fault: str) -> None:
    content, problem = FAULTY[fault]
    chromium.set_content(page("A page", content))
    with pytest.raises(AssertionError, match=problem):
        shots_in(tmp_path)(chromium, "faulty")


def test_windows_share_no_cookies_and_tabs_do(new_window: NewWindow) -> None:
    one, other = new_window(), new_window()
    one.context.add_cookies([{"name": "a", "value": "1", "url": "http://127.0.0.1/"}])
    assert len(one.context.new_page().context.cookies()) == 1
    assert other.context.cookies() == []


def test_the_browser_reaches_no_other_machine(chromium: Page) -> None:
    from playwright.sync_api import Error

    with pytest.raises(Error, match="ERR_NAME_NOT_RESOLVED"):
        chromium.goto("http://example.org/")

"""Every page in Chromium: it is accessible in light and dark, on a phone and on a desktop, and needs no script."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from doorkey.pages import choice_page, error_page, logged_out_page

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.support.browser_fixtures import Shots

LONG = "an-extremely-long-word-that-no-browser-can-break-" * 4
PAGES = {
    "login-error": error_page(
        "This login has expired",
        "You took longer than ten minutes to log in.",
        "Log in again. If this happens again, go back to the application and start there.",
        retry_url="/auth/login",
        retry_label="Log in again",
        site="Example Shop",
    ),
    "login-error-for-developers": error_page(
        "This login was begun under another name",
        "The application was opened as localhost, and the provider sent you back to 127.0.0.1.",
        "Open the application under one name only, and log in again.",
        retry_url="/auth/login",
        developer_note="The redirect URI has the host 127.0.0.1, and the cookie was set for localhost. Set the base "
        "URL of the login to the address in the browser. Behind a proxy, also use ProxyFix (Flask), --proxy-headers "
        "(uvicorn) or SECURE_PROXY_SSL_HEADER (Django).",
        site="Example Shop",
    ),
    "login-error-long": error_page(LONG, LONG, LONG, retry_url="/", retry_label=LONG, site=LONG),
    "choice": choice_page(
        [("Google", "/a"), ("Microsoft Entra", "/b"), ("GitHub", "/c"), ("The company's own login", "/d")],
        title="Log in to Example Shop",
        site="Example Shop",
    ),
    "logged-out": logged_out_page(login_url="/auth/login", home_url="/", site="Example Shop"),
}


@pytest.mark.parametrize("name", PAGES)
def test_a_page_of_the_login_is_accessible(chromium: Page, shots: Shots, name: str) -> None:
    chromium.set_content(PAGES[name])
    shots(chromium, name)


def test_the_note_for_the_developer_opens_by_the_keyboard(chromium: Page) -> None:
    chromium.set_content(PAGES["login-error-for-developers"])
    note = chromium.get_by_text("ProxyFix")
    assert not note.is_visible()
    chromium.keyboard.press("Tab")
    assert chromium.evaluate("document.activeElement.textContent") == "Try again"
    chromium.keyboard.press("Tab")
    chromium.keyboard.press("Enter")
    assert note.is_visible()


def test_a_focused_link_has_a_visible_outline(chromium: Page) -> None:
    chromium.set_content(PAGES["choice"])
    chromium.keyboard.press("Tab")
    outline = chromium.evaluate("getComputedStyle(document.activeElement).outline")
    assert "3px" in outline

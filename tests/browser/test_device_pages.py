"""The pages of a login on another device, in Chromium."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from doorkey.dev import Provider, client
from doorkey.errors import AccessDenied
from doorkey.integrations.requests_client import OAuth2Session

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from tests.support.browser_fixtures import Shots


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with Provider(clients=[client("living-room-tv", client_name="Living Room TV")]) as provider:
        yield provider


@pytest.fixture
def tv(provider: Provider) -> Iterator[OAuth2Session]:
    with OAuth2Session(
        "living-room-tv",
        issuer=provider.issuer,
        scope="openid email offline_access",
        clock=provider.clock,
        sleep=provider.advance,
    ) as session:
        yield session


def log_in(page: Page) -> None:
    page.get_by_label("User name").fill("alice")
    page.get_by_label("Password").fill("wonderland")
    page.get_by_role("button", name="Log in").click()


def test_every_page_from_the_code_to_the_end_is_accessible(chromium: Page, shots: Shots, tv: OAuth2Session) -> None:
    device = tv.begin_device_authorization()
    chromium.goto(device.verification_uri)
    shots(chromium, "device-code")
    chromium.get_by_label("Code").fill("BCDF-GHJK")
    chromium.get_by_role("button", name="Continue").click()
    shots(chromium, "device-code-wrong")
    chromium.goto(device.verification_uri_complete or "")
    shots(chromium, "device-code-complete")
    chromium.get_by_role("button", name="Continue").click()
    chromium.get_by_text("Living Room TV").wait_for()
    log_in(chromium)
    assert chromium.get_by_text(device.user_code).count() == 1
    shots(chromium, "device-question")
    chromium.get_by_role("button", name="Allow", exact=True).click()
    shots(chromium, "device-allowed")
    assert tv.finish_device_authorization(device).id_token_claims is not None


def test_the_code_is_typed_with_the_keyboard_alone_and_without_scripts(
    browser_process: Browser, tv: OAuth2Session
) -> None:
    context = browser_process.new_context(java_script_enabled=False)
    page = context.new_page()
    device = tv.begin_device_authorization()
    page.goto(device.verification_uri)
    page.locator("#user_code:focus").wait_for()  # the field gets the focus
    page.keyboard.type(device.user_code.lower().replace("-", " "))
    page.keyboard.press("Enter")
    log_in(page)
    page.get_by_role("button", name="Do not allow").click()
    page.get_by_text("was not allowed to log in").wait_for()
    with pytest.raises(AccessDenied):
        tv.finish_device_authorization(device)
    context.close()

"""Session Management 1.0 in Chromium: a page notices that the user has logged out at the provider."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import pytest

from doorkey.testing import Provider, client
from tests.servers.process import port_of_ones_own
from tests.support.real_providers import Registered, at_provider, register
from tests.support.web_workers import PATIENCE, UVICORN, running

if TYPE_CHECKING:
    from playwright.sync_api import Page

PROGRAM: Final = """
from fastapi import FastAPI
from fastapi.responses import HTMLResponse
from doorkey.login import Login

app, login = FastAPI(), Login.from_env()
login.mount(app)

PAGE = '<!DOCTYPE html><html lang="en"><title>Page</title><p>{0}</p><iframe src="/auth/session" hidden></iframe></html>'

@app.get("/", response_class=HTMLResponse)
def home(user: login.OptionalUser):
    return PAGE.format(f"user {user.sub}" if user else "nobody")
"""
HEARD: Final = """
addEventListener("message", ({ data }) => console.log(`heard ${data}`));
"""
"""A script for every frame: the console shows what arrives there."""


@pytest.mark.parametrize("provider", ["embedded", "keycloak"])
def test_oidcc_client_test_session_management(
    provider: str, tmp_path: Path, chromium: Page, request: pytest.FixtureRequest
) -> None:
    """The part of the row that only a browser can run: unchanged, a logout at the provider, changed."""
    chromium.set_default_timeout(PATIENCE * 1000)
    chromium.context.add_init_script(HEARD)
    heard: list[str] = []
    chromium.on("console", lambda message: heard.append(message.text))
    with served(provider, tmp_path, request) as (origin, logout):
        chromium.goto(f"{origin}/auth/login")
        assert "login" in at_provider(chromium, origin)
        chromium.get_by_text("user").wait_for()
        with chromium.expect_console_message(lambda message: message.text == "heard unchanged"):
            pass
        assert "heard changed" not in heard
        other = chromium.context.new_page()
        other.goto(logout)
        other.locator("button[type=submit], input[type=submit]").first.click()
        other.wait_for_load_state()
        chromium.get_by_text("nobody").wait_for()
        assert "heard changed" in heard
        assert urlsplit(chromium.url).path == "/"
        assert "login" in at_provider(goes_to(chromium, f"{origin}/auth/login"), origin)


def test_a_browser_that_keeps_cookies_from_frames_logs_no_user_out(
    tmp_path: Path, chromium: Page, request: pytest.FixtureRequest
) -> None:
    """The frame of the provider at another site says "changed" each time. It is believed once."""
    chromium.set_default_timeout(PATIENCE * 1000)
    logins: list[str] = []
    chromium.on("request", lambda sent: logins.append(sent.url) if "/auth/login" in sent.url else None)
    with served("embedded", tmp_path, request, host="localhost") as (origin, _):
        goes_to(chromium, f"{origin}/auth/login")
        assert at_provider(chromium, origin) == ["login"]
        with chromium.expect_console_message(lambda message: "keeps its cookies from its frame" in message.text):
            pass
        assert len(logins) == 2
        assert chromium.get_by_text("user").is_visible()


def goes_to(page: Page, url: str) -> Page:
    page.goto(url)
    return page


@contextmanager
def served(
    provider: str, folder: Path, request: pytest.FixtureRequest, host: str = "127.0.0.1"
) -> Generator[tuple[str, str]]:
    """Run the program at a provider; yield its origin and the URL of the provider's logout page."""
    port = port_of_ones_own()
    origin = f"http://127.0.0.1:{port}"
    with ExitStack() as stack:
        if provider == "embedded":
            program = client("program", "its-secret", redirect_uris=[f"{origin}/auth/callback"])
            embedded = stack.enter_context(Provider(clients=[program]))
            at = Registered(embedded.issuer.replace("127.0.0.1", host), "program", "its-secret")
        else:
            at = register(request.getfixturevalue(provider), origin)
        (folder / "program.py").write_text(PROGRAM)
        environment = {
            "DOORKEY_ISSUER": at.issuer,
            "DOORKEY_CLIENT_ID": at.client_id,
            "DOORKEY_CLIENT_SECRET": at.client_secret,
            "DOORKEY_SECRET": "0" * 32,
            "DOORKEY_SESSIONS": "memory:",
        }
        stack.enter_context(running(UVICORN, "program:app", environment, port=port, workers=1, folder=folder))
        yield origin, f"{at.issuer}/protocol/openid-connect/logout"

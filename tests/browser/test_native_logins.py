"""Logins of a native app and of the command line in Chromium: what the user sees, at the end and where it fails."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING

import pytest

from doorkey.dev import Provider, client
from doorkey.login.errors import LoginRefused
from doorkey.native import NativeLogin, login_in_browser
from tests.support.cli_runner import Terminal, finished

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.support.browser_fixtures import Shots

TOOL, QUICK = "my-tool", "quick-tool"


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    uris = ["http://127.0.0.1/callback"]
    careful, quick = client(TOOL, redirect_uris=uris, require_consent=True), client(QUICK, redirect_uris=uris)
    with Provider(clients=[careful, quick]) as running:
        yield running


@pytest.fixture
def begun(provider: Provider) -> Iterator[tuple[str, Future[NativeLogin]]]:
    """A login that waits for the browser: the URL that it opens, and its outcome."""
    opened: SimpleQueue[str] = SimpleQueue()
    with ThreadPoolExecutor(1) as thread:
        future = thread.submit(
            login_in_browser, provider.issuer, TOOL, open_browser=opened.put, show=str, prompt="consent"
        )
        yield opened.get(timeout=20), future


def log_in(page: Page, url: str) -> None:
    """Log alice in."""
    page.goto(url)
    page.get_by_label("User name").fill("alice")
    page.get_by_label("Password").fill("wonderland")
    page.get_by_role("button", name="Log in").click()


def test_the_window_shows_that_the_login_succeeded(
    chromium: Page, shots: Shots, begun: tuple[str, Future[NativeLogin]]
) -> None:
    url, future = begun
    log_in(chromium, url)
    chromium.get_by_role("button", name="Allow", exact=True).click()
    chromium.get_by_role("heading", name="You are logged in").wait_for()
    result = future.result(20)
    assert result.claims is not None
    assert result.claims["preferred_username"] == "alice"
    assert chromium.get_by_text("You can close this window").is_visible()
    shots(chromium, "native-logged-in")


def test_the_window_shows_that_the_user_refused(
    chromium: Page, shots: Shots, begun: tuple[str, Future[NativeLogin]]
) -> None:
    url, future = begun
    log_in(chromium, url)
    chromium.get_by_role("button", name="Do not allow").click()
    chromium.get_by_role("alert").wait_for()
    assert isinstance(future.exception(20), LoginRefused)
    assert chromium.get_by_role("heading", level=1).inner_text() == LoginRefused.title
    shots(chromium, "native-refused")


def test_the_command_line_opens_the_browser_and_keeps_the_login(
    chromium: Page, provider: Provider, tmp_path: Path
) -> None:
    pipe, program = tmp_path / "opened", tmp_path / "browser"
    os.mkfifo(pipe)
    program.write_text(f'#!/bin/sh\necho noise of the browser\nprintf %s "$1" > {pipe}\n', "utf-8")
    program.chmod(0o755)
    home = {"DOORKEY_HOME": str(tmp_path / "home"), "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"}
    environ = {**home, "BROWSER": str(program), "DISPLAY": ":0"}
    login = (
        sys.executable,
        "-m",
        "doorkey",
        "login",
        provider.issuer,
        "--client-id",
        QUICK,
        "--account",
        "work",
        "--browser",
    )
    with Terminal(*login, env=environ) as terminal:
        terminal.until("127.0.0.1")
        log_in(chromium, pipe.read_text("utf-8"))
        chromium.get_by_role("heading", name="You are logged in").wait_for()
        shown = terminal.until("Logged in as alice")
        assert terminal.status() == 0
    assert "noise" not in shown
    token = finished("token", "work", env={**os.environ, **home})
    assert (token.returncode, token.stderr) == (0, "")
    assert token.stdout.count(".") == 2

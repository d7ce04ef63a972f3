"""Logins of a native app and of the command line at Keycloak, in Chromium."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from doorkey.native import NativeLogin, alogin_in_browser, login_in_browser
from tests.servers.handle import RealServer
from tests.support.cli_runner import finished, on_terminal

if TYPE_CHECKING:
    from playwright.sync_api import Page

CLIENT = "public-native"


def log_in(page: Page, url: str) -> None:
    """Log alice in at Keycloak, and wait for the page that the program shows."""
    page.goto(url)
    page.locator("input[name=username]").fill("alice")
    page.locator("input[name=password]").fill("wonderland")
    page.locator("button[type=submit], input[type=submit]").first.click()
    page.get_by_role("heading", name="You are logged in").wait_for()


def awaited(*args: Any, **options: Any) -> NativeLogin:
    return anyio.run(partial(alogin_in_browser, *args, **options))


@pytest.mark.parametrize("call", [login_in_browser, awaited], ids=["blocking", "asyncio"])
def test_a_native_app_logs_in_with_the_browser(
    chromium: Page, keycloak: RealServer, call: Callable[..., NativeLogin]
) -> None:
    opened: SimpleQueue[str] = SimpleQueue()
    with ThreadPoolExecutor(1) as thread:
        future = thread.submit(call, keycloak.issuer, CLIENT, open_browser=opened.put, show=str, timeout=60)
        log_in(chromium, opened.get(timeout=30))
        result = future.result(30)
    assert result.claims is not None
    assert result.claims["preferred_username"] == "alice"
    assert result.token["refresh_token"]


def test_the_command_line_logs_in_with_the_browser(chromium: Page, keycloak: RealServer, tmp_path: Path) -> None:
    opened, program = tmp_path / "opened", tmp_path / "browser"
    program.write_text(f'#!/bin/sh\nprintf %s "$1" > {opened}.new\nmv {opened}.new {opened}\n', "utf-8")
    program.chmod(0o755)
    home = {"DOORKEY_HOME": str(tmp_path / "home"), "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"}
    environ = {**home, "BROWSER": str(program), "DISPLAY": ":0"}
    with on_terminal("login", keycloak.issuer, "--client-id", CLIENT, "--browser", env=environ) as terminal:
        shown = terminal.until("code_challenge_method=S256")
        log_in(chromium, next(word for word in shown.split() if "code_challenge" in word))
        terminal.until("Logged in as alice")
        assert terminal.status() == 0
    assert opened.read_text("utf-8") in shown
    token = finished("token", env={**os.environ, **home})
    assert (token.returncode, token.stderr) == (0, "")
    assert token.stdout.count(".") == 2

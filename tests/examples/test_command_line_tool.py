"""The tool of the tutorial: its first run logs alice in, and its second one needs no login."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
import requests

from doorkey.testing import Provider, Settings

PROGRAM = Path(__file__).resolve().parents[2] / "examples" / "command_line_tool.py"
DESKTOP = {"VSCODE_IPC_HOOK_CLI": "/run/editor", "BROWSER": "true"}
"""The terminal of an editor, which opens the browser of its user."""
SSH = {"SSH_TTY": "/dev/pts/0"}
ABSENT = ("CI", "BROWSER", "DISPLAY", "SSH_CLIENT", "SSH_CONNECTION", "SSH_TTY")
URL = r"http\S+/auth\?\S+"
CODE = r"\b[A-Z]{4}-[A-Z]{4}\b"


def in_the_browser(provider: Provider, url: str) -> None:
    """Log in at the URL that the tool printed, and come back to the tool."""
    page = requests.get(provider.log_in(url, "alice"), timeout=60)
    assert page.status_code == 200


def on_another_device(provider: Provider, code: str) -> None:
    """Enter the code that the tool printed, and log in."""
    provider.approve_device(code, "alice")


@pytest.mark.parametrize(
    ("machine", "shown", "log_in"),
    [(DESKTOP, URL, in_the_browser), (SSH, CODE, on_another_device)],
    ids=["desktop", "ssh"],
)
def test_the_first_run_logs_the_user_in_and_the_second_uses_the_token(
    machine: Mapping[str, str], shown: str, log_in: Callable[[Provider, str], None], tmp_path: Path
) -> None:
    command: list[str | Path] = [sys.executable, "-W", "error", PROGRAM]
    with Provider(realms={"master": Settings(device_interval=1)}) as provider:
        inherited = {name: value for name, value in os.environ.items() if name not in ABSENT}
        mine = {"ISSUER": provider.issuer, "XDG_DATA_HOME": str(tmp_path), "NO_PROXY": "*", **machine}
        environment = inherited | mine
        with subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as tool:
            assert tool.stderr
            assert tool.stdout
            found = next(match for line in tool.stderr if (match := re.search(shown, line)))
            log_in(provider, found[0])
            assert "You are logged in." in tool.stderr.read()
            assert tool.stdout.read() == "Hello Alice Example\n"
        assert tool.returncode == 0
        again = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        assert (again.stdout, again.stderr) == ("Hello Alice Example\n", "")
    folder = tmp_path / "hello"
    assert {path.stat().st_mode & 0o077 for path in [folder, *folder.iterdir()]} == {0}

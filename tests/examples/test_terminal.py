"""The commands of the README, in a shell, at a provider that `doorkey dev` has started."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from tests.servers.browser import Browser

README = Path(__file__).resolve().parents[2] / "README.md"
COMMANDS = re.findall(r"^```sh\n(.*?)^```", README.read_text("utf-8"), re.DOTALL | re.MULTILINE)

DESKTOP = {"VSCODE_IPC_HOOK_CLI": "/run/editor", "BROWSER": "true"}
"""The terminal of an editor, which opens the browser of its user."""


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """A home directory without accounts, and the script `doorkey` of this checkout first in the path."""
    script = tmp_path / "bin" / "doorkey"
    script.parent.mkdir()
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m doorkey "$@"\n')
    script.chmod(0o700)
    mine = {"DOORKEY_HOME": str(tmp_path / "home"), "NO_PROXY": "*", "NO_COLOR": "1", **DESKTOP}
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("CI", "SSH_", "DOORKEY_"))}
    return {**inherited, **mine, "PATH": f"{script.parent}{os.pathsep}{os.environ['PATH']}"}


@pytest.fixture
def origin(environment: dict[str, str]) -> Iterator[str]:
    """Where `doorkey dev` listens."""
    with subprocess.Popen(["doorkey", "dev", "--port", "0"], env=environment, stdout=subprocess.PIPE, text=True) as dev:
        assert dev.stdout
        found = next(match for line in dev.stdout if (match := re.search(r"http://[\w.]+:\d+", line)))
        yield found[0]
        dev.terminate()


def logged_in(command: str, environment: dict[str, str]) -> str:
    """Run the command of a login as alice, and return what it prints to stderr after the URL."""
    with subprocess.Popen(["sh", "-c", command], env=environment, stderr=subprocess.PIPE, text=True) as login:
        assert login.stderr
        url: str = next(word for line in login.stderr for word in line.split() if word.startswith("http"))
        with Browser("the embedded provider", "alice", "wonderland") as alice:
            callback: str = parse_qs(urlsplit(url).query)["redirect_uri"][0]
            requests.get(alice.authorize(url, callback), timeout=60)
        return login.stderr.read()


def test_the_commands_of_the_readme_log_in_and_use_the_token(environment: dict[str, str], origin: str) -> None:
    (block,) = COMMANDS
    login, *others = block.replace("http://127.0.0.1:8080", origin).splitlines()
    assert "Logged in as alice." in logged_in(login, environment)
    outputs: list[str] = []
    for command in others:
        done = subprocess.run(
            ["sh", "-c", command], env=environment, capture_output=True, text=True, check=False, timeout=60
        )
        assert done.returncode == 0, done.stdout + done.stderr
        outputs.append(done.stdout)
    called, inspected, audited = outputs
    assert '"authorization": "Bearer ' in called
    assert "no problem found" in inspected
    assert "Alice Example" in inspected
    assert f"authorization server {origin}/realms/master" in audited


def test_the_login_of_the_readme_by_a_code_on_another_device(environment: dict[str, str], origin: str) -> None:
    login = COMMANDS[0].replace("http://127.0.0.1:8080", origin).splitlines()[0]
    with subprocess.Popen(
        ["sh", "-c", f"{login} --device"], env=environment, stderr=subprocess.PIPE, text=True
    ) as tool:
        assert tool.stderr
        code = next(match for line in tool.stderr if (match := re.search(r"\b[A-Z]{4}-[A-Z]{4}\b", line)))[0]
        with Browser("the embedded provider", "alice", "wonderland") as alice:
            alice.device({"verification_uri": f"{origin}/realms/master/device", "user_code": code})
        assert "Logged in as alice." in tool.stderr.read()
    assert tool.returncode == 0

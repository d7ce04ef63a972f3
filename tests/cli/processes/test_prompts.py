"""Ctrl-C, wherever a command waits for the user or for a server, in a window of tmux: status 130 and nothing kept."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from doorkey.dev import Provider
from tests.cli.processes.panes import keep
from tests.cli.processes.tmux import Tmux

CLIENT = "--client-id public-native"
BROWSER, DEVICE = "waiting for the login in the browser", "waiting for the login on the other device"
WAITS = {
    "login-browser": (f"login ISSUER --no-browser {CLIENT}", BROWSER),
    "login-registered": ("login ISSUER --no-browser", BROWSER),
    "login-device": (f"login ISSUER --device {CLIENT}", DEVICE),
    "login-paste": (f"login ISSUER --paste {CLIENT}", "Paste it here: "),
    "login-secret": ("login ISSUER --client-id client-1 --client-secret-stdin", "Client secret: "),
    "login-silent": (f"login SILENT {CLIENT} --device", "waiting for http"),
    "trace-browser": (f"trace ISSUER --no-browser {CLIENT}", "waiting for the login or the server"),
    "trace-device": (f"trace ISSUER --device {CLIENT}", "waiting for the login or the server"),
    "doctor-silent": ("doctor SILENT", "auditing http"),
    "inspect-silent": ("inspect --issuer SILENT TOKEN", "fetching the keys of the issuer"),
    "inspect-paste": ("inspect", "Paste the token, then press Enter and Ctrl-D:"),
}
"""The arguments, and what is shown while the command waits."""


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with Provider() as provider:
        yield provider


@pytest.fixture(scope="module")
def silent() -> Iterator[socket.socket]:
    """A server that never answers: nothing accepts its connections."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


def test_a_token_that_is_longer_than_a_line_of_a_terminal_is_inspected_whole_and_not_shown(
    shell: Tmux, provider: Provider
) -> None:
    token = provider.token("alice", claims={"padding": "x" * 5000})
    shell.begin("doorkey inspect")
    shell.until("Paste the token, then press Enter and Ctrl-D:")
    shell.paste(token)
    shell.end_input()
    assert shell.ended() == 0, shell.shown()[-500:]
    assert "access token: no problem found" in shell.shown()
    assert token[:100] not in shell.shown()


@pytest.mark.parametrize("name", WAITS)
def test_ctrl_c_ends_a_command_that_waits_and_keeps_nothing(
    shell: Tmux, provider: Provider, silent: socket.socket, tmp_path: Path, name: str
) -> None:
    arguments, prompt = WAITS[name]
    named = {
        "ISSUER": provider.issuer,
        "SILENT": f"http://127.0.0.1:{silent.getsockname()[1]}",
        "TOKEN": provider.token(),
    }
    shell.begin("doorkey " + re.sub("|".join(named), lambda found: named[found[0]], arguments))
    shell.until(prompt)
    shell.interrupt()
    assert shell.ended() == 130, shell.shown()
    shown = shell.shown()
    assert "Traceback" not in shown
    assert shown.splitlines()[-1] == "[130]>", shown
    keep(shell, f"interrupted-{name}")
    assert not (tmp_path / "accounts").exists()

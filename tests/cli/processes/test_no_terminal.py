"""Every command without a terminal, in a session of its own: it ends by itself, and sends nothing to move a cursor."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from doorkey.dev import Provider
from tests.cli.logins import CLIENT, REALM, SECRET, logged_in
from tests.support.cli_runner import finished

COMMANDS = {
    "login --paste --client-id public-native ISSUER": 1,
    "login --client-id client-1 --client-secret-stdin ISSUER": 2,
    "token": 0,
    "run -- true": 0,
    "curl ORIGIN/echo": 0,
    "inspect": 1,
    "doctor ISSUER": 0,
    f"trace --client-id {CLIENT} --client-credentials ISSUER": 0,
    "status": 0,
    "accounts": 0,
    "logout --revoke": 0,
    "completion bash": 0,
}
"""The exit status of each: stdin is at its end, so a command that asks for something finds nothing."""


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_without_a_terminal_ends_by_itself(home: Path, server: Provider, command: str) -> None:
    logged_in(home, server)
    named = {"ISSUER": server.issuer_of(REALM), "ORIGIN": server.origin}
    arguments = [re.sub("|".join(named), lambda found: named[found[0]], word) for word in command.split()]
    environment = {**os.environ, "DOORKEY_CLIENT_SECRET": SECRET, "TERM": "xterm-256color"}
    done = finished(*arguments, env=environment, start_new_session=True, timeout=60)
    assert done.returncode == COMMANDS[command], done.stderr
    assert "\x1b" not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr

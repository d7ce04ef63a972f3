"""Every subcommand as a user types it, in windows of tmux with 80 columns, at the provider that `doorkey dev` runs."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from doorkey.cli.main import COMMANDS
from tests.cli.processes.logins import log_in_by_device, log_in_by_pasting, run_and_keep
from tests.cli.processes.panes import keep
from tests.cli.processes.tmux import Tmux


@pytest.fixture
def dev(tmux: None) -> Iterator[Tmux]:
    """A window in which a provider runs."""
    with Tmux({}, lines=100) as window:
        window.begin("doorkey dev --port 0")
        window.until("Ctrl-C stops the provider.")
        yield window


def test_every_subcommand_works_in_a_terminal_of_80_columns(dev: Tmux, shell: Tmux) -> None:
    shown = dev.shown()
    keep(dev, "dev")
    issuer = next(line.split()[1] for line in shown.splitlines() if line.startswith("issuer"))
    log_in_by_device(shell, issuer, "--client-id public-native", "login-device")
    log_in_by_pasting(shell, issuer, "login-paste")
    shell.run("export DOORKEY_CLIENT_SECRET=my-secret")
    for picture, (command, expected) in story(issuer).items():
        run_and_keep(shell, picture, command, expected)
    assert "doorkey: " in shell.run("doorkey status", status=3)
    typed = " ".join(command for command, _ in story(issuer).values())
    assert {"dev", "login", *re.findall(r"doorkey (\w+)", typed)} == set(COMMANDS)
    dev.interrupt()
    assert dev.ended() == 0


def story(issuer: str) -> dict[str, tuple[str, list[str]]]:
    """The commands after the logins: what the window shows of each, by the name of its picture."""
    origin = issuer.partition("/realms/")[0]
    of_client = f"{issuer} --client-id client-1 --client-credentials"
    return {
        "accounts": ("doorkey accounts", [r"\* tv ", "  work "]),
        "accounts-default": ("doorkey accounts --default work", []),
        "token": ("doorkey token", ["ey"]),
        "token-header": ("doorkey token --header", ["Authorization: Bearer ey"]),
        "run": ("doorkey run tv -- sh -c 'echo ${#DOORKEY_TOKEN} characters'", [r"\d{3,} characters"]),
        "curl": (f"doorkey curl {origin}/echo", ['"authorization": "Bearer', "first byte"]),
        "inspect": ("doorkey token | doorkey inspect", ["access token: no problem found", "Signature", "Claims"]),
        "doctor": (f"doorkey doctor {issuer}", ["authorization server http://127.0.0.1", "✓ ok", r"\d+ warnings?"]),
        "trace": (f"doorkey trace {of_client}", [r"1\. ", "→ POST ", "← status 200 in", "RFC 6749"]),
        "status": ("doorkey status", ["account       work", "logged in     yes", "token expires in"]),
        "logout": ("doorkey logout tv --revoke", [r"Logged out of tv\."]),
        "logout-all": ("doorkey logout --all", [r"Logged out of every account\."]),
        "completion": ("doorkey completion bash | bash -n", []),
    }

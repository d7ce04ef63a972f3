"""The commands that talk to a server, at Keycloak, in a window of tmux with 80 columns."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.processes.panes import keep
from tests.cli.processes.tmux import Tmux
from tests.servers.browser import Browser
from tests.servers.handle import RealServer


@pytest.fixture
def shell(tmux: None, tmp_path: Path) -> Iterator[Tmux]:
    home = {"DOORKEY_HOME": str(tmp_path / "home"), "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"}
    with Tmux({**home, "DOORKEY_CLIENT_SECRET": "my-secret"}) as window:
        yield window


def test_a_login_by_device_code_or_by_pasting_is_used_inspected_and_ended(shell: Tmux, keycloak: RealServer) -> None:
    log_in_by_device(shell, keycloak.issuer)
    log_in_by_pasting(shell, keycloak.issuer)
    userinfo = f"{keycloak.issuer}/protocol/openid-connect/userinfo"
    for picture, (command, status, expected) in {
        "token": ("doorkey token work", 0, ["ey"]),
        "inspect": ("doorkey token work | doorkey inspect", 0, ["access token: no problem found", "verified with the"]),
        "curl": (
            f"doorkey curl --account work {userinfo}",
            0,
            ['"preferred_username":"alice"', "200 OK", "first byte"],
        ),
        "curl-rejected": (f"doorkey curl {keycloak.origin}/admin/realms/master", 1, ["403"]),
        "doctor": (f"doorkey doctor {keycloak.issuer}", 0, ["✓ ok", "no failures"]),
        "trace": (
            f"doorkey trace {keycloak.issuer} --client-id client-1 --client-credentials",
            0,
            [r"1\. ", "→ POST ", "← status 200 in", "RFC 6749"],
        ),
        "run": ("doorkey run work -- sh -c 'echo ${#DOORKEY_TOKEN} characters'", 0, [r"\d{3,} characters"]),
        "accounts": ("doorkey accounts --default work", 0, [r"\* work ", "  tv "]),
        "status": ("doorkey status work", 0, ["logged in     yes", "refreshable   yes"]),
        "logout": ("doorkey logout work --revoke --end-session", 0, [r"Logged out of work\.", "/logout"]),
        "logout-device": ("doorkey logout --revoke", 0, [r"Logged out of tv\."]),
    }.items():
        shown = shell.run(command, status)
        for pattern in expected:
            assert re.search(pattern, shown), shown
        keep(shell, f"keycloak-{picture}")


def log_in_by_device(shell: Tmux, issuer: str) -> None:
    arguments = "--device --client-id client-1 --client-secret-stdin --account tv"
    shell.begin(f"doorkey login {issuer} {arguments}")
    shell.until("Client secret: ")
    shell.paste("my-secret")
    shown = shell.until("waiting for the login on the other device")
    assert "my-secret" not in shown
    code = re.search(r"\b([A-Z]{4}-[A-Z]{4})\b", shown)
    assert code is not None
    keep(shell, "keycloak-login-device")
    with Browser("keycloak") as browser:
        browser.device({"verification_uri": f"{issuer}/device?user_code={code[1]}"})
    assert shell.ended() == 0
    assert "Logged in as alice. The account is 'tv'." in shell.shown()


def log_in_by_pasting(shell: Tmux, issuer: str) -> None:
    shell.begin(f"doorkey login {issuer} --paste --client-id public-native --account work")
    shown = shell.until("Paste it here: ")
    url = next(line.strip() for line in shown.splitlines() if "code_challenge" in line)
    with Browser("keycloak") as browser:
        shell.paste(browser.authorize(url, "http://127.0.0.1/callback"))
    assert shell.ended() == 0
    assert "Logged in as alice. The account is 'work'." in shell.shown()

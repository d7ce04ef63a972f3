"""Steps of a user in a window of tmux: a login by device code and by pasting, and commands whose output is kept."""

from __future__ import annotations

import re

from tests.cli.processes.panes import keep
from tests.cli.processes.tmux import Tmux
from tests.servers.browser import Browser

CALLBACK = "http://127.0.0.1/callback"


def log_in_by_device(shell: Tmux, issuer: str, arguments: str, picture: str, secret: str | None = None) -> None:
    """Log in as the account `tv`; `secret` is pasted where the command asks for it."""
    shell.begin(f"doorkey login {issuer} --device {arguments} --account tv")
    if secret is not None:
        shell.until("Client secret: ")
        shell.paste(secret)
    shown = shell.until("waiting for the login on the other device")
    assert secret is None or secret not in shown
    assert "▀" in shown, "a QR code"
    code = re.search(r"\b([A-Z]{4}-[A-Z]{4})\b", shown)
    assert code is not None
    keep(shell, picture)
    with Browser("keycloak") as browser:
        browser.device({"verification_uri": f"{issuer}/device?user_code={code[1]}"})
    assert shell.ended() == 0
    assert "Logged in as alice. The account is 'tv'." in shell.shown()


def log_in_by_pasting(shell: Tmux, issuer: str, picture: str) -> None:
    """Log in as the account `work`."""
    shell.begin(f"doorkey login {issuer} --paste --client-id public-native --account work --scope 'openid email'")
    shown = shell.until("Paste it here: ")
    url = next(line.strip() for line in shown.splitlines() if "code_challenge" in line)
    with Browser("keycloak") as browser:
        shell.paste(browser.authorize(url, CALLBACK))
    assert shell.ended() == 0
    keep(shell, picture)
    assert "Logged in as alice. The account is 'work'." in shell.shown()


def run_and_keep(shell: Tmux, picture: str, command: str, expected: list[str], status: int = 0) -> None:
    """Run a command that prints these patterns, and keep a picture of the window."""
    shown = shell.run(command, status)
    for pattern in expected:
        assert re.search(pattern, shown), shown
    keep(shell, picture)

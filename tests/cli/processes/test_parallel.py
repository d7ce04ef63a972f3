"""Many shells that ask for a token at the same time."""

from __future__ import annotations

from pathlib import Path

from doorkey.dev import Provider
from tests.cli.logins import logged_in_long_ago, refreshes
from tests.support.cli_runner import started

SHELLS = 20


def test_20_shells_with_an_expired_token_renew_it_once(home: Path, server: Provider) -> None:
    logged_in_long_ago(home, server)
    shells = [started("token") for _ in range(SHELLS)]
    printed: list[tuple[int, str, str]] = []
    try:
        for shell in shells:
            stdout, stderr = shell.communicate(timeout=120)
            printed.append((shell.returncode, stdout, stderr))
    finally:
        for shell in shells:
            shell.kill()
            shell.wait()
    assert len(set(printed)) == 1, printed
    assert printed[0][0] == 0
    assert printed[0][2] == ""
    assert refreshes(server) == 1

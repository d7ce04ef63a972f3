"""`doorkey login` on a terminal, and without one."""

from __future__ import annotations

from pathlib import Path
from urllib.request import urlopen

from doorkey.dev import Provider
from tests.cli.logins import REALM
from tests.support.cli_runner import on_terminal, started

CLIENT = "public-native"


def test_a_secret_typed_at_a_terminal_is_not_shown_and_ctrl_c_leaves_nothing(home: Path, server: Provider) -> None:
    arguments = ("login", server.issuer_of(REALM), "--client-id", "client-1", "--client-secret-stdin")
    with on_terminal(*arguments) as terminal:
        terminal.until("Client secret: ")
        terminal.interrupt()
        assert terminal.status() == 130
        assert "Traceback" not in terminal.text
    with on_terminal(*arguments, "--no-browser") as terminal:
        terminal.until("Client secret: ")
        terminal.type("my-secret\n")
        terminal.until("open this URL")
        assert "my-secret" not in terminal.text
        terminal.interrupt()
        assert terminal.status() == 130
    assert not home.exists()


def test_ctrl_c_while_the_browser_is_open_leaves_a_clean_line_and_nothing_else(home: Path, server: Provider) -> None:
    with on_terminal("login", server.issuer_of(REALM), "--client-id", CLIENT, "--no-browser") as terminal:
        terminal.until("waiting for the login in the browser")
        terminal.interrupt()
        assert terminal.status() == 130
        assert "Traceback" not in terminal.text
        assert terminal.text.rpartition("\x1b[K")[2].strip() in ("", "^C")
    assert not home.exists()


def test_without_a_terminal_nothing_moves_and_the_url_is_printed(home: Path, server: Provider) -> None:
    arguments = ("login", server.issuer_of(REALM), "--client-id", CLIENT, "--no-browser")
    with started(*arguments) as process:
        assert process.stderr is not None
        lines = iter(process.stderr.readline, "")
        url = next(line.strip() for line in lines if "http" in line)
        with urlopen(server.log_in(url, "alice"), timeout=60) as response:
            response.read()
        rest = process.stderr.read()
        assert process.wait(60) == 0
    assert "\nLogged in as alice. The account is " in rest
    assert "\x1b" not in rest

"""Logins by device code and by pasting, on a terminal and without one."""

from __future__ import annotations

import re
import threading
from pathlib import Path

from doorkey.dev import Provider
from tests.cli.logins import REALM
from tests.support.cli_runner import Run, on_terminal, started

CLIENT = "public-native"


def test_a_login_by_device_code_shows_the_code_and_waits_for_the_user(run: Run, home: Path, server: Provider) -> None:
    arguments = ("login", server.issuer_of(REALM), "--device", "--client-id", CLIENT, "--account", "work")
    with on_terminal(*arguments) as terminal:
        shown = terminal.until("waiting for the login on the other device")
        code = re.search(r"\b([A-Z]{4}-[A-Z]{4})\b", shown)
        assert code is not None
        assert "█" in shown or "▀" in shown or "▄" in shown  # a QR code
        server.approve_device(code[1], "alice", realm=REALM)
        terminal.until("The account is 'work'.")
        assert terminal.status() == 0
    assert run("token").exit_code == 0


def test_a_user_who_denies_a_device_ends_the_command_with_one_sentence(home: Path, server: Provider) -> None:
    with started("login", server.issuer_of(REALM), "--device", "--client-id", CLIENT) as process:
        assert process.stderr is not None
        code = next(found for line in process.stderr if (found := re.search(r"\b[A-Z]{4}-[A-Z]{4}\b", line)))[0]
        server.deny_device(code, "alice", realm=REALM)
        stdout, told = process.communicate(timeout=60)
    assert (process.returncode, stdout) == (1, "")
    assert [line for line in told.splitlines() if line.startswith("doorkey: ")] == [told.splitlines()[-1]]
    assert "access_denied" in told
    assert not home.exists()


def test_ctrl_c_ends_a_login_by_device_code(home: Path, server: Provider) -> None:
    with on_terminal("login", server.issuer_of(REALM), "--device", "--client-id", CLIENT) as terminal:
        terminal.until("waiting for the login on the other device")
        terminal.interrupt()
        assert terminal.status() == 130
        assert "Traceback" not in terminal.text
    assert not home.exists()


def test_a_login_by_pasting_reads_the_url_at_which_the_browser_ends(run: Run, home: Path, server: Provider) -> None:
    with on_terminal("login", server.issuer_of(REALM), "--paste", "--client-id", CLIENT) as terminal:
        shown = terminal.until("Paste it here: ")
        url = next(line.strip() for line in shown.splitlines() if "code_challenge" in line)
        terminal.type(server.log_in(url, "alice") + "\n")
        terminal.until("Logged in as alice.")
        assert terminal.status() == 0
    assert run("token").exit_code == 0


def test_after_the_paste_the_command_shows_that_it_waits_and_ctrl_c_ends_it(home: Path, server: Provider) -> None:
    answer = threading.Event()
    with on_terminal("login", server.issuer_of(REALM), "--paste", "--client-id", CLIENT) as terminal:
        shown = terminal.until("Paste it here: ")
        url = next(line.strip() for line in shown.splitlines() if "code_challenge" in line)
        server.faults.add("/token", hold=answer)
        terminal.text = ""
        terminal.type(server.log_in(url, "alice") + "\n")
        terminal.until("waiting for http")
        terminal.interrupt()
        assert terminal.status() == 130
        answer.set()
        assert "Traceback" not in terminal.text
    assert not home.exists()


def test_ctrl_c_at_the_prompt_for_a_url_leaves_nothing(home: Path, server: Provider) -> None:
    with on_terminal("login", server.issuer_of(REALM), "--paste", "--client-id", CLIENT) as terminal:
        terminal.until("Paste it here: ")
        terminal.interrupt()
        assert terminal.status() == 130
        assert "Traceback" not in terminal.text
    assert not home.exists()


def test_without_a_terminal_pasting_reads_a_line_of_stdin_and_its_end_is_status_1(home: Path, server: Provider) -> None:
    with started("login", server.issuer_of(REALM), "--paste", "--client-id", CLIENT) as process:
        _, told = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "Traceback" not in told
    assert not home.exists()

"""Ctrl-C while a command of an account waits for a silent server or runs a program, in a window of tmux.

Nothing is left: no process, no connection, no file, no lock, and no changed terminal.
"""

from __future__ import annotations

import os
import re
import select
import shlex
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from doorkey.cli.accounts import Account, Accounts
from doorkey.tokens import OAuth2Token
from doorkey.values import Secret
from tests.cli.processes.tmux import Tmux
from tests.support.hostile_server import Exchange, Hostile, reply, token

FRESH, EXPIRED = 3600.0, -60.0
WAITS = {
    "curl": ("curl SERVER/silent", "waiting for http", FRESH),
    "curl-stdin": ("curl -d @- SERVER/silent", "Type the body, then press Enter and Ctrl-D:", FRESH),
    "curl-file": ("curl -o FILE SERVER/half", "receiving ", FRESH),
    "logout-revoke": ("logout --revoke", "revoking the tokens", FRESH),
    "logout-page": ("logout --end-session", "asking the server for its logout page", FRESH),
    "run-renewal": ("run -- touch FILE", "renewing the token", EXPIRED),
}
"""The arguments, what is shown while the command waits, and the seconds for which the token is valid."""


@pytest.fixture(scope="module")
def window(tmux: None) -> Iterator[Tmux]:
    with Tmux({"PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"}) as window:
        yield window


@pytest.fixture
def shell(window: Tmux, home: Path) -> Tmux:
    window.run(f"export DOORKEY_HOME={shlex.quote(str(home))}")
    return window


def silence(exchange: Exchange) -> None:
    exchange.until_hung_up()


def half(exchange: Exchange) -> None:
    exchange.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 99\r\n\r\nfirst half\n")
    exchange.until_hung_up()


def account(home: Path, server: Hostile, lifetime: float, **more: Any) -> Account:
    """Save an account at a server whose metadata never comes."""
    server.on("/.well-known/openid-configuration", silence)
    server.on("/.well-known/oauth-authorization-server", silence)
    server.on("/silent", silence)
    server.on("/half", half)
    secrets = {"access_token": "a", "token_type": "Bearer", "refresh_token": "r"}
    saved = OAuth2Token({**secrets, "expires_at": time.time() + lifetime})
    given = Account("work", server.url(""), "client", "openid", **more)
    with Accounts(home) as accounts:
        return accounts.save(given, saved)


def descendants(window: Tmux) -> list[int]:
    """The processes with the environment of the window, besides tmux itself and its shell."""
    mark = f"HOME={window.folder}".encode()
    found: list[int] = []
    for one in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):
            if mark in one.read_bytes().split(b"\0"):
                found.append(int(one.parent.name))
    return sorted(found)


def wait_for_end(process: int) -> None:
    """Return when a process has ended: a shell does not wait for all that its terminal interrupts."""
    with suppress(ProcessLookupError):
        descriptor = os.pidfd_open(process)
        try:
            ready, _, _ = select.select([descriptor], [], [], 60)
        finally:
            os.close(descriptor)
        assert ready, f"the process {process} is left"


def interrupted(shell: Tmux, command: str, prompt: str, arrived: threading.Event | None = None) -> str:
    """Run a command that is interrupted while it waits, and return what the window shows.

    arrived: set when a renewal can no longer be repeated, so that it takes a second Ctrl-C to end it.
    """
    terminal, processes = shell.run("stty -g"), descendants(shell)
    shell.begin(f"doorkey {command}")
    shell.until(prompt)
    if arrived is not None:
        assert arrived.wait(60)
        shell.interrupt()
        shell.until("^C")
    shell.interrupt()
    assert shell.ended() == 130, shell.shown()
    shown = shell.shown()
    assert "Traceback" not in shown
    assert shown.splitlines()[-1] == "[130]>", shown
    for process in set(descendants(shell)) - set(processes):
        wait_for_end(process)
    assert shell.run("stty -g") == terminal
    return shown


def files(home: Path) -> set[str]:
    """The files beside the accounts, besides those that SQLite keeps while the database is open."""
    return {str(one.relative_to(home.parent)) for one in home.parent.rglob("*") if "sqlite-" not in one.name}


@pytest.mark.parametrize("name", WAITS)
def test_ctrl_c_at_a_silent_server_ends_the_command_and_keeps_the_login(
    shell: Tmux, home: Path, hostile: Hostile, name: str
) -> None:
    arguments, prompt, lifetime = WAITS[name]
    saved = account(home, hostile, lifetime)
    before = files(home)
    named = {"SERVER": hostile.url(""), "FILE": shlex.quote(str(home.parent / "file"))}
    command = re.sub("|".join(named), lambda found: named[found[0]], arguments)
    interrupted(shell, command, prompt)
    hostile.wait_until_left()
    assert files(home) == before
    with Accounts(home) as accounts:
        found = accounts.find("work")
        kept = accounts.entry(found)
        assert (found, kept is not None) == (saved, True)
        accounts.check_writable()


def test_ctrl_c_while_the_client_of_a_login_is_deleted_says_that_it_is_left_at_the_server(
    shell: Tmux, home: Path, hostile: Hostile
) -> None:
    account(home, hostile, FRESH, registration_uri=hostile.url("/silent"), registration_token=Secret("registered"))
    shown = interrupted(shell, "logout", "deleting the client that was registered")
    assert "Logged out of work." in shown
    assert "The client client, which the login registered, was not deleted." in shown
    hostile.wait_until_left()
    with Accounts(home) as accounts:
        assert not accounts.book().accounts


def test_a_second_ctrl_c_ends_a_renewal_at_once_and_the_next_command_renews(
    shell: Tmux, home: Path, hostile: Hostile
) -> None:
    account(home, hostile, EXPIRED)
    endpoints = {"token_endpoint": hostile.token_endpoint, "jwks_uri": hostile.url("/jwks")}
    hostile.on("/.well-known/openid-configuration", reply(json={"issuer": hostile.url(""), **endpoints}))
    arrived = threading.Event()

    def silent_token(exchange: Exchange) -> None:
        arrived.set()
        exchange.until_hung_up()

    hostile.on("/token", silent_token, token("new"))
    interrupted(shell, "run -- touch started", "renewing the token", arrived)
    hostile.wait_until_left()
    assert "\nnew\n" in shell.run("doorkey token")
    assert not (shell.folder / "started").exists()
    assert len(hostile.token_requests) == 2


@pytest.mark.parametrize("program", ["exec sleep 1000", "sleep 1000 | cat"])
def test_ctrl_c_reaches_the_program_that_doorkey_runs_and_every_process_of_it(
    shell: Tmux, home: Path, hostile: Hostile, program: str
) -> None:
    account(home, hostile, FRESH)
    shown = interrupted(shell, f"run -- sh -c 'echo run\"ning\" $$; {program}'", "running ")
    pid = re.search(r"running (\d+)", shown)
    assert pid is not None
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid[1]), 0)

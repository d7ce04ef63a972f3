"""A command whose standard streams are closed, full, or of an encoding with few characters."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from doorkey.dev import Provider
from tests.cli.logins import logged_in
from tests.support.cli_runner import finished

CLOSED = "doorkey: stdout cannot be written to: Bad file descriptor\n"


@pytest.fixture(autouse=True)
def _account(home: Path, server: Provider) -> None:
    logged_in(home, server)


def closing(*numbers: int) -> Callable[[], None]:
    def close() -> None:
        for number in numbers:
            os.close(number)

    return close


@pytest.mark.parametrize("arguments", [("token",), ("--help",)])
def test_a_result_for_a_closed_stdout_is_an_error(arguments: tuple[str, ...]) -> None:
    done = finished(*arguments, preexec_fn=closing(1))
    assert (done.returncode, done.stderr) == (5, CLOSED)


def test_a_message_for_a_closed_stderr_is_lost_and_the_result_is_not() -> None:
    done = finished("status", preexec_fn=closing(2))
    assert done.returncode == 0
    assert done.stdout.startswith("account       work\n")
    assert finished("token", "nobody", preexec_fn=closing(2)).returncode == 3
    assert finished("token", "--no-such-option", preexec_fn=closing(2)).returncode == 2


def test_a_message_for_a_full_disk_is_lost_and_the_result_is_not(server: Provider) -> None:
    with Path("/dev/full").open("w") as full:
        done = finished("curl", f"{server.origin}/echo", stderr=full)
    assert done.returncode == 0
    assert '"method": "GET"' in done.stdout


def test_a_closed_stdin_is_empty() -> None:
    done = finished("inspect", preexec_fn=closing(0))
    assert (done.returncode, done.stderr) == (
        1,
        "doorkey: token is empty: pass it as the argument, or pipe it to stdin\n",
    )


def test_no_file_gets_the_number_of_a_closed_stream(home: Path) -> None:
    """SQLite, a log or a subprocess would write messages into it."""
    code = (
        "import os, runpy, sys, sqlite3, doorkey.stores.sqlite_connection as connection\n"
        "opened = sqlite3.connect\n"
        "def seen(*given, **options):\n"
        "    taken.append([os.readlink(f'/proc/self/fd/{number}') for number in (0, 1, 2)])\n"
        "    return opened(*given, **options)\n"
        "taken = []\n"
        "connection.sqlite3.connect = seen\n"
        "sys.argv = ['doorkey', 'status']\n"
        "try:\n"
        "    runpy.run_module('doorkey', run_name='__main__')\n"
        "except SystemExit:\n"
        "    pass\n"
        f"open({str(home / 'taken')!r}, 'w').write(repr(taken[0]))\n"
    )
    subprocess.run([sys.executable, "-c", code], preexec_fn=closing(0, 1, 2), check=False, timeout=300)
    assert (home / "taken").read_text() == repr(["/dev/null"] * 3)


@pytest.mark.parametrize("command", [("doctor",), ("trace", "--client-credentials", "--account", "work")])
def test_an_encoding_without_a_character_shows_an_escape(server: Provider, command: tuple[str, ...]) -> None:
    """The arrows and the check marks of a report are not in ASCII."""
    where = () if "--account" in command else (server.issuer,)
    plain = {**os.environ, "PYTHONIOENCODING": "ascii", "LC_ALL": "C"}
    done = finished(*command, *where, env=plain)
    assert (done.returncode, done.stderr) == (0, "")
    assert "\\u2" in done.stdout

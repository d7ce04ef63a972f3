"""`doorkey run`: a program that has the token in its environment, and nowhere else."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from doorkey.dev import Provider
from tests.cli.logins import logged_in, logged_in_long_ago, refreshes
from tests.support.cli_runner import Run, finished, started

PRINTS = "import os, sys; print(os.environ[sys.argv[1]])"


@pytest.fixture
def account(home: Path, server: Provider) -> str:
    return logged_in(home, server).name


def test_the_program_has_a_fresh_token_and_gives_its_own_status(run: Run, home: Path, server: Provider) -> None:
    logged_in_long_ago(home, server)
    code = "import os, sys; print(os.environ['DOORKEY_TOKEN']); sys.exit(7)"
    done = finished("run", "--", sys.executable, "-c", code)
    assert (done.returncode, done.stderr) == (7, "")
    assert done.stdout == run("token").stdout
    assert refreshes(server) == 1


def test_the_variable_and_the_account_can_be_named(run: Run, account: str) -> None:
    done = finished("run", account, "--env", "API_KEY", "--", sys.executable, "-c", PRINTS, "API_KEY")
    assert done.stdout == run("token").stdout


def test_options_after_the_dashes_are_the_programs(account: str) -> None:
    code = "import sys; print(sys.argv[1:])"
    done = finished("run", "--", sys.executable, "-c", code, "--debug", "--env", "--", "x")
    assert done.stdout == "['--debug', '--env', '--', 'x']\n"


def test_the_token_is_in_no_argument_of_a_process(run: Run, account: str) -> None:
    token = run("token").stdout.strip()
    code = "from pathlib import Path; print(Path('/proc/self/cmdline').read_bytes())"
    done = finished("run", "--", sys.executable, "-c", code)
    assert sys.executable in done.stdout
    assert token not in done.stdout


def test_a_signal_reaches_the_program_itself(account: str) -> None:
    code = "import signal; print('ready', flush=True); signal.pause()"
    with started("run", "--", sys.executable, "-c", code) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGTERM)
        process.wait(60)
    assert process.returncode == -signal.SIGTERM


@pytest.mark.parametrize("arguments", [("run",), ("run", "--"), ("run", "work"), ("run", "--env", "a b", "--", "true")])
def test_a_wrong_command_line_is_a_usage_error(run: Run, account: str, arguments: tuple[str, ...]) -> None:
    result = run(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")


def test_a_program_that_is_not_there_is_127_as_in_a_shell(run: Run, account: str) -> None:
    result = run("run", "--", "no-such-program-here")
    assert (result.exit_code, result.stderr) == (127, "doorkey: there is no program 'no-such-program-here'\n")


def test_a_program_that_cannot_be_executed_is_126(account: str, tmp_path: Path) -> None:
    path = tmp_path / "program"
    path.write_bytes(b"\x7fELF but not really")
    path.chmod(0o755)
    done = finished("run", "--", str(path))
    assert done.returncode == 126
    assert f"{path} cannot be run" in done.stderr


def test_without_a_login_the_program_does_not_run(home: Path) -> None:
    done = finished("run", "--", sys.executable, "-c", "print('it ran')", stderr=subprocess.PIPE)
    assert (done.returncode, done.stdout) == (3, "")

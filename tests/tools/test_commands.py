"""`./dev`: its commands, and what `./dev test` sets up for a selection of tests."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tools import test as command
from tools.commands import COMMANDS

ROOT = Path(__file__).resolve().parents[2]


def test_dev_without_a_command_lists_the_commands() -> None:
    printed = subprocess.run([sys.executable, "dev"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert [name for name in COMMANDS if f"\n  {name} " not in printed] == []


def test_the_tests_of_the_repository_itself_run_on_the_newest_python_only() -> None:
    *each, last = command.usual(["3.12", "3.13"], [Path("older"), Path("newest")])
    assert [(title, python) for title, python, _ in each] == [
        ("pytest on Python 3.12", Path("older")),
        ("pytest on Python 3.13", Path("newest")),
    ]
    for _, _, arguments in each:
        assert {argument.removeprefix("--ignore=") for argument in arguments} == set(command.ON_ONE_PYTHON)
    assert last[1:] == (Path("newest"), list(command.ON_ONE_PYTHON))
    assert [path for path in command.ON_ONE_PYTHON if not (ROOT / path).exists()] == []


@pytest.mark.parametrize(
    ("processors", "options"),
    [(1, ["-n", "0"]), (2, ["-n", "0"]), (7, ["-n", "0"]), (8, ["-n", "2", "--dist", "loadgroup"])],
)
def test_a_run_has_several_processes_if_there_are_processors_for_them(processors: int, options: list[str]) -> None:
    assert command.shared(processors, runs=4) == options


@pytest.mark.parametrize(
    ("selection", "servers"),
    [
        (["tests/stores/test_failures.py"], ["mariadb", "mysql", "postgres", "redis"]),
        (["tests/browser/test_rig.py"], ["chromium"]),
        (["tests/transport/test_tls_real_server.py", "-m", "not real_server"], []),
        (["tests/interop/test_real_servers.py", "-k", "browser and keycloak", "-n", "2"], ["keycloak"]),
    ],
    ids=lambda value: " ".join(value) or "none",
)
def test_only_the_servers_that_the_selected_tests_need_are_set_up(selection: list[str], servers: list[str]) -> None:
    assert command.needed(Path(sys.executable), selection) == servers

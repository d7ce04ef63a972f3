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
    assert not [argument for argument in command.usual(newest=True) if argument.startswith("--ignore")]
    ignored = {argument.removeprefix("--ignore=") for argument in command.usual(newest=False) if "=" in argument}
    assert ignored == set(command.OF_NO_PYTHON)
    assert [path for path in ignored if not (ROOT / path).exists()] == []


@pytest.mark.parametrize(
    ("selection", "servers"),
    [
        (["tests/stores/test_failures.py"], ["mariadb", "postgres", "redis"]),
        (["tests/browser/test_rig.py"], ["chromium"]),
        (["tests/transport/test_tls_real_server.py", "-m", "not real_server"], []),
        (["tests/interop/test_real_servers.py", "-k", "browser and keycloak", "-n", "2"], ["keycloak"]),
    ],
    ids=lambda value: " ".join(value) or "none",
)
def test_only_the_servers_that_the_selected_tests_need_are_set_up(selection: list[str], servers: list[str]) -> None:
    assert command.needed(Path(sys.executable), selection) == servers

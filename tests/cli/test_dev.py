"""`doorkey dev`: it serves in a terminal until Ctrl-C, and a wrong option is one sentence."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import requests

from doorkey.dev import Provider
from doorkey.dev.command import LAST_LINE, OPTIONS
from tests.support.cli_runner import Run, on_terminal


def test_it_serves_its_page_until_ctrl_c(home: Path) -> None:
    with on_terminal("dev", "--port", "0", "--control") as terminal:
        printed = terminal.until(LAST_LINE)
        (page,) = re.findall(r"^page +(\S+?)\r?$", printed, re.MULTILINE)
        with requests.Session() as http:
            http.trust_env = False
            assert "Development provider" in http.get(page).text
        assert re.search(r"^control +http://127\.0\.0\.1:\d+ / \S{20,}", printed, re.MULTILINE)
        terminal.interrupt()
        assert terminal.status() == 0
        assert "Traceback" not in terminal.text
    assert max(map(len, printed.replace("\r", "").splitlines())) <= 80


def test_a_busy_port_is_one_sentence(run: Run) -> None:
    with Provider() as provider:
        result = run("dev", "--port", str(provider.port))
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.count("\n") == 1
    assert "Address already in use): choose another port" in result.stderr


@pytest.mark.parametrize(
    "arguments", [["--host", "192.0.2.1"], ["--config", "/no/such/file"], ["--store", "/no/such/folder/file"]]
)
def test_a_wrong_option_is_one_sentence(run: Run, arguments: list[str]) -> None:
    result = run("dev", "--port", "0", *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.count("\n") == 1


def test_its_help_has_every_option_and_the_configuration_every_key(run: Run) -> None:
    told = run("dev", "--help").stdout
    assert [option.name for option in OPTIONS if option.name not in told] == []
    assert "[[clients]]\n" in run("dev", "--config-help").stdout

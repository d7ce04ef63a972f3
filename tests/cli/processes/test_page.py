"""The commands of docs/command-line.md, in a shell, one after the other, at the embedded provider."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import urlopen

import pytest

from doorkey.cli.errors import ExitStatus
from doorkey.dev import Provider

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "command-line.md").read_text("utf-8")
OTHERS = ("doorkey dev", "doorkey inspect", "doorkey doctor", "doorkey trace")
"""Their blocks are run by the tests of these commands."""


def blocks(language: str) -> list[str]:
    """The blocks of a language, in the order of the page."""
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)


@pytest.fixture
def environment(home: Path, tmp_path: Path) -> dict[str, str]:
    """The script `doorkey` of this checkout is first in the path."""
    script = tmp_path / "bin" / "doorkey"
    script.parent.mkdir()
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m doorkey "$@"\n')
    script.chmod(0o700)
    return {**os.environ, "NO_PROXY": "*", "PATH": f"{script.parent}{os.pathsep}{os.environ['PATH']}"}


def ran(command: str, environment: dict[str, str]) -> str:
    done = subprocess.run(
        ["sh", "-c", command], env=environment, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_every_command_of_the_page_works(environment: dict[str, str], server: Provider) -> None:
    default = server.issuer.replace(str(server.port), "8080")
    assert default in PAGE
    origin, own = (urlsplit(issuer)._replace(path="").geturl() for issuer in (default, server.issuer))
    login, *others = [block.replace(origin, own) for block in blocks("sh")]
    command = ["sh", "-c", f"{login.strip()} --no-browser"]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        url = next(word for line in process.stderr for word in line.split() if "code_challenge" in word)
        with urlopen(server.log_in(url, "alice"), timeout=60) as response:
            response.read()
        assert "Logged in as alice." in process.stderr.read()
    outputs = [ran(block, environment) for block in others if not block.startswith(OTHERS)]
    assert len(outputs) == 3
    assert all('"authorization": "Bearer ' in output for output in outputs)
    (kubeconfig,) = blocks("yaml")
    arguments = re.search(r"args: \[(.*)\]", kubeconfig)
    assert arguments is not None
    credential = json.loads(ran(f"doorkey {arguments[1].replace(',', '')}", environment))
    assert credential["apiVersion"] in kubeconfig


def test_the_page_documents_every_exit_status() -> None:
    documented = {int(status) for status in re.findall(r"^\| (\d+) \|", PAGE, re.MULTILINE)}
    assert documented == {int(status) for status in ExitStatus}

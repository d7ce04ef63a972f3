"""The tool of the tutorial: its first run logs alice in by the browser, and its second one needs no login."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import requests

from doorkey.testing import Provider

PROGRAM = Path(__file__).resolve().parents[2] / "examples" / "command_line_tool.py"


def test_the_first_run_logs_the_user_in_and_the_second_uses_the_token(tmp_path: Path) -> None:
    with Provider() as provider:
        mine = {"ISSUER": provider.issuer, "XDG_DATA_HOME": str(tmp_path), "BROWSER": "true", "NO_PROXY": "*"}
        with subprocess.Popen(
            [sys.executable, "-W", "error", PROGRAM],
            env={**os.environ, **mine},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as tool:
            assert tool.stderr
            assert tool.stdout
            url = next(word for line in tool.stderr for word in line.split() if word.startswith("http"))
            page = requests.get(provider.log_in(url, "alice"), timeout=10)
            assert page.status_code == 200
            assert "You are logged in." in tool.stderr.read()
            assert tool.stdout.read() == "Hello Alice Example\n"
        assert tool.returncode == 0
        again = subprocess.run(
            [sys.executable, "-W", "error", PROGRAM],
            env={**os.environ, **mine},
            capture_output=True,
            text=True,
            check=True,
        )
        assert (again.stdout, again.stderr) == ("Hello Alice Example\n", "")
    folder = tmp_path / "hello"
    assert {path.stat().st_mode & 0o077 for path in [folder, *folder.iterdir()]} == {0}

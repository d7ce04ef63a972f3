"""A keyring that never responds, in a process: it ends although a thread still waits, and nothing is lost."""

from __future__ import annotations

import json
import os
from pathlib import Path

import keyring.core
import pytest

from doorkey.dev import Provider
from tests.cli.logins import logged_in
from tests.cli.running import finished

ROOT = Path(__file__).resolve().parents[3]


def test_a_keyring_that_hangs_or_is_locked_ends_the_command_with_one_sentence(
    home: Path, server: Provider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "tests.cli.keyrings.InFile")
    monkeypatch.setenv("TEST_KEYRING", str(tmp_path / "keyring.json"))
    keyring.core.init_backend()
    logged_in(home, server)
    assert json.loads((home / "key.json").read_text())["place"] == "keyring"
    for name, reason in {"Hanging": "it did not respond within 2 seconds", "Locked": "it is locked"}.items():
        environment = {**os.environ, "PYTHON_KEYRING_BACKEND": f"tests.cli.keyrings.{name}"}
        done = finished("token", env=environment, cwd=ROOT)
        assert (done.returncode, done.stdout) == (5, "")
        assert f"is in the keyring of the operating system, but {reason}: unlock the keyring" in done.stderr
        assert len(done.stderr.splitlines()) == 1
    done = finished("token", cwd=ROOT)
    assert (done.returncode, done.stderr) == (0, "")

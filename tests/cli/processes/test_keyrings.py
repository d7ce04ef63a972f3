"""A keyring that never responds, in a process: it ends although a thread still waits, and nothing is lost."""

from __future__ import annotations

import json
import os
from pathlib import Path

import keyring.core
import pytest

from doorkey.dev import Provider
from tests.cli.logins import logged_in
from tests.support.cli_runner import finished, on_terminal

ROOT = Path(__file__).resolve().parents[3]
SENTENCE = "the key of the token store is in the keyring of the operating system, but"


def test_a_keyring_that_hangs_or_is_locked_ends_the_command_with_one_sentence(
    home: Path, server: Provider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "tests.cli.keyrings.InFile")
    monkeypatch.setenv("TEST_KEYRING", str(tmp_path / "keyring.json"))
    keyring.core.init_backend()
    logged_in(home, server)
    assert json.loads((home / "key.json").read_text())["place"] == "keyring"
    locked = {**os.environ, "PYTHON_KEYRING_BACKEND": "tests.cli.keyrings.Locked"}
    done = finished("token", env=locked, cwd=ROOT)
    assert (done.returncode, done.stdout) == (5, "")
    assert f"{SENTENCE} it is locked: unlock the keyring" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    hanging = {"PYTHON_KEYRING_BACKEND": "tests.cli.keyrings.Hanging", "PYTHONPATH": str(ROOT)}
    with on_terminal("token", env=hanging) as terminal:
        terminal.until("waiting for the keyring of the operating system")
        assert terminal.status() == 5
        last = terminal.text.rpartition("\x1b[K")[2]  # the line that moved is gone
        assert last.startswith(f"doorkey: {SENTENCE} it did not respond within 2 seconds: unlock the keyring")
        assert len(last.splitlines()) == 1
    done = finished("token", cwd=ROOT)
    assert (done.returncode, done.stderr) == (0, "")

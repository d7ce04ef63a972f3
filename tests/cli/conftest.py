"""Commands that run in this process, with a home of their own, and without the keyring of this machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.running import Run


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The directory of the accounts of one test; no keyring is there."""
    path = tmp_path / "doorkey"
    monkeypatch.setenv("DOORKEY_HOME", str(path))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    monkeypatch.delenv("NO_COLOR", raising=False)
    return path


@pytest.fixture
def run(home: Path) -> Run:
    """Run a command in this process: `run("token", "work", input=…)` returns click's `Result`."""
    return Run(home)

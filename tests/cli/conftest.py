"""Commands that run in this process, with a home of their own, and without the keyring of this machine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from doorkey.dev import Provider
from tests.support.cli_runner import Run


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The directory of the accounts of one test; no keyring is there."""
    import keyring.core

    path = tmp_path / "doorkey"
    monkeypatch.setenv("DOORKEY_HOME", str(path))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    keyring.core.init_backend()  # it has remembered the one of an earlier test
    monkeypatch.delenv("NO_COLOR", raising=False)
    return path


@pytest.fixture
def run(home: Path) -> Run:
    """Run a command in this process: `run("token", "work", input=…)` returns click's `Result`."""
    return Run(home)


@pytest.fixture(scope="session")
def running_server() -> Iterator[Provider]:
    """The embedded provider at the time of the clock on the wall, which the command uses."""
    with Provider() as provider:
        yield provider


@pytest.fixture
def server(running_server: Provider) -> Provider:
    """The same, without the requests and faults of the tests before."""
    running_server.requests.clear()
    running_server.faults.clear()
    return running_server

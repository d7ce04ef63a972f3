"""The programs that tests of the command line need: tmux, and shells."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.processes.tmux import Tmux
from tests.servers.process import Unavailable
from tests.servers.programs import FISH, TMUX, ZSH, Program
from tests.support.server_fixtures import unavailable


@pytest.fixture(scope="session")
def tmux() -> None:
    """Need tmux on this machine."""
    _installed(TMUX)


@pytest.fixture
def shell(tmux: None, tmp_path: Path) -> Iterator[Tmux]:
    """A window of 80 columns, with no account and no keyring."""
    home = {"DOORKEY_HOME": str(tmp_path / "accounts"), "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"}
    with Tmux(home) as window:
        yield window


@pytest.fixture(scope="session")
def zsh() -> str:
    """Return where the zsh of this machine is."""
    return str(_installed(ZSH))


@pytest.fixture(scope="session")
def fish() -> str:
    """Return where the fish of this machine is."""
    return str(_installed(FISH))


def _installed(program: Program) -> Path | None:
    try:
        program.ensure_installed()
    except Unavailable as error:
        unavailable(program.name, error)
    return program.path()

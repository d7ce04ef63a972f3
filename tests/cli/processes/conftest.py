"""The fixtures of tests in tmux."""

from __future__ import annotations

import pytest

from tests.servers.process import Unavailable
from tests.servers.programs import TMUX
from tests.support.server_fixtures import unavailable


@pytest.fixture(scope="session")
def tmux() -> None:
    """Need tmux on this machine."""
    try:
        TMUX.ensure_installed()
    except Unavailable as error:
        unavailable(TMUX.name, error)

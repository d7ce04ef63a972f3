"""Tests that take `library` run on httpx2 and httpx; those that take `world`, blocking and awaiting too."""

from types import ModuleType

import pytest

from tests.support.every_transport import LIBRARIES, world

__all__ = ["world"]


@pytest.fixture(params=list(LIBRARIES))
def library(request: pytest.FixtureRequest) -> ModuleType:
    return LIBRARIES[request.param]

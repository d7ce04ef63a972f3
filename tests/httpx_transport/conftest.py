"""Tests that take `library` run on httpx2 and httpx; those that take `world`, blocking and awaiting too."""

from collections.abc import Iterator
from types import ModuleType

import httpx
import httpx2
import pytest
from anyio.from_thread import BlockingPortal

from tests.support.every_transport import WORLDS, World

LIBRARIES: dict[str, ModuleType] = {"httpx2": httpx2, "httpx": httpx}


@pytest.fixture(params=list(LIBRARIES))
def library(request: pytest.FixtureRequest) -> ModuleType:
    return LIBRARIES[request.param]


@pytest.fixture(params=list(WORLDS))
def world(request: pytest.FixtureRequest, portals: dict[str, BlockingPortal]) -> Iterator[World]:
    name, backend = WORLDS[request.param]
    made = World(LIBRARIES[name], portals[backend] if backend else None)
    yield made
    made.close()

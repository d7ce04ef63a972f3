"""Each test of this folder that takes `source` runs on every kind of source; `@one_of_each` leaves it at three."""

from collections.abc import Iterator

import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal

from tests.support.every_source import KINDS, Counting, Maker
from tests.support.fake_clock import Clock
from tests.support.hostile_server import Hostile


@pytest.fixture(scope="session")
def portals() -> Iterator[dict[str, BlockingPortal]]:
    """The event loops of the asynchronous sources."""
    with start_blocking_portal("asyncio") as on_asyncio, start_blocking_portal("trio") as on_trio:
        yield {"asyncio": on_asyncio, "trio": on_trio}


@pytest.fixture(params=list(KINDS))
def source(request: pytest.FixtureRequest, portals: dict[str, BlockingPortal]) -> Iterator[Maker]:
    kind = KINDS[request.param]
    maker = Maker(kind, portals[kind.backend] if kind.backend else None)
    yield maker
    maker.close()


@pytest.fixture
def hostile() -> Iterator[Hostile]:
    server = Hostile()
    yield server
    server.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def counting() -> Counting:
    return Counting()

"""Each test of this folder that takes `source` runs on every kind of source; `@one_of_each` leaves it at three."""

from collections.abc import Iterator

import pytest
from anyio.from_thread import BlockingPortal

from tests.support.every_source import KINDS, Maker
from tests.support.session_fixtures import names

__all__ = ["names", "source"]


@pytest.fixture(params=list(KINDS))
def source(request: pytest.FixtureRequest, portals: dict[str, BlockingPortal]) -> Iterator[Maker]:
    kind = KINDS[request.param]
    maker = Maker(kind, portals[kind.backend] if kind.backend else None)
    yield maker
    maker.close()

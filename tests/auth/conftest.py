"""Each test of this folder that takes `caller` runs on every HTTP library there is an auth object for."""

from collections.abc import Iterator

import pytest
from anyio.from_thread import BlockingPortal

from tests.support.every_http_library import KINDS, Maker, makers


@pytest.fixture(params=list(KINDS))
def caller(request: pytest.FixtureRequest, portals: dict[str, BlockingPortal]) -> Iterator[Maker]:
    yield from makers(KINDS, portals, request.param)

"""A server, a clock, and verifiers that block or await."""

import pytest
from anyio.from_thread import BlockingPortal

from tests.support.fake_clock import Clock
from tests.support.resource_server import API, ISSUER, Api, Apis, Net, Server


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture(params=["blocking", "asyncio", "trio"])
def portal_of_kind(request: pytest.FixtureRequest, portals: dict[str, BlockingPortal]) -> BlockingPortal | None:
    return portals.get(request.param)


@pytest.fixture
def apis(portal_of_kind: BlockingPortal | None, server: Server, clock: Clock) -> Apis:
    """Makes verifiers of each kind; `servers` are reachable beside the first one."""

    def make(*args: object, servers: tuple[Server, ...] = (), **options: object) -> Api:
        if not args:
            args = (ISSUER,)
            options.setdefault("audience", API)
        return Api(portal_of_kind, Net(server, *servers), clock, *args, **options)

    return make


@pytest.fixture
def api(apis: Apis) -> Api:
    """A verifier with the defaults."""
    return apis()

"""The fixtures that several folders of tests use, loaded for all of them (`pytest_plugins` in tests/conftest.py).

What they use is imported when the first test asks for it: a run of one module's tests starts without HTTP libraries. A
folder may define a fixture of the same name, which then is its own.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.fake_clock import Clock
from tests.support.hostile_server import Hostile

if TYPE_CHECKING:
    from anyio.from_thread import BlockingPortal

    from doorkey.dev import Provider
    from tests.support.every_source import Counting
    from tests.support.every_store import Place


@pytest.fixture
def hostile() -> Iterator[Hostile]:
    """A server that answers as a test writes."""
    server = Hostile()
    yield server
    server.close()


@pytest.fixture
def clock() -> Clock:
    """The time, which passes when the test says so."""
    return Clock()


@pytest.fixture
def counting() -> Counting:
    """A clock that reports when several callers have read it."""
    from tests.support.every_source import Counting

    return Counting()


@pytest.fixture(scope="session")
def portals() -> Iterator[dict[str, BlockingPortal]]:
    """The event loops of asynchronous sources and clients."""
    from anyio.from_thread import start_blocking_portal

    with start_blocking_portal("asyncio") as on_asyncio, start_blocking_portal("trio") as on_trio:
        yield {"asyncio": on_asyncio, "trio": on_trio}


@pytest.fixture(scope="session")
def portal(portals: dict[str, BlockingPortal]) -> BlockingPortal:
    """The event loop of the asynchronous clients."""
    return portals["asyncio"]


@pytest.fixture
def key() -> str:
    """A key of this test's own: the stores are shared by all."""
    return f"user-{uuid.uuid4()}"


@pytest.fixture
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """The kind of store that an indirect parameter names."""
    from tests.support.every_store import place_of

    return place_of(request.param, request, tmp_path)


@pytest.fixture(scope="session")
def client_keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the private keys of the embedded provider's clients."""
    return tmp_path_factory.mktemp("client-keys")


@pytest.fixture(scope="session")
def embedded_clock() -> Clock:
    """The clock of the embedded provider."""
    return Clock()


@pytest.fixture(scope="session")
def running_provider(client_keys: Path, embedded_clock: Clock) -> Iterator[Provider]:
    """The embedded provider that all tests share."""
    from doorkey.dev import Provider
    from tests.servers.signing_keys import ec_jwk, ec_key, rsa_jwk, rsa_key

    rs256, es256 = rsa_key(client_keys / "rs256.pem"), ec_key(client_keys / "es256.pem")
    jwks = {
        "pkjwt-rs256": {"keys": [rsa_jwk(rs256, "rs256")]},
        "pkjwt-es256": {"keys": [ec_jwk(es256, "es256")]},
    }
    with Provider(client_jwks=jwks, clock=embedded_clock) as provider:
        yield provider


@pytest.fixture
def provider(running_provider: Provider) -> Provider:
    """The embedded provider, without the requests and faults of the tests before."""
    running_provider.requests.clear()
    running_provider.faults.clear()
    return running_provider

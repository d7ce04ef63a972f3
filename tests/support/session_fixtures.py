"""The fixtures of tests that run on every client of the session family (`adapter`) and on several servers (`site`).

The folders that use them import them in their conftest: other folders would pay for the imports of every HTTP library.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from anyio.from_thread import BlockingPortal

from doorkey.dev import Provider
from tests.support.contract_servers import EMBEDDED, SITES, Site, embedded_site, real_site
from tests.support.every_adapter import KINDS, Adapter, adapter_of
from tests.support.fake_clock import Clock
from tests.support.hostile_server import reply, token
from tests.support.named_servers import NAME, PLAIN_LOOKUP, Authority, Names, Proven

__all__ = ["adapter", "authority", "embedded", "names", "server", "site"]


@pytest.fixture(params=list(KINDS))
def adapter(request: pytest.FixtureRequest, portal: BlockingPortal) -> Iterator[Adapter]:
    """Each client of the session family."""
    with adapter_of(request.param, portal) as adapter:
        yield adapter


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Names:
    """The lookups of this test."""
    names = Names(PLAIN_LOOKUP)
    monkeypatch.setattr("socket.getaddrinfo", names.lookup)
    return names


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """A certificate authority that no machine trusts."""
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def server(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proven]:
    """An issuer on https with the name `NAME`, for clients that trust `authority`."""
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):  # requests prefers them to those of a session
        monkeypatch.delenv(name, raising=False)
    server = Proven(authority.proof(NAME), NAME)
    metadata = {"issuer": server.url(""), "token_endpoint": server.url("/token")}
    server.on("/.well-known/openid-configuration", reply(json=metadata))
    server.on("/token", token())
    yield server
    server.close()


@pytest.fixture
def embedded(provider: Provider, client_keys: Path, embedded_clock: Clock) -> Site:
    """The embedded provider as a site."""
    return embedded_site(provider, client_keys, embedded_clock)


@pytest.fixture
def site(request: pytest.FixtureRequest) -> Site:
    """The server that an indirect parameter names."""
    facts = SITES[request.param]
    if facts is EMBEDDED:
        found: Site = request.getfixturevalue("embedded")
        return found
    return real_site(facts, request.getfixturevalue(facts.fixture))

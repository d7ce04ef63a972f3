"""Each test of this folder that takes `adapter` runs on all five; one that takes `site`, on the servers it names."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal

from doorkey.dev import Provider
from tests.servers.signing_keys import ec_jwk, ec_key, rsa_jwk, rsa_key
from tests.support.contract_servers import EMBEDDED, SITES, Site, embedded_site, real_site
from tests.support.every_adapter import KINDS, Adapter, adapter_of
from tests.support.fake_clock import Clock
from tests.support.hostile_server import Hostile, reply, token
from tests.support.named_servers import NAME, PLAIN_LOOKUP, Authority, Names, Proven


@pytest.fixture(scope="session")
def portal() -> Iterator[BlockingPortal]:
    """The event loop of the asynchronous clients."""
    with start_blocking_portal("asyncio") as portal:
        yield portal


@pytest.fixture(params=list(KINDS))
def adapter(request: pytest.FixtureRequest, portal: BlockingPortal) -> Iterator[Adapter]:
    with adapter_of(request.param, portal) as adapter:
        yield adapter


@pytest.fixture
def hostile() -> Iterator[Hostile]:
    server = Hostile()
    yield server
    server.close()


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Names:
    """The lookups of this test."""
    names = Names(PLAIN_LOOKUP)
    monkeypatch.setattr("socket.getaddrinfo", names.lookup)
    return names


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def server(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proven]:
    """An issuer on https that is `NAME`, for those who trust `authority`."""
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):  # requests prefers them to those of a session
        monkeypatch.delenv(name, raising=False)
    server = Proven(authority.proof(NAME), NAME)
    metadata = {"issuer": server.url(""), "token_endpoint": server.url("/token")}
    server.on("/.well-known/openid-configuration", reply(json=metadata))
    server.on("/token", token())
    yield server
    server.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def client_keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the private keys of the embedded provider's clients are."""
    return tmp_path_factory.mktemp("client-keys")


@pytest.fixture(scope="session")
def embedded_clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def running_provider(client_keys: Path, embedded_clock: Clock) -> Iterator[Provider]:
    rs256, es256 = rsa_key(client_keys / "rs256.pem"), ec_key(client_keys / "es256.pem")
    jwks = {
        "pkjwt-rs256": {"keys": [rsa_jwk(rs256, "rs256")]},
        "pkjwt-es256": {"keys": [ec_jwk(es256, "es256")]},
    }
    with Provider(client_jwks=jwks, clock=embedded_clock) as provider:
        yield provider


@pytest.fixture
def provider(running_provider: Provider) -> Provider:
    """The embedded provider, which has forgotten what it was asked before."""
    running_provider.requests.clear()
    running_provider.faults.clear()
    return running_provider


@pytest.fixture
def embedded(provider: Provider, client_keys: Path, embedded_clock: Clock) -> Site:
    return embedded_site(provider, client_keys, embedded_clock)


@pytest.fixture
def site(request: pytest.FixtureRequest) -> Site:
    facts = SITES[request.param]
    if facts is EMBEDDED:
        found: Site = request.getfixturevalue("embedded")
        return found
    return real_site(facts, request.getfixturevalue(facts.fixture))

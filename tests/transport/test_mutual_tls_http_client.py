"""Mutual TLS (RFC 8705) of sources, vaults and auth objects, whose token requests go through their `http_client`."""

from collections.abc import Callable, Iterator
from typing import Any

import aiohttp
import httpx
import httpx2
import pytest

from doorkey import AsyncTokenSource, AsyncTokenVault, ClientCredentials, OAuth2Auth, TokenSource, TokenVault
from doorkey.errors import UsageError
from doorkey.integrations.httpx_transport import AsyncOAuthAuthorityClient, OAuthAuthorityClient
from doorkey.stores import AsyncMemoryStore, MemoryStore
from tests.support.certified_site import ROBOT, Site, certified_site, paths
from tests.support.hostile_server import reply
from tests.support.named_servers import Authority


@pytest.fixture
def site(authority: Authority) -> Iterator[Site]:
    with certified_site(authority) as site:
        yield site


CERTIFIED = ClientCredentials("c", auth_methods=("tls_client_auth",))
BOUND = ClientCredentials("c", "s", tls_client_certificate_bound_access_tokens=True)
credentials_of_both_kinds = pytest.mark.parametrize("credentials", [CERTIFIED, BOUND], ids=["method", "bound tokens"])
CLIENTS: dict[str, Callable[[Site], Any]] = {
    "requests": lambda site: site.session(),
    "httpx2": lambda site: httpx2.Client(verify=site.context()),
    "httpx": lambda site: httpx.Client(verify=site.context()),
}
ASYNC_CLIENTS: dict[str, Callable[[Site], Any]] = {
    "httpx2": lambda site: httpx2.AsyncClient(verify=site.context()),
    "httpx": lambda site: httpx.AsyncClient(verify=site.context()),
    "aiohttp": lambda site: aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=site.context())),
}


@credentials_of_both_kinds
@pytest.mark.parametrize("library", CLIENTS)
def test_a_source_proves_the_certificate_of_its_http_client(site: Site, library: str, credentials: Any) -> None:
    with CLIENTS[library](site) as client, TokenSource(credentials, issuer=site.issuer, http_client=client) as source:
        assert source.token().access_token.reveal() == "at-1"
    assert paths(site.mutual) == ["/mtls/token"]
    assert set(site.mutual.known_as) == {ROBOT}


@credentials_of_both_kinds
@pytest.mark.parametrize("library", ASYNC_CLIENTS)
@pytest.mark.anyio
async def test_an_asynchronous_source_does_the_same(site: Site, library: str, credentials: Any) -> None:
    async with (
        ASYNC_CLIENTS[library](site) as client,
        AsyncTokenSource(credentials, issuer=site.issuer, http_client=client) as source,
    ):
        assert (await source.token()).access_token.reveal() == "at-1"
    assert paths(site.mutual) == ["/mtls/token"]


VAULTS: dict[str, dict[str, Any]] = {
    "method": {"token_endpoint_auth_method": "tls_client_auth"},
    "bound tokens": {"client_secret": "s", "tls_client_certificate_bound_access_tokens": True},
}
OLD = {"access_token": "at-0", "refresh_token": "rt", "expires_at": 1}


@pytest.mark.parametrize("how", VAULTS)
def test_a_vault_proves_the_certificate_of_its_http_client(site: Site, how: str) -> None:
    options: dict[str, Any] = {**VAULTS[how], "client_id": "c", "issuer": site.issuer}
    with (
        httpx2.Client(verify=site.context()) as client,
        TokenVault(MemoryStore(), **options, http_client=client) as vault,
    ):
        vault.save("alice", OLD)
        assert vault.source("alice").token().access_token.reveal() == "at-1"
        assert vault.source_of(ClientCredentials("c")).token().access_token.reveal() == "at-1"
        own: Any = vault.client("alice", httpx2.Client, verify=site.context())
        assert own.introspect_token().active
        own.close()
    assert paths(site.mutual) == ["/mtls/token", "/mtls/token", "/mtls/introspection"]


@pytest.mark.parametrize("how", VAULTS)
@pytest.mark.anyio
async def test_an_asynchronous_vault_does_the_same(site: Site, how: str) -> None:
    options: dict[str, Any] = {**VAULTS[how], "client_id": "c", "issuer": site.issuer}
    async with (
        httpx2.AsyncClient(verify=site.context()) as client,
        AsyncTokenVault(AsyncMemoryStore(), **options, http_client=client) as vault,
    ):
        await vault.save("alice", OLD)
        assert (await vault.source("alice").token()).access_token.reveal() == "at-1"
    assert paths(site.mutual) == ["/mtls/token"]


def test_an_auth_object_of_a_session_of_requests_proves_the_certificate_of_that_session(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(site.authority.path))
    site.mutual.on("/api", reply(200))
    auth = OAuth2Auth(CERTIFIED, issuer=site.issuer)
    with site.session() as session:
        assert session.get(site.mutual.url("/api"), auth=auth).status_code == 200
    assert paths(site.mutual) == ["/mtls/token", "/api"]
    assert site.mutual.received[1].token == "at-1"
    with site.session(certificate=False) as session, pytest.raises(UsageError, match="give it by cert="):
        session.get(site.plain.url("/api"), auth=OAuth2Auth(CERTIFIED, issuer=site.issuer))
    certificate = str(site.authority.identity(ROBOT))
    with site.session(certificate=False) as session:
        auth = OAuth2Auth(CERTIFIED, issuer=site.issuer)
        assert session.get(site.mutual.url("/api"), auth=auth, cert=certificate).status_code == 200


@pytest.mark.anyio
async def test_on_aiohttp_an_auth_object_proves_the_certificate_of_its_http_client(site: Site) -> None:
    connector = aiohttp.TCPConnector(ssl=site.context())
    async with aiohttp.ClientSession(connector=connector) as plain:
        auth = OAuth2Auth(CERTIFIED, issuer=site.issuer, http_client=plain)
        async with (
            aiohttp.ClientSession(connector=connector, connector_owner=False, middlewares=(auth,)) as session,
            session.get(site.mutual.url("/api")) as answer,
        ):
            assert answer.status == 200
    assert paths(site.mutual) == ["/mtls/token", "/api"]


def without_client(site: Site, kind: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("SSL_CERT_FILE", str(site.authority.path))
    return kind(CERTIFIED, metadata=site.metadata)


def test_a_client_that_doorkey_makes_has_no_certificate(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    source = without_client(site, TokenSource, monkeypatch)
    with source, pytest.raises(UsageError, match=r"expects the client's certificate.*give it by http_client="):
        source.token()
    assert site.mutual.asked_for == []


@pytest.mark.anyio
async def test_nor_has_an_asynchronous_one(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    async with without_client(site, AsyncTokenSource, monkeypatch) as source:
        with pytest.raises(UsageError, match="give it by http_client="):
            await source.token()
    assert site.mutual.asked_for == []


@credentials_of_both_kinds
def test_an_authority_and_its_transports_prove_the_certificate_of_its_client(site: Site, credentials: Any) -> None:
    with httpx2.Client(base_url=site.issuer, verify=site.context()) as client:
        authority = OAuthAuthorityClient(client, issuer=site.issuer)
        assert authority.get_token(credentials).access_token.reveal() == "at-1"
    assert paths(site.mutual) == ["/mtls/token"]


@pytest.mark.anyio
async def test_an_asynchronous_authority_does_the_same(site: Site) -> None:
    async with httpx2.AsyncClient(base_url=site.issuer, verify=site.context()) as client:
        authority = AsyncOAuthAuthorityClient(client, issuer=site.issuer)
        assert (await authority.get_token(CERTIFIED)).access_token.reveal() == "at-1"
    assert paths(site.mutual) == ["/mtls/token"]

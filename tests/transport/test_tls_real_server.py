"""https on a real server with a CA of its own (oidc-provider): every client, sources, auth objects, aiohttp, mTLS."""

import base64
import hashlib
import ssl
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import httpx2
import pytest

from doorkey import ClientCredentials, OAuth2Auth, TokenSource, adiscover, discover
from doorkey.errors import InvalidClient, TransportError
from tests.servers.browser import Browser
from tests.servers.handle import CALLBACK, RealServer
from tests.servers.running import started
from tests.support.contract_servers import OIDC_PROVIDER
from tests.support.every_adapter import Adapter, Client

BASIC = ("web-basic", "web-basic-secret")
ROBOT = ClientCredentials(*BASIC)

CERTIFIED = [("mtls-ca", "tls_client_auth"), ("mtls-self", "self_signed_tls_client_auth")]
"""Its clients that authenticate by a certificate (RFC 8705 §2.1 and §2.2)."""

pytestmark = pytest.mark.real_server


@pytest.fixture(scope="module")
def secure(oidc_provider: RealServer) -> Iterator[RealServer]:
    """The server once more, on https; without the other one, the tests are skipped."""
    with started("oidc-provider", tls=True) as server:
        yield server


def context_of(server: RealServer, *, certificate: str | None = None) -> ssl.SSLContext:
    assert server.ca is not None
    context = ssl.create_default_context(cafile=server.ca)
    if certificate is not None:
        context.load_cert_chain(*certificate_of(server, certificate))
    return context


def certificate_of(server: RealServer, name: str) -> tuple[Path, Path]:
    """Return the files of a certificate of its CA and of the key: "client" (which is registered) or "server"."""
    assert server.ca is not None
    return server.ca.parent / f"{name}.crt", server.ca.parent / f"{name}.key"


def thumbprint_of(server: RealServer) -> str:
    der = ssl.PEM_cert_to_DER_cert(certificate_of(server, "client")[0].read_text("ascii"))
    return base64.urlsafe_b64encode(hashlib.sha256(der).digest()).rstrip(b"=").decode()


def client_of(
    adapter: Adapter, server: RealServer, registration: tuple[str, str | None], *, certificate: str | None = None
) -> Client:
    endpoints = {name: server.issuer + path for name, path in OIDC_PROVIDER.paths.items()}
    options: dict[str, Any] = {"metadata": {"issuer": server.issuer, **endpoints}, "redirect_uri": CALLBACK}
    if adapter.kind.name != "requests":
        options["verify"] = context_of(server, certificate=certificate)
        return adapter.client(*registration, **options)
    client = adapter.client(*registration, **options)
    client.native.verify = str(server.ca)
    if certificate is not None:
        client.native.cert = tuple(str(path) for path in certificate_of(server, certificate))
    return client


def log_in(server: RealServer, url: str) -> str:
    with Browser(server.name) as browser:
        browser.session.verify = str(server.ca)
        return browser.authorize(url, CALLBACK)


def test_a_robot_gets_introspects_and_revokes_a_token_over_https(adapter: Adapter, secure: RealServer) -> None:
    client = client_of(adapter, secure, BASIC)
    token = client.fetch_token()
    assert client.introspect_token(token=token.access_token).active
    assert client.revoke_token(token=token.access_token).status_code == 200
    assert not client.introspect_token(token=token.access_token).active


def test_a_person_logs_in_and_the_token_is_renewed_over_https(adapter: Adapter, secure: RealServer) -> None:
    client = client_of(adapter, secure, BASIC)
    begun = client.begin_authorization(scope="openid offline_access", prompt="consent")
    first = client.fetch_token(authorization_response=log_in(secure, begun.url), transaction=begun)
    renewed = client.refresh_token()
    assert first.access_token != renewed.access_token
    assert client.get(secure.issuer + OIDC_PROVIDER.paths["userinfo_endpoint"]).status_code == 200


def test_the_machines_own_authorities_do_not_know_it(adapter: Adapter, secure: RealServer) -> None:
    client = adapter.client(*BASIC, token_endpoint=secure.issuer + "/token")
    with pytest.raises(TransportError, match="not trusted"):
        client.fetch_token()


def test_its_metadata_is_discovered_over_https(adapter: Adapter, secure: RealServer) -> None:
    client = client_of(adapter, secure, BASIC)
    find = adiscover if adapter.kind.is_async else discover
    metadata = adapter.caller(partial(find, secure.issuer, http_client=client.native))
    assert metadata.issuer == secure.issuer
    assert metadata.token_endpoint.startswith("https://")


@pytest.mark.parametrize(("client_id", "method"), CERTIFIED)
def test_a_client_authenticates_by_its_certificate(
    adapter: Adapter, secure: RealServer, client_id: str, method: str
) -> None:
    """An id and no secret; the token is bound to the certificate."""
    client = client_of(adapter, secure, (client_id, None), certificate="client")
    client.native.token_endpoint_auth_method = method
    token = client.fetch_token()
    told = client.introspect_token(token=token.access_token)
    assert told.active
    assert told["cnf"]["x5t#S256"] == thumbprint_of(secure)


@pytest.mark.parametrize(("client_id", "method"), CERTIFIED)
def test_a_client_with_another_certificate_is_refused(
    adapter: Adapter, secure: RealServer, client_id: str, method: str
) -> None:
    client = client_of(adapter, secure, (client_id, None), certificate="server")
    client.native.token_endpoint_auth_method = method
    with pytest.raises(InvalidClient):
        client.fetch_token()


def test_sources_and_auth_objects_discover_and_ask_by_their_http_client(secure: RealServer) -> None:
    with (
        httpx2.Client(verify=context_of(secure)) as client,
        TokenSource(ROBOT, issuer=secure.issuer, http_client=client) as source,
    ):
        assert source.token().access_token.reveal()
    with (
        httpx2.Client(verify=context_of(secure)) as client,
        httpx2.Client(
            verify=context_of(secure), auth=OAuth2Auth(ROBOT, issuer=secure.issuer, http_client=client)
        ) as api,
    ):
        request = api.get(secure.discovery).request
        assert request.headers["Authorization"].startswith("Bearer ")


@pytest.mark.anyio
async def test_on_aiohttp_the_token_comes_over_https(secure: RealServer) -> None:
    context = context_of(secure)
    async with httpx2.AsyncClient(verify=context) as client:
        auth = OAuth2Auth(ROBOT, issuer=secure.issuer, http_client=client)
        connector = aiohttp.TCPConnector(ssl=context)
        async with (
            aiohttp.ClientSession(connector=connector, middlewares=(auth,)) as session,
            session.get(secure.discovery) as answer,
        ):
            assert answer.status == 200
            assert answer.request_info.headers["Authorization"].startswith("Bearer ")

"""The certificate authorities of the environment are those of the clients that doorkey makes, on every library."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from doorkey import (
    AsyncTokenSource,
    ClientCredentials,
    OAuth2Auth,
    OAuthError,
    TokenSource,
    TransportError,
    UsageError,
    discover,
)
from doorkey.transport.httpx_or_httpx2 import library as http_library
from doorkey.transport.made_clients import CA_VARIABLES, tls_context
from tests.support.hostile_server import Hostile, reply, token
from tests.support.named_servers import Authority, Proven

CLIENT = ClientCredentials("c", "s")


@pytest.fixture
def server(authority: Authority) -> Iterator[Proven]:
    made = Proven(authority.proof("localhost"), "localhost")
    made.on("/token", token("at-1"))
    yield made
    made.close()


@pytest.fixture(params=["httpx2", "requests alone"])
def library(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param != "httpx2":
        monkeypatch.setattr("doorkey.transport.made_clients.installed", lambda: ())


def fetched(server: Proven) -> str:
    with TokenSource(CLIENT, token_endpoint=server.url("/token")) as source:
        return source.token().access_token.reveal()


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize("variable", CA_VARIABLES)
def test_a_source_trusts_the_authorities_that_a_variable_names(
    monkeypatch: pytest.MonkeyPatch, authority: Authority, server: Proven, variable: str
) -> None:
    monkeypatch.setenv(variable, str(authority.path))
    assert fetched(server) == "at-1"


@pytest.mark.usefixtures("library")
def test_the_first_variable_that_is_set_counts(
    monkeypatch: pytest.MonkeyPatch, authority: Authority, server: Proven, tmp_path: Path
) -> None:
    other = Authority(tmp_path)
    for first, second in ((authority, other), (other, authority)):
        monkeypatch.setenv("SSL_CERT_FILE", str(first.path))
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(second.path))
        if first is authority:
            assert fetched(server) == "at-1"
        else:
            with pytest.raises(TransportError, match="certificate is not trusted"):
                fetched(server)


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize("content", [None, "no certificates"])
def test_a_variable_that_names_no_authorities_is_named(
    monkeypatch: pytest.MonkeyPatch, server: Proven, tmp_path: Path, content: str | None
) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_text(content)
    monkeypatch.setenv("CURL_CA_BUNDLE", str(path))
    with pytest.raises(UsageError, match=r"CURL_CA_BUNDLE names .*ca\.pem"):
        fetched(server)


@pytest.mark.anyio
async def test_an_asynchronous_source_trusts_them_too(
    monkeypatch: pytest.MonkeyPatch, authority: Authority, server: Proven
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.path))
    async with AsyncTokenSource(CLIENT, token_endpoint=server.url("/token")) as source:
        assert (await source.token()).access_token.reveal() == "at-1"


def test_an_auth_object_and_discovery_trust_them_too(
    monkeypatch: pytest.MonkeyPatch, authority: Authority, server: Proven
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.path))
    metadata: dict[str, Any] = {"issuer": server.url(""), "token_endpoint": server.url("/token")}
    server.on("/.well-known/openid-configuration", reply(json=metadata))
    assert discover(server.url("")).token_endpoint == server.url("/token")
    auth = OAuth2Auth(CLIENT, token_endpoint=server.url("/token"))
    assert requests.get(server.url("/api"), auth=auth, timeout=60).status_code == 200


@pytest.mark.usefixtures("library")
def test_a_file_of_authorities_that_was_replaced_is_read_again(
    monkeypatch: pytest.MonkeyPatch, authority: Authority, server: Proven, tmp_path: Path
) -> None:
    path = tmp_path / "ca.pem"
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    (tmp_path / "other").mkdir()
    for content, accepted in ((Authority(tmp_path / "other").path, False), (authority.path, True)):
        (tmp_path / "new.pem").write_bytes(content.read_bytes())
        (tmp_path / "new.pem").replace(path)
        if accepted:
            assert fetched(server) == "at-1"
        else:
            with pytest.raises(TransportError, match="certificate is not trusted"):
                fetched(server)


@pytest.mark.parametrize("named", [True, False])
def test_clients_that_doorkey_makes_share_one_reading_of_the_authorities(
    monkeypatch: pytest.MonkeyPatch, authority: Authority, named: bool
) -> None:
    if named:
        monkeypatch.setenv("SSL_CERT_FILE", str(authority.path))
    lib = http_library()
    assert tls_context(lib) is tls_context(lib)


PROXY_VARIABLES = ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy")


@pytest.fixture
def proxy() -> Iterator[Hostile]:
    """A server that the environment names as the proxy, and that keeps what it receives."""
    server = Hostile()
    yield server
    server.close()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
@pytest.mark.parametrize("variable", PROXY_VARIABLES)
@pytest.mark.usefixtures("library")
def test_no_proxy_reads_a_secret_that_goes_to_this_machine(
    hostile: Hostile, proxy: Hostile, monkeypatch: pytest.MonkeyPatch, variable: str, host: str
) -> None:
    """Plain http is for loopback, and through a proxy it would leave the machine."""
    monkeypatch.setenv(variable, proxy.url(""))
    hostile.on("/token", token("at-1"))
    with TokenSource(CLIENT, token_endpoint=hostile.url("/token", host=host)) as source:
        assert source.token().access_token.reveal() == "at-1"
    with pytest.raises(OAuthError):
        discover(hostile.url("/realm", host=host))
    assert proxy.received == []
    assert hostile.received[0].path == "/token"
    assert len(hostile.received) > 1


@pytest.mark.anyio
@pytest.mark.parametrize("variable", PROXY_VARIABLES)
async def test_no_proxy_reads_a_secret_of_an_asynchronous_program_that_goes_to_this_machine(
    hostile: Hostile, proxy: Hostile, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, proxy.url(""))
    hostile.on("/token", token("at-1"))
    async with AsyncTokenSource(CLIENT, token_endpoint=hostile.url("/token")) as source:
        assert (await source.token()).access_token.reveal() == "at-1"
    assert proxy.received == []


@pytest.mark.usefixtures("library")
def test_a_proxy_of_the_environment_carries_what_goes_to_other_machines(
    proxy: Hostile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy.url(""))
    with TokenSource(CLIENT, token_endpoint="https://as.example/token") as source, pytest.raises(TransportError):
        source.token()
    assert [request.method for request in proxy.received] == ["CONNECT"]

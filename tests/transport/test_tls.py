"""https with certificates, on every client: whom the user trusts is trusted, for token traffic as for the API."""

import ssl
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import httpx2
import pytest
import requests

from doorkey import AsyncTokenSource, ClientCredentials, OAuth2Auth, TokenSource, adiscover, discover
from doorkey.errors import InvalidResponse, TransportError
from doorkey.integrations.requests_client import OAuth2Session
from doorkey.protocol.metadata import ServerMetadata
from tests.support.every_adapter import Adapter, Client
from tests.support.hostile_server import Hostile, reply, token
from tests.support.named_servers import Authority, Proven

HOST = "localhost"
OPENID = "/.well-known/openid-configuration"

CALLS: dict[str, Callable[[Client], object]] = {
    "token": lambda client: client.fetch_token(),
    "refresh": lambda client: client.refresh_token(refresh_token="rt"),
    "revocation": lambda client: client.revoke_token(token="at"),
    "introspection": lambda client: client.introspect_token(token="at"),
}
every_call = pytest.mark.parametrize("call", [pytest.param(call, id=name) for name, call in CALLS.items()])


@pytest.fixture
def tls(authority: Authority) -> Iterator[Callable[..., Proven]]:
    """Make servers on https. The other arguments are those of `authority.proof`, which makes the certificate."""
    made: list[Proven] = []

    def make(name: str = HOST, *, host: str = HOST, **how: Any) -> Proven:
        server = Proven(authority.proof(name, **how), host)
        made.append(server)
        server.on("/token", token(refresh_token="rt"))
        server.on("/revoke", reply(200))
        server.on("/introspect", reply(json={"active": True}))
        return server

    yield make
    for server in made:
        server.close()


def options_of(server: Hostile) -> dict[str, Any]:
    named = {"token_endpoint": "/token", "revocation_endpoint": "/revoke", "introspection_endpoint": "/introspect"}
    return {name: server.url(path) for name, path in named.items()}


def client_of(
    adapter: Adapter, server: Proven, trusted: Authority | None, certificate: Path | None = None, **options: Any
) -> Client:
    """A client of the server, given a CA and a certificate of its own the way its HTTP library has for it."""
    options = {**options_of(server), **options}
    if adapter.kind.name == "requests":
        client = adapter.client("c", "s", **options)
        if trusted is not None:
            client.native.verify = str(trusted.path)
        client.native.cert = str(certificate) if certificate else None
        return client
    if trusted is not None:
        context = trusted.trusted
        if certificate is not None:
            context.load_cert_chain(certificate)
        options["verify"] = context
    return adapter.client("c", "s", **options)


def cause_of(error: BaseException) -> str:
    """The whole chain, as a traceback would show it."""
    chain: list[str] = []
    one: BaseException | None = error
    while one is not None:
        chain.append(repr(one))
        one = one.__cause__ or one.__context__
    return "\n".join(chain)


def test_a_custom_token_is_fetched_sent_renewed_introspected_and_revoked_under_a_ca(
    adapter: Adapter, authority: Authority, tls: Callable[..., Proven]
) -> None:
    server = tls()
    client = client_of(adapter, server, authority)
    assert client.fetch_token()["refresh_token"] == "rt"
    assert client.get(server.url("/api")).status_code == 200
    assert client.refresh_token()["access_token"] == "at-1"
    assert client.introspect_token(token="at-1").active
    assert client.revoke_token(token="at-1").status_code == 200
    assert [request.path for request in server.received] == ["/token", "/api", "/token", "/introspect", "/revoke"]
    assert set(server.asked_for) == {HOST}


@every_call
def test_a_ca_that_is_unknown_is_refused_with_the_cause_and_the_fix(
    adapter: Adapter, tls: Callable[..., Proven], call: Callable[[Client], object]
) -> None:
    server = tls()
    with pytest.raises(TransportError, match="not trusted") as error:
        call(client_of(adapter, server, None))
    assert server.received == []
    assert server.url("") in str(error.value)
    fix = 'verify="ca.pem"' if adapter.kind.name == "requests" else 'create_default_context(cafile="ca.pem")'
    assert fix in str(error.value)
    assert "CERTIFICATE_VERIFY_FAILED" in cause_of(error.value), "the library's own error is kept"
    assert error.value.retryable, "nothing has left"


@pytest.mark.parametrize(
    ("proof", "said"),
    [
        ({"name": "other.example"}, "another host name"),
        ({"name": "127.0.0.2", "host": "127.0.0.1"}, "not for this IP address"),
        ({"days": (-3, -1)}, "has expired"),
        ({"days": (1, 3)}, "not valid yet"),
    ],
    ids=["another name", "another address", "expired", "not valid yet"],
)
def test_a_certificate_for_another_host_is_refused(
    adapter: Adapter, authority: Authority, tls: Callable[..., Proven], proof: dict[str, Any], said: str
) -> None:
    server = tls(**proof)
    with pytest.raises(TransportError, match=said):
        client_of(adapter, server, authority).fetch_token()
    assert server.received == []


def test_a_server_that_speaks_no_tls_is_named_as_one(adapter: Adapter, authority: Authority, hostile: Hostile) -> None:
    endpoint = f"https://localhost:{hostile.port}/token"
    with pytest.raises(TransportError, match=r"TLS failed|ConnectError"):
        adapter.client(token_endpoint=endpoint).fetch_token()
    assert hostile.received == []


def test_verification_that_the_user_has_switched_off_is_off_for_token_traffic_too(
    adapter: Adapter, tls: Callable[..., Proven]
) -> None:
    server = tls("other.example", days=(-3, -1))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # urllib3's, at each such request
        if adapter.kind.name == "requests":
            client = client_of(adapter, server, None)
            client.native.verify = False
        else:
            client = client_of(adapter, server, None, verify=False)
        assert client.fetch_token()["access_token"] == "at-1"


def test_a_client_certificate_reaches_the_token_endpoint(
    adapter: Adapter, authority: Authority, tls: Callable[..., Proven]
) -> None:
    """Mutual TLS (RFC 8705 §2): who connects has proven to be `robot.example`."""
    server = tls(clients=True)
    client = client_of(adapter, server, authority, authority.identity("robot.example"))
    for call in CALLS.values():
        call(client)
    assert set(server.known_as) == {"robot.example"}
    assert len(server.received) == 4


def test_without_a_client_certificate_a_server_that_wants_one_gets_nothing(
    adapter: Adapter, authority: Authority, tls: Callable[..., Proven]
) -> None:
    server = tls(clients=True)
    with pytest.raises(TransportError):
        client_of(adapter, server, authority).fetch_token()
    assert server.received == []


def found(adapter: Adapter, client: Client, issuer: str) -> ServerMetadata:
    find = adiscover if adapter.kind.is_async else discover
    metadata: ServerMetadata = adapter.caller(partial(find, issuer, http_client=client.native))
    return metadata


def test_an_https_issuer_whose_metadata_names_http_endpoints_is_refused(
    adapter: Adapter, authority: Authority, tls: Callable[..., Proven], hostile: Hostile
) -> None:
    server = tls()
    issuer = server.url("")
    client = client_of(adapter, server, authority)
    server.on(
        OPENID,
        reply(json={"issuer": issuer, "token_endpoint": hostile.token_endpoint}),
        reply(json={"issuer": issuer, "token_endpoint": server.url("/token")}),
    )
    with pytest.raises(InvalidResponse, match="token_endpoint that is not https"):
        found(adapter, client, issuer)
    assert found(adapter, client, issuer).token_endpoint == server.url("/token")
    assert hostile.received == []


# -- sources, auth objects and aiohttp, whose token traffic goes through an http_client of theirs ----------------------

ROBOT = ClientCredentials("c", "s")


def test_a_source_uses_the_trust_store_of_its_http_client(authority: Authority, tls: Callable[..., Proven]) -> None:
    server = tls()
    with httpx2.Client(verify=authority.trusted) as client:
        source = TokenSource(ROBOT, token_endpoint=server.url("/token"), http_client=client)
        assert source.token().access_token.reveal() == "at-1"
    with (
        TokenSource(ROBOT, token_endpoint=server.url("/token")) as distrusting,
        pytest.raises(TransportError, match="http_client="),
    ):
        distrusting.token()


@pytest.mark.anyio
async def test_an_asynchronous_source_uses_the_trust_store_of_its_http_client(
    authority: Authority, tls: Callable[..., Proven]
) -> None:
    server = tls()
    async with httpx2.AsyncClient(verify=authority.trusted) as client:
        source = AsyncTokenSource(ROBOT, token_endpoint=server.url("/token"), http_client=client)
        assert (await source.token()).access_token.reveal() == "at-1"


def test_a_source_of_its_own_client_trusts_the_file_that_the_environment_names(
    authority: Authority, tls: Callable[..., Proven], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.path))
    server = tls()
    with TokenSource(ROBOT, token_endpoint=server.url("/token")) as source:
        assert source.token().access_token.reveal() == "at-1"


@pytest.mark.anyio
async def test_on_aiohttp_the_token_is_got_by_an_http_client_that_knows_the_ca(
    authority: Authority, tls: Callable[..., Proven]
) -> None:
    server = tls()
    async with httpx2.AsyncClient(verify=authority.trusted) as client:
        auth = OAuth2Auth(ROBOT, token_endpoint=server.url("/token"), http_client=client)
        connector = aiohttp.TCPConnector(ssl=authority.trusted)
        async with (
            aiohttp.ClientSession(connector=connector, middlewares=(auth,)) as session,
            session.get(server.url("/api")) as answer,
        ):
            assert answer.status == 200
    assert [request.path for request in server.received] == ["/token", "/api"]
    assert server.to("/api")[0].token == "at-1"


def test_on_requests_an_auth_object_gets_its_token_by_an_http_client_that_knows_the_ca(
    authority: Authority, tls: Callable[..., Proven]
) -> None:
    server = tls()
    with requests.Session() as session:
        session.verify = str(authority.path)
        auth = OAuth2Auth(ROBOT, token_endpoint=server.url("/token"), http_client=session)
        assert session.get(server.url("/api"), auth=auth).status_code == 200
    assert server.to("/api")[0].token == "at-1"


# -- requests has an order of its own -------------------------------------------------------------------------------

on_requests = pytest.mark.parametrize("adapter", ["requests"], indirect=True)


@on_requests
def test_requests_prefers_the_environments_ca_bundle_to_the_sessions_and_the_calls_to_both(
    adapter: Adapter, authority: Authority, tls: Callable[..., Proven], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    others = tmp_path / "others"
    others.mkdir()
    strangers = str(Authority(others).path)
    server = tls()
    client = client_of(adapter, server, authority)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", strangers)
    with pytest.raises(TransportError, match="not trusted"):
        client.fetch_token()
    assert client.fetch_token(verify=str(authority.path))["access_token"] == "at-1"
    client.native.trust_env = False
    assert client.fetch_token()["access_token"] == "at-1"
    client.native.trust_env, client.native.verify = True, strangers
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.path))
    assert client.fetch_token()["access_token"] == "at-1"


@on_requests
def test_a_certificate_of_one_call_reaches_the_token_endpoint_and_no_other_call(
    adapter: Adapter, authority: Authority, tls: Callable[..., Proven]
) -> None:
    server = tls(clients=True)
    client = client_of(adapter, server, authority)
    assert client.fetch_token(cert=str(authority.identity("robot.example")))["access_token"] == "at-1"
    assert server.known_as == ["robot.example"]


@on_requests
@pytest.mark.parametrize("option", ["verify", "cert"])
def test_a_file_that_is_not_there_is_named_as_the_cause(
    adapter: Adapter, tls: Callable[..., Proven], option: str, tmp_path: Path
) -> None:
    server = tls()
    with pytest.raises(TransportError, match="cannot be read"):
        client_of(adapter, server, None).fetch_token(**{option: str(tmp_path / "missing.pem")})
    assert server.received == []


def test_a_context_with_the_default_trust_counts_as_the_default(authority: Authority) -> None:
    """The tests above prove something: this machine does not know their authority."""
    system = ssl.create_default_context()
    assert authority.trusted.get_ca_certs()[0] not in system.get_ca_certs()


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_the_variable_that_overrides_verify_of_a_session_of_requests_is_named(
    monkeypatch: pytest.MonkeyPatch,
    authority: Authority,
    tls: Callable[..., Proven],
    tmp_path: Path,
    variable: str,
) -> None:
    server, session = tls(), requests.Session()
    session.verify = str(authority.path)
    monkeypatch.setenv(variable, str(Authority(tmp_path).path))

    def fetched() -> str:
        source = TokenSource(ClientCredentials("c", "s"), token_endpoint=server.url("/token"), http_client=session)
        return source.token().access_token.reveal()

    with pytest.raises(TransportError, match=f"not trusted.*variable {variable} .*overrides verify= of the session"):
        fetched()
    monkeypatch.setenv(variable, str(tmp_path / "missing.pem"))
    with pytest.raises(TransportError, match=f"cannot be read.*variable {variable} .*trust_env = False"):
        fetched()
    session.trust_env = False
    assert fetched() == "at-1"


def test_a_variable_that_overrides_nothing_is_not_blamed(
    monkeypatch: pytest.MonkeyPatch, authority: Authority, tls: Callable[..., Proven], tmp_path: Path
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.path))
    client = OAuth2Session("c", "s", **options_of(tls()))
    with pytest.raises(TransportError) as error:
        client.fetch_token(verify=str(Authority(tmp_path).path))
    assert "overrides" not in str(error.value)

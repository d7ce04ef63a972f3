"""Mutual TLS (RFC 8705) on every client: the certificate, the client's name, and the endpoints that have an alias."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from requests.adapters import HTTPAdapter

from doorkey import ClientCredentials
from doorkey.errors import InvalidClient, InvalidResponse, TransportError, UsageError
from doorkey.integrations.requests_client import OAuth2Session
from doorkey.jose.generation import generate_key
from doorkey.jose.verification import verify
from tests.support.certified_site import CONFIGURATION, ROBOT, Site, certified_site, paths
from tests.support.every_adapter import Adapter, Client
from tests.support.hostile_server import reply, token
from tests.support.named_servers import Authority

METHODS = ("tls_client_auth", "self_signed_tls_client_auth")


@pytest.fixture
def site(authority: Authority) -> Iterator[Site]:
    with certified_site(authority) as site:
        yield site


def client_of(
    adapter: Adapter, site: Site, client_secret: Any = None, *, certificate: bool = True, **options: Any
) -> Client:
    """A client of the site, given the certificate the way its HTTP library has for it."""
    options = {"issuer": site.issuer, **options}
    if adapter.kind.name == "requests":
        cert = str(site.authority.identity(ROBOT)) if certificate else None
        return adapter.client("c", client_secret, **options, verify=str(site.authority.path), cert=cert)
    return adapter.client("c", client_secret, **options, verify=site.context(certificate=certificate))


@pytest.mark.parametrize("method", METHODS)
def test_oidcc_client_test_mtls_endpoint_aliases(adapter: Adapter, site: Site, method: str) -> None:
    """The client finds the aliases in the metadata, and sends each request that has one there (RFC 8705 §5)."""
    client = client_of(adapter, site, token_endpoint_auth_method=method)
    assert client.fetch_token()["token_type"] == "Bearer"
    client.refresh_token()
    info: Any = client.call("userinfo", sub="alice")
    assert info["sub"] == "alice"
    assert client.introspect_token().active
    assert client.revoke_token().status_code == 200
    assert paths(site.plain) == [CONFIGURATION]
    token_requests = ["/mtls/token", "/mtls/token"]
    assert paths(site.mutual) == [*token_requests, "/mtls/userinfo", "/mtls/introspection", "/mtls/revocation"]
    assert set(site.mutual.known_as) == {ROBOT}


def test_the_request_names_the_client_and_has_no_secret(adapter: Adapter, site: Site) -> None:
    client = client_of(adapter, site, "do-not-send", token_endpoint_auth_method="tls_client_auth")
    client.fetch_token(scope="read")
    request = site.mutual.received[0]
    assert request.form == {"grant_type": "client_credentials", "scope": "read", "client_id": "c"}
    assert request.header("authorization") is None
    assert "do-not-send" not in str(request)


def test_a_method_of_one_call_uses_the_aliases_for_that_call(adapter: Adapter, site: Site) -> None:
    client = client_of(adapter, site, "s")
    client.fetch_token(auth="tls_client_auth")
    client.fetch_token()
    assert paths(site.mutual) == ["/mtls/token"]
    assert paths(site.plain) == [CONFIGURATION, "/token"]


def test_an_endpoint_without_an_alias_is_used_as_it_is(adapter: Adapter, site: Site) -> None:
    """There is one host for all clients then, which may ask each for its certificate."""
    metadata = {
        "issuer": site.mutual.url(""),
        "token_endpoint": site.mutual.url("/mtls/token"),
        "introspection_endpoint": site.mutual.url("/mtls/introspection"),
        "mtls_endpoint_aliases": {"revocation_endpoint": site.mutual.url("/mtls/revocation"), "token_endpoint": 7},
    }
    options: dict[str, Any] = {"issuer": None, "metadata": metadata, "token_endpoint_auth_method": "tls_client_auth"}
    client = client_of(adapter, site, **options)
    client.fetch_token()
    assert client.introspect_token().active
    assert paths(site.mutual) == ["/mtls/token", "/mtls/introspection"]


def test_an_endpoint_that_the_program_names_is_used_in_place_of_the_alias(adapter: Adapter, site: Site) -> None:
    site.mutual.on("/own", token())
    own: dict[str, Any] = {"token_endpoint": site.mutual.url("/own"), "token_endpoint_auth_method": "tls_client_auth"}
    client_of(adapter, site, **own).fetch_token()
    client = client_of(adapter, site, issuer=None, metadata=site.metadata, **own)
    client.fetch_token()
    assert client.introspect_token(token="at").active
    assert paths(site.mutual) == ["/own", "/own", "/mtls/introspection"]


def test_an_alias_may_be_named_by_the_program(adapter: Adapter, site: Site) -> None:
    client = client_of(adapter, site, issuer=None, metadata=site.metadata, token_endpoint_auth_method="none")
    client.fetch_token(site.mutual.url("/mtls/token"))
    client.refresh_token()
    assert client.introspect_token(auth="tls_client_auth").active, "its token came from the same server"
    assert paths(site.mutual) == ["/mtls/token", "/mtls/token", "/mtls/introspection"]


def test_tokens_bound_to_the_certificate_are_requested_at_the_alias_by_every_method(
    adapter: Adapter, site: Site
) -> None:
    key = generate_key("ES256")
    client = client_of(adapter, site, key, tls_client_certificate_bound_access_tokens=True)
    client.fetch_token()
    client_of(adapter, site, "s", tls_client_certificate_bound_access_tokens=True).fetch_token()
    signed, basic = site.mutual.received
    assert verify(signed.form["client_assertion"], key.public_jwk(), algorithms=["ES256"]).claims["aud"] == site.issuer
    assert basic.header("authorization") is not None
    assert set(site.mutual.known_as) == {ROBOT}


def test_without_bound_tokens_and_without_the_method_the_aliases_are_not_used(adapter: Adapter, site: Site) -> None:
    client_of(adapter, site, "s").fetch_token()
    assert paths(site.plain) == [CONFIGURATION, "/token"]
    assert site.mutual.known_as == []


@pytest.mark.parametrize(
    "alias",
    [
        "http://as.example/token",
        "http://127.0.0.1:1/token",
        "https://u@as.example/token",
        "token",
        "https://as.example/#x",
    ],
)
def test_an_alias_that_cannot_be_an_endpoint_is_refused_where_it_would_be_used(
    adapter: Adapter, site: Site, alias: str
) -> None:
    metadata = {**site.metadata, "mtls_endpoint_aliases": {"token_endpoint": alias}}
    client = client_of(adapter, site, "s", issuer=None, metadata=metadata)
    client.fetch_token()
    with pytest.raises(InvalidResponse, match="mtls_endpoint_aliases"):
        client.fetch_token(auth="tls_client_auth")
    assert paths(site.plain) == ["/token"]


# -- a client without a certificate -----------------------------------------------------------------------------------


def test_a_session_of_requests_without_a_certificate_is_refused_before_anything_is_sent(site: Site) -> None:
    with OAuth2Session("c", issuer=site.issuer, verify=str(site.authority.path)) as session:
        session.token_endpoint_auth_method = "tls_client_auth"
        with pytest.raises(UsageError, match=r"expects the client's certificate.*has none: give it by cert=\("):
            session.fetch_token()
        assert site.mutual.asked_for == []
        assert session.fetch_token(cert=str(site.authority.identity(ROBOT)))["access_token"] == "at-1"


def test_an_adapter_of_requests_with_a_context_of_its_own_may_have_the_certificate(site: Site) -> None:
    class Own(HTTPAdapter):
        def init_poolmanager(self, *args: Any, **kwargs: Any) -> Any:
            return super().init_poolmanager(*args, **kwargs, ssl_context=site.context())

    with OAuth2Session("c", issuer=site.issuer, token_endpoint_auth_method="tls_client_auth") as session:
        session.mount("https://", Own())
        session.verify = str(site.authority.path)
        assert session.fetch_token()["access_token"] == "at-1"
    assert site.mutual.known_as == [ROBOT]


@pytest.mark.parametrize("adapter", ["httpx2", "httpx2-async", "httpx", "httpx-async"], indirect=True)
def test_another_client_without_a_certificate_is_told_so_by_the_server(adapter: Adapter, site: Site) -> None:
    client = client_of(adapter, site, certificate=False, token_endpoint_auth_method="tls_client_auth")
    with pytest.raises(TransportError, match="certificate"):
        client.fetch_token()
    assert site.mutual.received == []


def test_a_certificate_that_the_server_does_not_trust_is_named_as_the_cause(
    adapter: Adapter, site: Site, tmp_path: Path
) -> None:
    stranger = Authority(tmp_path).identity(ROBOT)
    options: dict[str, Any] = {"issuer": site.issuer, "token_endpoint_auth_method": "tls_client_auth"}
    if adapter.kind.name == "requests":
        options |= {"verify": str(site.authority.path), "cert": str(stranger)}
    else:
        options["verify"] = site.context(certificate=False)
        options["verify"].load_cert_chain(stranger)
    with pytest.raises(TransportError, match=r"client certificate|a certificate that the server accepts"):
        adapter.client("c", **options).fetch_token()
    assert site.mutual.received == []


def test_an_error_of_the_server_asks_for_the_certificate(adapter: Adapter, site: Site) -> None:
    site.mutual.on("/mtls/token", reply(401, json={"error": "invalid_client"}))
    client = client_of(adapter, site, token_endpoint_auth_method="tls_client_auth")
    with pytest.raises(InvalidClient, match="does the HTTP client have the certificate that is registered"):
        client.fetch_token()


def test_plain_http_may_reach_a_proxy_on_this_machine_that_has_the_certificate(adapter: Adapter, hostile: Any) -> None:
    hostile.on("/token", token())
    client = adapter.client("c", token_endpoint=hostile.token_endpoint, token_endpoint_auth_method="tls_client_auth")
    assert client.fetch_token()["access_token"] == "at-1"


def test_a_flag_that_is_none_is_a_usage_error() -> None:
    wrong: Any = "yes"
    for make in (partial(ClientCredentials, "c"), partial(OAuth2Session, "c")):
        with pytest.raises(UsageError, match="tls_client_certificate_bound_access_tokens"):
            make(tls_client_certificate_bound_access_tokens=wrong)

"""`discover` and `adiscover` on every HTTP library: what a server says of itself, fetched by the same exchange."""

import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import httpx
import httpx2
import pytest
import requests
from anyio.from_thread import BlockingPortal

from doorkey import adiscover, discover
from doorkey.errors import (
    InvalidResponse,
    OAuthError,
    TemporarilyUnavailable,
    TransportError,
    UsageError,
    VerificationError,
)
from doorkey.protocol.metadata import ServerMetadata
from doorkey.wire.limits import ExchangePolicy
from tests.support.contract_servers import DJANGO, EMBEDDED, KEYCLOAK, OIDC_PROVIDER, Site, on
from tests.support.fake_clock import START
from tests.support.hostile_server import Endless, Hostile, reply

Discover = Callable[..., ServerMetadata]
OPENID = "/.well-known/openid-configuration"
OAUTH = "/.well-known/oauth-authorization-server"

MAKERS: dict[str, Callable[[], Any]] = {
    "requests": requests.Session,
    "httpx2": httpx2.Client,
    "httpx2-async": httpx2.AsyncClient,
    "httpx": httpx.Client,
    "httpx-async": httpx.AsyncClient,
}


@pytest.fixture(params=[*MAKERS, "whatever is there", "whatever is there, async"])
def find(request: pytest.FixtureRequest, portal: BlockingPortal) -> Iterator[Discover]:
    make = MAKERS.get(request.param)
    client = make() if make else None

    def afind(issuer: str, **options: Any) -> ServerMetadata:
        return portal.call(partial(adiscover, issuer, http_client=client, **options))

    if "async" in request.param:
        yield afind
        if client is not None:
            portal.call(client.aclose)
    else:
        yield partial(discover, http_client=client)
        if client is not None:
            client.close()


@on(only=(EMBEDDED, KEYCLOAK, OIDC_PROVIDER, DJANGO))
def test_a_server_names_its_endpoints(find: Discover, site: Site) -> None:
    metadata = find(site.issuer)
    assert metadata.issuer == site.issuer
    assert metadata.token_endpoint == site.endpoints()["token_endpoint"]
    assert metadata.authorization_endpoint == site.endpoints()["authorization_endpoint"]
    assert metadata.jwks_uri


def test_both_well_known_forms_are_tried(find: Discover, hostile: Hostile) -> None:
    issuer = hostile.url("/tenant")
    hostile.on(f"/tenant{OPENID}", reply(404))
    hostile.on(f"{OAUTH}/tenant", reply(json={"issuer": issuer, "token_endpoint": hostile.url("/t")}))
    assert find(issuer).token_endpoint == hostile.url("/t")
    assert [request.path for request in hostile.received] == [f"/tenant{OPENID}", f"{OAUTH}/tenant"]


@pytest.mark.parametrize("named", [None, "", "https://evil.example", 7, "{}/", "{}#"])
def test_the_issuer_must_be_exactly_the_one_that_was_asked(find: Discover, hostile: Hostile, named: Any) -> None:
    issuer = hostile.url("")
    said = named.format(issuer) if isinstance(named, str) else named
    hostile.on(OPENID, reply(json={"issuer": said, "token_endpoint": "https://as.example/t"}))
    with pytest.raises(VerificationError, match="issuer"):
        find(issuer)


def test_no_redirect_is_followed(find: Discover, hostile: Hostile) -> None:
    hostile.on(OPENID, reply(302, headers={"Location": hostile.url("/elsewhere")}))
    with pytest.raises(InvalidResponse) as error:
        find(hostile.url(""))
    assert error.value.problem == "redirected"
    assert hostile.to("/elsewhere") == []


def test_an_endless_document_stops_at_the_cap_and_a_drip_at_the_deadline(find: Discover, hostile: Hostile) -> None:
    head = b"HTTP/1.1 200 OK\r\n\r\n"
    endless, drip = Endless(head, b" " * 65536), Endless(head, b" ", pause=0.02)
    hostile.on(OPENID, endless, drip)
    with pytest.raises(InvalidResponse) as error:
        find(hostile.url(""))
    assert error.value.problem == "too_large"
    with pytest.raises(TransportError):
        find(hostile.url(""), exchange=ExchangePolicy(deadline=0.15))
    hostile.wait_until_left()


@pytest.mark.parametrize(
    "answer",
    [
        reply(500, "<html>"),
        reply(200, "[]"),
        reply(200, "{"),
        reply(200, '{"issuer":"a","issuer":"b"}'),
        reply(503, headers={"Retry-After": "7"}),
        reply(400, json={"error": "invalid_request"}),
    ],
)
def test_a_value_that_is_not_a_metadata_is_a_typed_error(find: Discover, hostile: Hostile, answer: bytes) -> None:
    hostile.on(OPENID, answer)
    with pytest.raises(OAuthError):
        find(hostile.url(""))


def test_a_busy_server_may_name_a_date(find: Discover, hostile: Hostile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", lambda: START)
    hostile.on(OPENID, reply(503, headers={"Retry-After": "Fri, 15 Jan 2027 08:00:05 GMT"}))
    with pytest.raises(TemporarilyUnavailable) as error:
        find(hostile.url(""))
    assert error.value.retry_after == 5


@pytest.mark.parametrize("endpoint", ["http://evil.example/t", "https://a@b/t", "file:///etc/passwd", 7])
def test_an_endpoint_that_cannot_be_one_spoils_the_document(find: Discover, hostile: Hostile, endpoint: Any) -> None:
    hostile.on(OPENID, reply(json={"issuer": hostile.url(""), "token_endpoint": endpoint}))
    with pytest.raises(InvalidResponse) as error:
        find(hostile.url(""))
    assert error.value.problem == "metadata"


@pytest.mark.parametrize(
    "issuer", ["http://as.example", "https://as.example/?a=1", "https://u@as.example", "as.example", "file:///x", ""]
)
def test_an_issuer_that_cannot_be_one_is_never_asked(find: Discover, issuer: str) -> None:
    with pytest.raises(UsageError):
        find(issuer)


def test_a_server_without_metadata_says_so(find: Discover, hostile: Hostile) -> None:
    for path in (OPENID, OAUTH):
        hostile.on(path, reply(404))
    with pytest.raises(InvalidResponse, match="spelled exactly"):
        find(hostile.url(""))

"""`discover` and `adiscover`, over every HTTP client: the response is checked in the same way."""

import json
from collections.abc import Callable
from functools import partial
from typing import Any

import anyio
import httpx
import httpx2
import pytest
import requests
from requests.adapters import BaseAdapter

from doorkey import ExchangePolicy, adiscover, adiscover_issuer, discover, discover_issuer, public_address
from doorkey.errors import InvalidResponse, TransportError, UsageError, VerificationError
from doorkey.protocol.metadata import ServerMetadata
from tests.support.backends import both_backends
from tests.support.fake_clock import Clock

ISSUER = "https://as.example/realm"
METADATA = {"issuer": ISSUER, "token_endpoint": "https://as.example/realm/token"}

Answer = Callable[[str], tuple[int, bytes]]


def published(url: str) -> tuple[int, bytes]:
    """A server that has the metadata at the place of RFC 8414 alone."""
    if url == "https://as.example/.well-known/oauth-authorization-server/realm":
        return 200, json.dumps(METADATA).encode()
    return 404, b"<html>"


class Canned(BaseAdapter):
    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self.answer = answer

    def send(self, request: requests.PreparedRequest, **_: Any) -> requests.Response:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        response = requests.Response()
        response.status_code, body = self.answer(request.url or "")
        response.raw = _Raw(body)
        response.url = request.url or ""
        return response

    def close(self) -> None:
        pass


class _Raw:
    def __init__(self, body: bytes) -> None:
        self._body = body

    def read(self, size: int) -> bytes:
        part, self._body = self._body[:size], self._body[size:]
        return part

    def close(self) -> None:
        self._body = b""

    release_conn = close


def on_requests(answer: Answer) -> requests.Session:
    session = requests.Session()
    session.mount("https://", Canned(answer))
    return session


def on_httpx(library: Any, name: str) -> Callable[[Answer], Any]:
    def make(answer: Answer) -> Any:
        def handler(request: Any) -> Any:
            status, body = answer(str(request.url))
            return library.Response(status, content=body)

        return getattr(library, name)(transport=library.MockTransport(handler))

    return make


BLOCKING: list[Callable[[Answer], Any]] = [on_requests, on_httpx(httpx2, "Client"), on_httpx(httpx, "Client")]
AWAITING: list[Callable[[Answer], Any]] = [on_httpx(httpx2, "AsyncClient"), on_httpx(httpx, "AsyncClient")]
blocking = pytest.mark.parametrize("client_of", BLOCKING, ids=["requests", "httpx2", "httpx"])
awaiting = pytest.mark.parametrize("client_of", AWAITING, ids=["httpx2", "httpx"])


@blocking
def test_the_metadata_of_an_issuer_is_found_where_it_is(client_of: Callable[[Answer], Any]) -> None:
    with client_of(published) as client:
        found = discover(ISSUER, http_client=client)
    assert found == ServerMetadata(issuer=ISSUER, token_endpoint="https://as.example/realm/token")


@both_backends
@awaiting
@pytest.mark.anyio
async def test_an_asynchronous_caller_finds_the_metadata_of_an_issuer(client_of: Callable[[Answer], Any]) -> None:
    async with client_of(published) as client:
        found = await adiscover(ISSUER, http_client=client)
    assert found == ServerMetadata(issuer=ISSUER, token_endpoint="https://as.example/realm/token")


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (200, json.dumps({**METADATA, "issuer": ISSUER + "/"}).encode(), VerificationError),
        (200, b"<html>", InvalidResponse),
        (200, b'{"pad": "' + b"a" * 2000 + b'"}', InvalidResponse),
        (302, json.dumps(METADATA).encode(), InvalidResponse),
        (404, b"", InvalidResponse),
    ],
)
@blocking
def test_metadata_of_another_issuer_is_an_error(
    client_of: Callable[[Answer], Any], status: int, body: bytes, error: type[Exception]
) -> None:
    with client_of(lambda _: (status, body)) as client, pytest.raises(error):
        discover(ISSUER, http_client=client, exchange=ExchangePolicy(max_body=1000))


@pytest.mark.parametrize("issuer", ["http://as.example", "https://user@as.example", "as.example", ""])
def test_an_issuer_that_cannot_be_is_refused_before_anything_is_sent(issuer: str) -> None:
    with pytest.raises(UsageError, match="issuer"):
        discover(issuer)
    with pytest.raises(UsageError, match="issuer"):
        anyio.run(adiscover, issuer)


def test_without_a_client_one_is_made() -> None:
    nobody_listens = "http://127.0.0.1:1/realm"
    with pytest.raises(TransportError):
        discover(nobody_listens)
    with pytest.raises(TransportError):
        anyio.run(adiscover, nobody_listens)


def test_a_client_of_an_unknown_kind_is_a_usage_error() -> None:
    with pytest.raises(UsageError):
        discover(ISSUER, http_client=object())
    with pytest.raises(UsageError):
        anyio.run(lambda: adiscover(ISSUER, http_client=requests.Session()))
    with pytest.raises(UsageError):
        discover(ISSUER, http_client=httpx2.AsyncClient())


class Site:
    """Publishes the metadata at one place, with `headers`, and counts how often it was asked there."""

    def __init__(self, **headers: str) -> None:
        self.headers, self.requests, self.status = headers, 0, 200

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.requests += 1
        return httpx2.Response(self.status, headers=self.headers, json={**METADATA, "number": self.requests})

    def client(self) -> httpx2.Client:
        return httpx2.Client(transport=httpx2.MockTransport(self))


def asked(site: Site, client: Any, clock: Clock, **options: Any) -> int:
    discover(ISSUER, http_client=client, clock=clock, **options)
    return site.requests


def test_metadata_is_requested_once_for_an_hour(clock: Clock) -> None:
    site = Site()
    client = site.client()
    first = discover(ISSUER, http_client=client, clock=clock)
    clock.advance(3599)
    assert discover(ISSUER, http_client=client, clock=clock) is first
    clock.advance(1)
    assert discover(ISSUER, http_client=client, clock=clock).extra["number"] == 2


@both_backends
@pytest.mark.anyio
async def test_asynchronous_callers_request_metadata_once(clock: Clock) -> None:
    site = Site()
    async with httpx2.AsyncClient(transport=httpx2.MockTransport(site)) as client:
        first = await adiscover(ISSUER, http_client=client, clock=clock)
        assert await adiscover(ISSUER, http_client=client, clock=clock) is first
        clock.advance(3600)
        assert await adiscover(ISSUER, http_client=client, clock=clock) is not first


@pytest.mark.parametrize("headers", [{"Cache-Control": "max-age=120"}, {"Expires": "Fri, 15 Jan 2027 08:02:00 GMT"}])
def test_the_caching_headers_of_the_server_shorten_that_time(clock: Clock, headers: dict[str, str]) -> None:
    site = Site(**headers)
    client = site.client()
    assert asked(site, client, clock) == 1
    clock.advance(119)
    assert asked(site, client, clock) == 1
    clock.advance(1)
    assert asked(site, client, clock) == 2


def test_the_program_may_ask_for_newer_metadata(clock: Clock) -> None:
    site = Site()
    client = site.client()
    assert [asked(site, client, clock, max_age=0) for _ in range(3)] == [1, 2, 3]
    clock.advance(10)
    assert asked(site, client, clock, max_age=11) == 3
    assert asked(site, client, clock, max_age=10) == 4


def test_what_was_found_through_another_client_or_policy_is_not_used(clock: Clock) -> None:
    site = Site()
    one, other = site.client(), site.client()
    assert [asked(site, one, clock), asked(site, other, clock), asked(site, one, clock)] == [1, 2, 2]
    assert asked(site, one, clock, exchange=ExchangePolicy(deadline=3)) == 3


def test_a_failure_is_not_remembered_and_hides_nothing(clock: Clock) -> None:
    site = Site()
    client = site.client()
    site.status = 500
    for _ in range(2):
        with pytest.raises(InvalidResponse):
            discover(ISSUER, http_client=client, clock=clock)
    assert site.requests == 2
    site.status = 200
    assert asked(site, client, clock) == 3


def test_a_clock_that_was_set_back_ends_the_time(clock: Clock) -> None:
    site = Site()
    client = site.client()
    asked(site, client, clock)
    clock.advance(-1)
    assert asked(site, client, clock) == 2


def test_only_so_many_issuers_are_remembered(clock: Clock) -> None:
    requests: list[str] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        requests.append(request.url.host)
        return httpx2.Response(200, json={"issuer": f"https://{request.url.host}"})

    client = httpx2.Client(transport=httpx2.MockTransport(answer))
    for number in range(101):
        discover(f"https://a{number}.example", http_client=client, clock=clock)
    discover("https://a1.example", http_client=client, clock=clock)
    assert len(requests) == 101
    discover("https://a0.example", http_client=client, clock=clock)
    assert len(requests) == 102


@pytest.mark.parametrize("options", [{"max_age": -1}, {"max_age": "soon"}, {"clock": 5}, {"exchange": 5}])
def test_options_that_cannot_be_are_usage_errors(options: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=next(iter(options))):
        discover(ISSUER, **options)


NAMED = {"rel": "http://openid.net/specs/connect/1.0/issuer", "href": ISSUER}


def webfinger(url: str) -> tuple[int, bytes]:
    """A host that names the issuer of one user."""
    place, _, query = url.partition("?")
    if place == "https://example.com/.well-known/webfinger" and "resource=acct%3Ajoe%40example.com&" in query:
        return 200, json.dumps({"subject": "acct:joe@example.com", "links": [NAMED]}).encode()
    return 404, b"{}"


@blocking
def test_the_issuer_of_a_user_is_found_from_what_the_user_typed(client_of: Callable[[Answer], Any]) -> None:
    with client_of(webfinger) as client:
        assert discover_issuer("joe@example.com", http_client=client) == ISSUER
        with pytest.raises(InvalidResponse, match="404"):
            discover_issuer("other@example.com", http_client=client)


@both_backends
@awaiting
@pytest.mark.anyio
async def test_an_asynchronous_caller_finds_the_issuer_of_a_user(client_of: Callable[[Answer], Any]) -> None:
    async with client_of(webfinger) as client:
        assert await adiscover_issuer("joe@example.com", http_client=client) == ISSUER
        with pytest.raises(InvalidResponse, match="404"):
            await adiscover_issuer("other@example.com", http_client=client)


def test_a_user_cannot_name_a_host_of_the_own_network() -> None:
    careful = ExchangePolicy(addresses=public_address)
    for typed in ("acct:joe@127.0.0.1:1", "http://localhost:1/joe", "joe@169.254.169.254"):
        with pytest.raises(VerificationError, match="address"):
            discover_issuer(typed, exchange=careful)
        with pytest.raises(VerificationError, match="address"):
            anyio.run(partial(adiscover_issuer, typed, exchange=careful))


def test_an_identifier_that_is_none_is_refused_before_anything_is_sent() -> None:
    with pytest.raises(UsageError, match="identifier"):
        discover_issuer("=joe", http_client=httpx2.Client(transport=httpx2.MockTransport(_unasked)))
    with pytest.raises(UsageError, match="identifier"):
        anyio.run(adiscover_issuer, "=joe")


def _unasked(_: httpx2.Request) -> httpx2.Response:
    raise AssertionError("a request was sent")

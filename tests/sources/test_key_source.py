"""`KeySource`, `AsyncKeySource` and `Issuer` over real clients: constructed in each way, shared, and closed."""

import json
from collections.abc import Callable
from typing import Any

import httpx2
import pytest
import requests
from anyio.from_thread import BlockingPortal

from doorkey import AsyncKeySource, ExchangePolicy, Issuer, KeySource, discover, public_address
from doorkey.errors import InvalidResponse, OAuthError, UsageError, VerificationError
from doorkey.jose import JsonWebToken, jwt
from doorkey.jose.keys import import_key
from doorkey.protocol.metadata import ServerMetadata
from doorkey.renewal.effects import Active
from doorkey.tokens import OAuthToken
from doorkey.wire.flow import Flow
from tests.sources.published_keys import FIRST, ISSUER, JWKS_URI, METADATA, SECOND, WELL_KNOWN, jwk, token
from tests.support.fake_clock import Clock


class Site:
    """What is published at each URL, and which were requested."""

    def __init__(self) -> None:
        self.pages: dict[str, Any] = {WELL_KNOWN: METADATA, JWKS_URI: {"keys": [jwk(FIRST, "1")]}}
        self.requested: list[str] = []

    def __call__(self, request: Any) -> Any:
        url = str(request.url)
        self.requested.append(url)
        page = self.pages.get(url)
        body = page if isinstance(page, bytes) else json.dumps(page).encode()
        return httpx2.Response(404 if page is None else 200, content=body)

    def client(self) -> httpx2.Client:
        return httpx2.Client(transport=httpx2.MockTransport(self))

    def async_client(self) -> httpx2.AsyncClient:
        return httpx2.AsyncClient(transport=httpx2.MockTransport(self))


class Caller:
    """Calls what blocks as it is, and what awaits in an event loop."""

    def __init__(self, site: Site, portal: BlockingPortal | None) -> None:
        self.site, self._portal = site, portal
        self.http: Any = site.client() if portal is None else site.async_client()

    def source(self, *args: Any, **options: Any) -> Any:
        kind: Any = KeySource if self._portal is None else AsyncKeySource
        return kind(*args, http_client=self.http, **options)

    def issuer(self, **options: Any) -> Issuer:
        return Issuer(ISSUER, http_client=self.http, **options)

    def call(self, function: Callable[..., Any], *args: Any) -> Any:
        return function(*args) if self._portal is None else self._portal.call(function, *args)

    def decode(self, text: str, keys: object, decoder: JsonWebToken = jwt) -> Any:
        return self.call(decoder.decode if self._portal is None else decoder.adecode, text, keys)

    def metadata(self, issuer: Issuer) -> ServerMetadata:
        found: ServerMetadata = self.call(issuer.metadata if self._portal is None else issuer.ametadata)
        return found

    def keys_of(self, issuer: Issuer) -> Any:
        return issuer.keys if self._portal is None else issuer.akeys


@pytest.fixture
def site() -> Site:
    return Site()


@pytest.fixture(params=["blocking", "asyncio", "trio"])
def caller(request: pytest.FixtureRequest, site: Site, portals: dict[str, BlockingPortal]) -> Caller:
    return Caller(site, portals.get(request.param))


WAYS: dict[str, dict[str, Any]] = {
    "issuer": {"issuer": ISSUER},
    "metadata": {"metadata": METADATA},
    "metadata-value": {"metadata": ServerMetadata.from_mapping(METADATA)},
    "jwks_uri": {"jwks_uri": JWKS_URI},
    "both": {"issuer": ISSUER, "jwks_uri": JWKS_URI},
    "keys": {"keys": {"keys": [jwk(FIRST, "1")]}},
    "imported": {"keys": [import_key(jwk(FIRST, "1"))]},
}
REQUESTS = {"issuer": [WELL_KNOWN, JWKS_URI], "keys": [], "imported": []}


@pytest.mark.parametrize("way", WAYS)
def test_a_key_source_is_made_from_whatever_names_the_keys(caller: Caller, way: str) -> None:
    source = caller.source(**WAYS[way])
    verified = caller.call(source.verify, token())
    assert verified.claims["sub"] == "alice"
    assert caller.decode(token(), source)["sub"] == "alice"
    assert len(caller.call(source.keys)) == 1
    assert caller.site.requested == REQUESTS.get(way, [JWKS_URI])


def test_a_key_source_may_be_made_from_what_discover_returned(site: Site) -> None:
    with site.client() as http:
        source = KeySource(metadata=discover(ISSUER, http_client=http), http_client=http)
        assert source.verify(token()).claims["sub"] == "alice"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, "the keys are missing"),
        ({"metadata": {}}, "the keys are missing"),
        ({"jwks_uri": JWKS_URI, "keys": [FIRST]}, "not both"),
        ({"issuer": "https://other.example", "metadata": METADATA}, "omit one of them"),
        ({"jwks_uri": "http://as.example/jwks"}, "must be https"),
        ({"jwks_uri": "file:///etc/passwd"}, "http or https URL"),
        ({"issuer": ISSUER, "jwks_uri": "http://localhost/jwks"}, "jwks_uri that is not https"),
        ({"issuer": 5}, "issuer"),
        ({"jwks_uri": 5}, "jwks_uri"),
        ({"keys": 5}, "key"),
        ({"issuer": ISSUER, "clock": 5}, "clock"),
        ({"issuer": ISSUER, "exchange": 5}, "exchange"),
        ({"issuer": ISSUER, "cool_down": -1}, "cool_down"),
        ({"issuer": Issuer(ISSUER), "keys": [FIRST]}, "an Issuer has its own keys"),
        ({"issuer": Issuer(ISSUER), "cool_down": 5}, "an Issuer has its own keys"),
        ({"issuer": Issuer(ISSUER), "metadata": METADATA}, "an Issuer has its own metadata"),
    ],
)
@pytest.mark.parametrize("kind", [KeySource, AsyncKeySource])
def test_arguments_that_contradict_each_other_are_usage_errors(kind: Any, options: Any, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        kind(**options)


def test_the_two_kinds_of_source_of_an_issuer_share_what_they_fetch(
    site: Site, portals: dict[str, BlockingPortal]
) -> None:
    clock = Clock()
    blocking, awaiting = Caller(site, None), Caller(site, portals["asyncio"])
    issuer = blocking.issuer(clock=clock)
    assert issuer.keys.verify(token()).claims["sub"] == "alice"
    assert awaiting.call(issuer.akeys.verify, token()).claims["sub"] == "alice"
    assert awaiting.decode(token(), issuer)["sub"] == "alice"
    shared = KeySource(issuer, http_client=blocking.http, clock=clock)
    assert shared.keys() == issuer.keys.keys()
    assert site.requested == [WELL_KNOWN, JWKS_URI]


def test_an_issuer_has_its_metadata_and_its_keys(caller: Caller) -> None:
    issuer = caller.issuer()
    assert issuer.issuer == ISSUER
    assert repr(issuer) == f"<Issuer {ISSUER}>"
    assert caller.metadata(issuer).jwks_uri == JWKS_URI
    assert [key.kid for key in caller.call(caller.keys_of(issuer).keys)] == ["1"]
    assert caller.decode(token(), issuer)["sub"] == "alice"
    assert caller.site.requested == [WELL_KNOWN, JWKS_URI]


def test_an_issuer_with_metadata_and_keys_makes_no_request(caller: Caller) -> None:
    issuer = caller.issuer(metadata={"issuer": ISSUER}, keys=[jwk(FIRST, "1")])
    assert caller.metadata(issuer) == ServerMetadata(issuer=ISSUER)
    assert caller.decode(token(), issuer)["sub"] == "alice"
    assert caller.site.requested == []


def test_a_rotation_is_followed_by_decode(caller: Caller) -> None:
    source = caller.source(ISSUER)
    caller.decode(token(), source)
    caller.site.pages[JWKS_URI] = {"keys": [jwk(SECOND, None)]}
    assert caller.decode(token(SECOND, None), source)["sub"] == "alice"

    def choose(_: object) -> object:
        return source

    assert caller.decode(token(SECOND, None), choose, JsonWebToken(["ES256"]))["sub"] == "alice"
    with pytest.raises(VerificationError):
        caller.decode(token(FIRST, "1"), source)


def test_a_source_of_the_other_kind_is_refused_by_name(site: Site, portals: dict[str, BlockingPortal]) -> None:
    with pytest.raises(UsageError, match=r"await jwt\.adecode"):
        jwt.decode(token(), AsyncKeySource(ISSUER))
    with pytest.raises(UsageError, match="give an AsyncKeySource or an Issuer"):
        portals["asyncio"].call(jwt.adecode, token(), KeySource(ISSUER))


def test_adecode_takes_the_keys_that_decode_takes(portals: dict[str, BlockingPortal]) -> None:
    assert portals["asyncio"].call(jwt.adecode, token(kid=None), FIRST)["sub"] == "alice"


def test_a_client_of_the_other_kind_is_refused(site: Site, portals: dict[str, BlockingPortal]) -> None:
    with pytest.raises(UsageError, match="AsyncClient"):
        portals["asyncio"].call(Issuer(ISSUER, http_client=site.client()).ametadata)
    with pytest.raises(UsageError, match=r"requests\.Session or a Client"):
        Issuer(ISSUER, http_client=site.async_client()).metadata()


@pytest.mark.parametrize(
    ("pages", "error"),
    [
        ({WELL_KNOWN: {**METADATA, "issuer": "https://other.example"}}, VerificationError),
        ({WELL_KNOWN: {**METADATA, "jwks_uri": "http://localhost/jwks"}}, InvalidResponse),
        ({WELL_KNOWN: {**METADATA, "jwks_uri": "file:///etc/passwd"}}, InvalidResponse),
        ({JWKS_URI: None}, InvalidResponse),
        ({JWKS_URI: []}, InvalidResponse),
    ],
)
def test_documents_of_another_issuer_or_kind_are_typed_errors(caller: Caller, pages: Any, error: Any) -> None:
    caller.site.pages |= pages
    source = caller.source(ISSUER)
    with pytest.raises(error):
        caller.call(source.verify, token())


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"<html>Sign in</html>", "not_json"),
        (b'{"keys": [' + b",".join([b'{"kty":"RSA"}'] * 100_000) + b"]}", "too_large"),
        (b'{"keys": [' + b",".join([b"{}"] * 100_000) + b"]}", "too_many_keys"),
    ],
    ids=["html", "more than a megabyte", "100,000 keys"],
)
def test_a_key_set_that_is_none_or_too_large_is_a_typed_error(caller: Caller, body: bytes, problem: str) -> None:
    caller.site.pages[JWKS_URI] = body
    source = caller.source(ISSUER)
    with pytest.raises(InvalidResponse) as error:
        caller.call(source.verify, token())
    assert error.value.problem == problem
    assert JWKS_URI in str(error.value)


@pytest.mark.parametrize("kind", ["blocking", "asyncio"])
def test_keys_are_fetched_through_the_address_policy(kind: str, portals: dict[str, BlockingPortal]) -> None:
    """Issue 10: `ExchangePolicy(addresses=public_address)` applies to metadata and key sets too."""
    policy, portal, here = ExchangePolicy(addresses=public_address), portals.get(kind), "https://127.0.0.1:1"
    calls: list[Callable[[], object]]
    if portal is None:
        calls = [KeySource(jwks_uri=f"{here}/jwks", exchange=policy).keys, Issuer(here, exchange=policy).metadata]
    else:
        source, issuer = AsyncKeySource(jwks_uri=f"{here}/jwks", exchange=policy), Issuer(here, exchange=policy)
        calls = [lambda: portal.call(source.keys), lambda: portal.call(issuer.ametadata)]
    for call in calls:
        with pytest.raises(VerificationError, match=r"an address that ExchangePolicy\.addresses refuses"):
            call()


def test_a_name_that_resolves_to_an_inner_address_is_refused_on_requests() -> None:
    policy = ExchangePolicy(addresses=public_address)
    with requests.Session() as session, pytest.raises(VerificationError, match="an address that"):
        KeySource("https://localhost:1", http_client=session, exchange=policy).keys()


def test_closing_closes_the_client_that_was_made(portals: dict[str, BlockingPortal]) -> None:
    async def awaiting() -> None:
        async with AsyncKeySource(ISSUER) as source, Issuer(ISSUER) as issuer:
            assert isinstance(source, AsyncKeySource)
            assert isinstance(issuer, Issuer)

    with KeySource(ISSUER) as source, Issuer(ISSUER) as issuer:
        assert isinstance(source, KeySource)
        assert isinstance(issuer, Issuer)
    portals["trio"].call(awaiting)


def test_an_effect_that_is_not_for_keys_is_refused(caller: Caller) -> None:

    def renewing() -> Flow[OAuthToken]:
        return (yield from Active())

    source = caller.source(ISSUER)
    with pytest.raises(OAuthError, match="cannot perform Active"):
        caller.call(source._driver.run, renewing())


def test_the_pauses_after_failed_fetches_of_keys_and_of_metadata_are_ended_by_retry_now(caller: Caller) -> None:
    good, clock = caller.site.pages, Clock()
    issuer = caller.issuer(clock=clock)
    keys = {"source": caller.source(ISSUER, clock=clock), "jwks_uri": caller.source(jwks_uri=JWKS_URI, clock=clock)}
    for source, retry_now in (
        (keys["source"], keys["source"].retry_now),
        (keys["jwks_uri"], keys["jwks_uri"].retry_now),
        (caller.keys_of(issuer), issuer.retry_now),
    ):
        caller.site.pages = {}
        with pytest.raises(InvalidResponse):
            caller.call(source.keys)
        caller.site.requested.clear()
        with pytest.raises(InvalidResponse) as error:
            caller.call(source.keys)
        assert error.value.retry_at is not None
        assert caller.site.requested == [], "this call is in the pause"
        caller.site.pages = good
        retry_now()
        assert [key.kid for key in caller.call(source.keys)] == ["1"]


def test_retry_now_of_an_issuer_ends_the_pause_of_its_metadata(caller: Caller) -> None:
    good, caller.site.pages = caller.site.pages, {}
    issuer = caller.issuer(clock=Clock())
    with pytest.raises(InvalidResponse):
        caller.metadata(issuer)
    caller.site.pages = good
    with pytest.raises(InvalidResponse):
        caller.metadata(issuer)
    issuer.retry_now()
    assert caller.metadata(issuer).jwks_uri == JWKS_URI

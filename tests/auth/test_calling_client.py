"""Token requests and the client whose call needs the token: its HTTP library, and its proxy."""

import threading
import warnings
from collections.abc import Iterator
from typing import Any

import aiohttp
import httpx
import httpx2
import pytest
import requests

from doorkey import AsyncTokenSource, OAuth2Auth, TokenSource
from doorkey.integrations.requests_client import OAuth2Session
from tests.support.every_http_library import KINDS, Caller, Maker
from tests.support.hostile_server import Hostile, reply, token
from tests.support.source_requests import CLIENT

AWAY = "http://localhost:9"
ENDPOINT = f"{AWAY}/token"
"""Where no server listens: only a proxy answers."""
HTTPX = {"httpx2": httpx2.Client, "httpx": httpx.Client}
AHTTPX = {"httpx2-asyncio": httpx2.AsyncClient, "httpx2-trio": httpx2.AsyncClient, "httpx-asyncio": httpx.AsyncClient}
but_requests = pytest.mark.parametrize("caller", [name for name in KINDS if name != "requests"], indirect=True)
NAMES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.fixture(autouse=True)
def no_proxy_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def proxy() -> Iterator[Hostile]:
    made = Hostile()
    made.on("/token", token("at-1"), token("at-2"), token("at-3"))
    yield made
    made.close()


def targets(server: Hostile) -> list[str]:
    return [request.target for request in server.received]


def requests_session(proxy: Hostile, kind: Any = requests.Session) -> requests.Session:
    session: requests.Session = kind()
    session.proxies = {"http": proxy.url("")}
    return session


class Proxied:
    """A client of each other library that has a proxy for every URL, and an auth object."""

    def __init__(self, caller: Maker, proxy: str) -> None:
        self._caller, self._proxy = caller, proxy

    def __call__(self, auth: Any) -> Caller:
        made = self._caller(auth)
        client = {**HTTPX, **AHTTPX}.get(self._caller.kind.name)
        close = made._close
        self._caller.run(self._closed, made.session, close)
        made.session = self._caller.run(self._of_aiohttp if client is None else self._of_httpx, client, auth)
        return made

    def _closed(self, session: Any, close: str) -> Any:
        return getattr(session, close)()

    def _of_httpx(self, client: Any, auth: Any) -> Any:
        return _ready(client(auth=auth, proxy=self._proxy), self._caller.is_async)

    async def _of_aiohttp(self, _: Any, auth: Any) -> Any:
        return aiohttp.ClientSession(middlewares=(auth,), proxy=self._proxy)


def _ready(made: Any, awaits: bool) -> Any:
    if not awaits:
        return made

    async def bring() -> Any:
        return made

    return bring()


@pytest.fixture
def proxied(caller: Maker, proxy: Hostile) -> Proxied:
    return Proxied(caller, proxy.url(""))


@pytest.mark.parametrize("kind", [requests.Session, lambda: OAuth2Session("c")], ids=["Session", "OAuth2Session"])
def test_on_requests_a_token_request_goes_through_the_proxy_of_the_calling_session(proxy: Hostile, kind: Any) -> None:
    auth = OAuth2Auth(CLIENT, token_endpoint=ENDPOINT)
    assert requests_session(proxy, kind).get(f"{AWAY}/api", auth=auth).status_code == 200
    assert targets(proxy) == [ENDPOINT, f"{AWAY}/api"]


def test_the_proxies_of_the_call_hold_for_the_token_request_too(proxy: Hostile) -> None:
    auth = OAuth2Auth(CLIENT, token_endpoint=ENDPOINT)
    assert requests.get(f"{AWAY}/api", auth=auth, proxies={"http": proxy.url("")}, timeout=60).status_code == 200
    assert targets(proxy) == [ENDPOINT, f"{AWAY}/api"]


def test_a_call_without_a_proxy_requests_its_token_without_one(proxy: Hostile, hostile: Hostile) -> None:
    hostile.on("/token", token("at-1"))
    auth = OAuth2Auth(CLIENT, token_endpoint=hostile.token_endpoint)
    session: Any = requests_session(proxy)
    assert session.get(hostile.url(), auth=auth, proxies={"http": None}).status_code == 200
    assert targets(proxy) == []
    assert targets(hostile) == ["/token", "/api"]


def test_each_session_of_requests_uses_its_own_proxy_for_the_token_that_it_needs(proxy: Hostile) -> None:
    other = Hostile()
    other.on("/token", token("at-9"))
    now = [0.0]
    auth = OAuth2Auth(CLIENT, token_endpoint=ENDPOINT, clock=lambda: now[0])
    try:
        assert requests_session(proxy).get(f"{AWAY}/api", auth=auth).status_code == 200
        now[0] = 100_000
        assert requests_session(other).get(f"{AWAY}/api", auth=auth).status_code == 200
    finally:
        other.close()
    assert [len(one.to("/token")) for one in (proxy, other)] == [1, 1]


def test_a_token_that_replaces_a_rejected_one_is_requested_through_the_proxy(proxy: Hostile) -> None:
    proxy.on("/api", reply(401), reply(200))
    auth = OAuth2Auth(CLIENT, token_endpoint=ENDPOINT)
    assert requests_session(proxy).get(f"{AWAY}/api", auth=auth).status_code == 200
    assert targets(proxy) == [ENDPOINT, f"{AWAY}/api", ENDPOINT, f"{AWAY}/api"]


def test_a_renewal_in_a_thread_of_its_own_uses_the_proxy_of_the_last_call(proxy: Hostile) -> None:
    now = [0.0]
    proxy.on("/token", token("at-1", expires_in=100), token("at-2", expires_in=100))
    source = TokenSource(CLIENT, token_endpoint=ENDPOINT, clock=lambda: now[0], background=True)
    session = requests_session(proxy)
    session.auth = OAuth2Auth(source)
    assert session.get(f"{AWAY}/api").status_code == 200
    now[0] = 99.0
    assert session.get(f"{AWAY}/api").status_code == 200
    for thread in threading.enumerate():
        if thread.name == "doorkey-renewal":
            thread.join()
    assert source.token().access_token.reveal() == "at-2"
    assert targets(proxy).count(ENDPOINT) == 2


def test_a_session_of_requests_that_ignores_the_environment_does_so_for_the_token_too(
    monkeypatch: pytest.MonkeyPatch, hostile: Hostile
) -> None:
    monkeypatch.setenv("http_proxy", AWAY)
    hostile.on("/token", token("at-1"))
    session = requests.Session()
    session.trust_env = False
    auth = OAuth2Auth(CLIENT, token_endpoint=hostile.token_endpoint)
    assert session.get(hostile.url(), auth=auth).status_code == 200


def test_for_a_caller_on_requests_the_token_is_requested_on_requests(hostile: Hostile) -> None:
    """httpx2 is installed here, and serves callers of the other libraries."""
    hostile.on("/token", token("at-1"))
    auth = OAuth2Auth(CLIENT, token_endpoint=hostile.token_endpoint)
    assert requests.get(hostile.url(), auth=auth, timeout=60).status_code == 200
    assert hostile.token_requests[0].header("user-agent") == requests.utils.default_user_agent()


def test_for_a_caller_on_another_library_it_is_not(caller: Maker, hostile: Hostile) -> None:
    hostile.on("/token", token("at-1"))
    auth = OAuth2Auth(CLIENT, token_endpoint=hostile.token_endpoint)
    assert caller(auth).status(hostile.url()) == 200
    on_requests = hostile.token_requests[0].header("user-agent") == requests.utils.default_user_agent()
    assert on_requests == (caller.kind.name == "requests")


@but_requests
def test_one_warning_says_that_the_token_request_does_not_use_the_proxy(
    proxied: Proxied, proxy: Hostile, hostile: Hostile
) -> None:
    hostile.on("/token", *(token(f"at-{number}") for number in range(1, 9)))
    proxy.on("/api", reply(401), reply(200))
    client = proxied(OAuth2Auth(CLIENT, token_endpoint=hostile.token_endpoint))
    with pytest.warns(RuntimeWarning, match="calling client has a proxy.*http_client=") as caught:
        assert [client.status(f"{AWAY}/api") for _ in range(2)] == [200, 200]
    assert len(caught) == 1
    assert len(hostile.token_requests) == 2
    assert targets(proxy) == [f"{AWAY}/api"] * 3


@but_requests
def test_a_source_without_a_client_warns_as_credentials_do(caller: Maker, proxied: Proxied, hostile: Hostile) -> None:
    hostile.on("/token", token("at-1"))
    kind: Any = AsyncTokenSource if caller.is_async else TokenSource
    client = proxied(OAuth2Auth(kind(CLIENT, token_endpoint=hostile.token_endpoint)))
    with pytest.warns(RuntimeWarning, match="http_client="):
        assert client.status(f"{AWAY}/api") == 200


@but_requests
def test_a_proxy_of_the_environment_is_no_reason_to_warn(
    monkeypatch: pytest.MonkeyPatch, proxied: Proxied, proxy: Hostile, hostile: Hostile
) -> None:
    """The token request goes to this machine, where no proxy is asked."""
    monkeypatch.setenv("http_proxy", proxy.url(""))
    hostile.on("/token", token("at-1"))
    client = proxied(OAuth2Auth(CLIENT, token_endpoint=hostile.token_endpoint))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert client.status(f"{AWAY}/api") == 200
    assert targets(proxy) == [f"{AWAY}/api"]
    assert len(hostile.token_requests) == 1


@but_requests
def test_a_client_given_for_the_token_requests_is_no_reason_to_warn(
    caller: Maker, proxied: Proxied, hostile: Hostile
) -> None:
    hostile.on("/token", token("at-1"))
    client_of = httpx2.AsyncClient if caller.is_async else httpx2.Client
    given: Any = caller.run(lambda: _ready(client_of(), caller.is_async))
    client = proxied(OAuth2Auth(CLIENT, token_endpoint=hostile.token_endpoint, http_client=given))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert client.status(f"{AWAY}/api") == 200
    caller.run(given.aclose if caller.is_async else given.close)


@pytest.mark.parametrize("kind", HTTPX.values(), ids=HTTPX.keys())
def test_a_proxy_for_other_urls_only_is_no_reason_to_warn(kind: Any, proxy: Hostile, hostile: Hostile) -> None:
    hostile.on("/token", token("at-1"))
    transport: Any = (httpx2 if kind is httpx2.Client else httpx).HTTPTransport(proxy=proxy.url(""))
    with (
        kind(
            auth=OAuth2Auth(CLIENT, token_endpoint=hostile.token_endpoint), mounts={"http://localhost:9": transport}
        ) as client,
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("error")
        assert client.get(f"{AWAY}/api").status_code == 200

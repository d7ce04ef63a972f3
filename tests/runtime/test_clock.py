"""There is one time: what a program puts in place of `time.time` is the time of everything here."""

import time
from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from doorkey import AsyncTokenSource, ClientCredentials, OAuth2Auth, TokenSource
from doorkey.errors import UsageError
from doorkey.integrations.httpx_client import AsyncOAuth2Client, OAuth2Client
from doorkey.integrations.httpx_transport import AsyncOAuthAuthorityClient, OAuthAuthorityClient
from doorkey.integrations.requests_client import OAuth2Session
from doorkey.runtime.bounded_cache import BoundedCache
from doorkey.stores import AsyncMemoryStore, MemoryStore
from doorkey.vault import AsyncTokenVault, TokenVault

THEN = 2_000_000_000.0
ENDPOINT: dict[str, Any] = {"token_endpoint": "https://as.example/token"}
OLD = {"access_token": "a", "refresh_token": "r", "expires_in": 300}


def clock_of(made: Any) -> Any:
    """The clock that a source, a session, a vault or a store goes by."""
    for name in ("_oauth", "_core", "_store"):
        if hasattr(made, name) and not callable(getattr(made, name)):
            return clock_of(getattr(made, name))
    return getattr(made, "_how", {}).get("clock") or getattr(made, "options", made).clock


def on(client: Any, make: Callable[..., Any]) -> Any:
    return make(client(base_url="https://as.example"), ENDPOINT)


MADE: dict[str, Callable[[], Any]] = {
    "source": lambda: TokenSource(ClientCredentials("c"), **ENDPOINT),
    "async source": lambda: AsyncTokenSource(ClientCredentials("c"), **ENDPOINT),
    "vault": lambda: TokenVault(MemoryStore(), client_id="c", **ENDPOINT),
    "async vault": lambda: AsyncTokenVault(AsyncMemoryStore(), client_id="c", **ENDPOINT),
    "authority": lambda: on(httpx2.Client, OAuthAuthorityClient),
    "async authority": lambda: on(httpx2.AsyncClient, AsyncOAuthAuthorityClient),
    "requests": lambda: OAuth2Session("c"),
    "httpx2": lambda: OAuth2Client("c"),
    "async httpx2": lambda: AsyncOAuth2Client("c"),
    "auth object": lambda: OAuth2Auth(ClientCredentials("c"), **ENDPOINT)._signer._source,
}


@pytest.mark.parametrize("make", MADE.values(), ids=MADE.keys())
def test_every_clock_defaults_to_the_current_time(make: Callable[[], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    clock = clock_of(make())
    monkeypatch.setattr(time, "time", lambda: THEN)
    assert clock() == THEN


def test_a_token_that_a_replaced_time_says_has_expired_is_renewed(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        asked.append(request.url.path)
        return httpx2.Response(200, json={**OLD, "access_token": "b", "token_type": "Bearer"})

    start = time.time()
    with OAuth2Client("c", token=OLD, transport=httpx2.MockTransport(answer), **ENDPOINT) as client:
        client.get("https://api.example/")
        assert asked == ["/"]
        monkeypatch.setattr(time, "time", lambda: start + 7200)
        client.get("https://api.example/")
        assert asked == ["/", "/token", "/"]
        assert client.token is not None
        assert client.token["expires_at"] - time.time() == pytest.approx(300, abs=1)


def test_idle_values_are_found_with_a_replaced_monotonic_time_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Value:
        pass

    cache: BoundedCache[str, Value] = BoundedCache(idle=60)
    store = MemoryStore(max_idle=60)
    cache.get("a", Value)
    store.commit("a", b"", expected=0)
    later = time.monotonic() + 61
    monkeypatch.setattr(time, "monotonic", lambda: later)
    cache.get("b", Value)
    assert len(cache) == 1
    assert store.load("a") is None


async def _awaited() -> float:
    return THEN


NO_TIME: dict[str, Callable[[], Any]] = {
    "nothing": lambda: None,
    "text": lambda: "now",
    "more than any time": lambda: 10**400,
    "not a number": lambda: float("nan"),
    "awaited": _awaited,
}
GIVEN: dict[str, Callable[[Any], Any]] = {
    "source": lambda clock: TokenSource(ClientCredentials("c"), clock=clock, **ENDPOINT),
    "session on requests": lambda clock: OAuth2Session("c", token=OLD, clock=clock),
    "session on httpx2": lambda clock: OAuth2Client("c", token=OLD, clock=clock),
    "vault": lambda clock: TokenVault(MemoryStore(), client_id="c", clock=clock, **ENDPOINT),
    "store": lambda clock: MemoryStore(clock=clock),
    "authority": lambda clock: OAuthAuthorityClient(httpx2.Client(base_url="https://as.example"), clock=clock),
}


@pytest.mark.parametrize("clock", NO_TIME.values(), ids=NO_TIME)
@pytest.mark.parametrize("make", GIVEN.values(), ids=GIVEN)
def test_a_clock_that_says_no_time_is_refused_where_it_is_given(make: Callable[[Any], Any], clock: Any) -> None:
    with pytest.raises(UsageError, match="clock must be a callable that returns seconds"):
        make(clock)


@pytest.mark.parametrize("drawn", [None, "half", 2, -0.5, 10**400, float("nan")])
def test_a_random_outside_0_to_1_is_reported_and_costs_no_token(drawn: Any) -> None:
    answer = httpx2.MockTransport(lambda _: httpx2.Response(200, json={"access_token": "a", "token_type": "Bearer"}))
    with httpx2.Client(transport=answer) as client:
        how: dict[str, Any] = {"random": lambda: drawn, "http_client": client, **ENDPOINT}
        source = TokenSource(ClientCredentials("c"), **how)
        with pytest.raises(UsageError, match="what random returns must be a number from 0 to 1"):
            source.token()
        assert source.token().access_token.reveal() == "a"

"""A `ClientSession` of aiohttp as `http_client`: token requests use its connector, within the usual bounds."""

import asyncio
import gzip
import socket
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest

from doorkey import AsyncTokenSource, ClientCredentials, ExchangePolicy, OAuth2Auth
from doorkey.errors import InvalidResponse, OAuthError, TransportError, UsageError
from doorkey.stores import AsyncMemoryStore
from doorkey.vault import AsyncTokenVault
from tests.support.fake_clock import START, Clock
from tests.support.hostile_server import Endless, Hostile, reply, reset, token
from tests.support.tracebacks import local_variables

CLIENT = ClientCredentials("c", "s3cr3t-of-client")
BODY = '{"access_token": "at-1-s3cr3t", "token_type": "Bearer"'


def on_a_session(work: Callable[[aiohttp.ClientSession], Awaitable[Any]], **options: Any) -> Any:
    async def run() -> Any:
        async with aiohttp.ClientSession(**options) as session:
            return await work(session)

    return asyncio.run(run())


def fetched(hostile: Hostile | str, **how: Any) -> str:
    endpoint = hostile if isinstance(hostile, str) else hostile.token_endpoint

    async def work(session: aiohttp.ClientSession) -> str:
        source = AsyncTokenSource(CLIENT, token_endpoint=endpoint, http_client=session, **how)
        return (await source.token()).access_token.reveal()

    found: str = on_a_session(work)
    return found


def test_a_source_gets_its_token_through_the_session(hostile: Hostile) -> None:
    hostile.on("/token", token("at-1"))
    assert fetched(hostile) == "at-1"
    (request,) = hostile.token_requests
    assert request.form == {"grant_type": "client_credentials"}
    assert (request.header("authorization") or "").startswith("Basic ")


def test_an_auth_object_gets_its_token_through_the_session_that_it_signs_for(hostile: Hostile) -> None:
    hostile.on("/token", token("at-1"))

    async def work(session: aiohttp.ClientSession) -> int:
        auth = OAuth2Auth(CLIENT, token_endpoint=hostile.token_endpoint, http_client=session)
        async with session.get(hostile.url(), middlewares=(auth,)) as answer:
            return answer.status

    assert on_a_session(work) == 200
    assert hostile.to("/api")[0].token == "at-1"


def test_nothing_of_the_session_but_its_connector_is_used(hostile: Hostile) -> None:
    hostile.on("/token", reply(200, BODY + "}", [("Set-Cookie", "id=1"), ("Content-Type", "application/json")]))
    seen: list[Any] = []

    async def middleware(request: Any, handler: Any) -> Any:
        seen.append(request)
        return await handler(request)

    async def work(session: aiohttp.ClientSession) -> list[Any]:
        source = AsyncTokenSource(CLIENT, token_endpoint=hostile.token_endpoint, http_client=session)
        await source.token()
        assert not session.closed
        return list(session.cookie_jar)

    options: dict[str, Any] = {"headers": {"X-Mine": "1"}, "cookies": {"mine": "1"}, "middlewares": (middleware,)}
    cookies = on_a_session(work, **options)
    (request,) = hostile.token_requests
    assert (request.header("x-mine"), request.header("cookie"), seen) == (None, None, [])
    assert [cookie.key for cookie in cookies] == ["mine"]


MANY_HEADERS = reply(200, BODY, {f"X-{number}": "s3cr3t" * 1_200 for number in range(10)})
"""Each is within the bound that aiohttp has for one header."""

FAILURES: dict[str, tuple[Any, type[OAuthError], str]] = {
    "reset": (reset, TransportError, "the server closed the connection"),
    "no HTTP": (b"at-1-s3cr3t\r\n\r\n", TransportError, "the response is not HTTP"),
    "redirect": (reply(307, BODY, {"Location": "https://elsewhere.example/"}), InvalidResponse, "redirect"),
    "too large": (reply(200, BODY + " " * 2_000_000), InvalidResponse, "larger than 1048576 bytes"),
    "bomb": (reply(200, gzip.compress(b" " * 9_000_000), {"Content-Encoding": "gzip"}), InvalidResponse, "larger than"),
    "headers too large": (MANY_HEADERS, InvalidResponse, "the headers are larger than 65536 bytes"),
    "headers of no end": (reply(200, BODY, {"X-1": "s3cr3t" * 20_000}), TransportError, "the response is not HTTP"),
    "no JSON": (reply(200, BODY, {"Content-Type": "application/json"}), InvalidResponse, "JSON"),
    "ends too early": (f"HTTP/1.1 200 X\r\nContent-Length: 9000\r\n\r\n{BODY}".encode(), TransportError, "closed"),
}


@pytest.mark.parametrize("name", FAILURES)
def test_a_failure_is_a_typed_error_without_a_secret(hostile: Hostile, name: str) -> None:
    answer, kind, words = FAILURES[name]
    hostile.on("/token", (lambda exchange: exchange.send(answer)) if name == "ends too early" else answer)
    with pytest.raises(kind, match=words) as raised:
        fetched(hostile)
    shown = local_variables(raised.value)
    assert not [line for line in shown.splitlines() if "s3cr3t" in line]
    assert raised.value.__cause__ is None or raised.value.__cause__.__traceback__ is None


def test_a_drip_ends_at_the_deadline(hostile: Hostile) -> None:
    dripping = Endless(b"HTTP/1.1 200 X\r\nX: ", b"x", pause=0.01)
    hostile.on("/token", dripping)
    with pytest.raises(TransportError, match=r"did not send a complete response within 0\.3 s"):
        fetched(hostile, exchange=ExchangePolicy(deadline=0.3))
    dripping.over.set()


def test_a_server_that_does_not_listen_is_described_in_words() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        with pytest.raises(TransportError, match="connection refused") as raised:
            fetched(f"http://127.0.0.1:{held.getsockname()[1]}/token")
    assert raised.value.retryable


def test_addresses_that_cannot_be_checked_are_refused(hostile: Hostile) -> None:
    with pytest.raises(UsageError, match="cannot be enforced on aiohttp"):
        fetched(hostile, exchange=ExchangePolicy(addresses=lambda _: True))
    assert hostile.received == []


def test_a_session_that_is_closed_is_refused(hostile: Hostile) -> None:
    async def work(session: aiohttp.ClientSession) -> None:
        await session.close()
        await AsyncTokenSource(CLIENT, token_endpoint=hostile.token_endpoint, http_client=session).token()

    with pytest.raises(UsageError, match="client session has been closed"):
        on_a_session(work)


def test_an_asynchronous_vault_renews_through_the_session(hostile: Hostile) -> None:
    hostile.on("/token", token("at-2", refresh_token="rt-2"))
    clock = Clock()

    async def work(session: aiohttp.ClientSession) -> str:
        vault = AsyncTokenVault(
            AsyncMemoryStore(),
            client_id="c",
            client_secret="s",
            token_endpoint=hostile.token_endpoint,
            http_client=session,
            clock=clock,
        )
        await vault.save("u", {"access_token": "at-1", "refresh_token": "rt-1", "expires_at": START - 1})
        found = (await vault.source("u").token()).access_token.reveal()
        await session.close()
        clock.advance(4000)
        with pytest.raises(UsageError, match="client session has been closed"):
            await vault.source("u").token()
        await vault.aclose()
        return found

    assert on_a_session(work) == "at-2"
    (request,) = hostile.token_requests
    assert request.form == {"grant_type": "refresh_token", "refresh_token": "rt-1"}

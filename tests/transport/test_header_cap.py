"""The cap on response headers applies while they are read: no more than it and one buffer comes from the network."""

import asyncio
import socket
from collections.abc import Callable
from typing import Any

import aiohttp
import pytest
import requests
from requests.adapters import HTTPAdapter

from doorkey import AsyncTokenSource, ClientCredentials
from doorkey.errors import InvalidResponse, OAuthError
from doorkey.integrations.requests_client import OAuth2Session
from doorkey.wire.limits import ExchangePolicy
from tests.support.every_adapter import Adapter
from tests.support.hostile_server import Endless, Hostile, reply, token

CAP = 16 * 1024
POLICY = ExchangePolicy(max_headers=CAP)
OK = b"HTTP/1.1 200 OK\r\n"
ENDLESS = {
    "long lines": Endless(OK, b"X-More: " + b"x" * 8000 + b"\r\n"),
    "cookies": Endless(OK, b"Set-Cookie: a=" + b"x" * 4000 + b"\r\n"),
    "one line": Endless(OK + b"X-More: ", b"x" * 1000),
    "a status line": Endless(b"HTTP/1.1 200 ", b"x" * 1000),
    "interim responses": Endless(b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 100 Continue\r\nX-A: 1\r\n\r\n" * 50),
    "headers of interim responses": Endless(b"HTTP/1.1 103 X\r\n", b"Link: " + b"x" * 4000 + b"\r\n"),
}
ASYNCIO = 256 * 1024
BUFFERS = {"requests": 8 * 1024, "httpx2-async": ASYNCIO, "httpx-async": ASYNCIO}
"""The largest single read where more is read than what was asked for: asyncio does so for all its streams."""


@pytest.fixture
def read_from(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], int]:
    """Return a function that says how many bytes this process has read from a port of the loopback address."""
    counts: dict[int, int] = {}

    def counted(self: socket.socket, size: int) -> None:
        if self.family != socket.AF_INET:
            return
        try:
            port = self.getpeername()[1]
        except OSError:
            return
        counts[port] = counts.get(port, 0) + size

    recv, recv_into = socket.socket.recv, socket.socket.recv_into

    def counting(self: socket.socket, *args: Any) -> bytes:
        data = recv(self, *args)
        counted(self, len(data))
        return data

    def counting_into(self: socket.socket, *args: Any) -> int:
        size = recv_into(self, *args)
        counted(self, size)
        return size

    monkeypatch.setattr(socket.socket, "recv", counting)
    monkeypatch.setattr(socket.socket, "recv_into", counting_into)
    return lambda port: counts.get(port, 0)


def on_aiohttp(hostile: Hostile, policy: ExchangePolicy = POLICY) -> str:
    async def run() -> str:
        async with aiohttp.ClientSession() as session:
            source = AsyncTokenSource(
                ClientCredentials("c", "s"),
                token_endpoint=hostile.token_endpoint,
                http_client=session,
                exchange=policy,
            )
            return (await source.token()).access_token.reveal()

    return asyncio.run(run())


@pytest.mark.parametrize("name", ENDLESS)
def test_endless_headers_are_left_within_the_cap_and_one_buffer(
    adapter: Adapter, hostile: Hostile, read_from: Callable[[int], int], name: str
) -> None:
    hostile.on("/token", ENDLESS[name])
    client = adapter.client("c", "s", token_endpoint=hostile.token_endpoint, exchange=POLICY)
    with pytest.raises(OAuthError) as raised:
        client.fetch_token()
    ENDLESS[name].wait_for_hang_up()
    assert isinstance(raised.value, InvalidResponse)
    assert raised.value.problem == "headers_too_large"
    assert read_from(hostile.port) <= CAP + 1024 + BUFFERS.get(adapter.kind.name, 0)


@pytest.mark.parametrize("name", [name for name in ENDLESS if "line" not in name])
def test_endless_headers_are_left_within_the_cap_on_aiohttp(
    hostile: Hostile, read_from: Callable[[int], int], name: str
) -> None:
    hostile.on("/token", ENDLESS[name])
    with pytest.raises(InvalidResponse, match="headers are larger than 16384 bytes") as raised:
        on_aiohttp(hostile)
    ENDLESS[name].wait_for_hang_up()
    assert raised.value.problem == "headers_too_large"
    assert read_from(hostile.port) <= CAP + 1024 + ASYNCIO


def test_a_head_of_exactly_the_cap_is_read_and_one_byte_more_is_refused(adapter: Adapter, hostile: Hostile) -> None:
    body = '{"access_token": "at-1", "token_type": "Bearer"}'
    own = len("Content-Length") + len(str(len(body)))
    for more, accepted in ((0, True), (1, False)):
        sizes = [4000, 4000, 4000, CAP - own - 3 * 4002 - 2 + more]
        hostile.on("/token", reply(200, body, [(f"X{n}", "x" * size) for n, size in enumerate(sizes)]))
        client = adapter.client("c", "s", token_endpoint=hostile.token_endpoint, exchange=POLICY)
        for fetch in (lambda: client.fetch_token()["access_token"], lambda: on_aiohttp(hostile)):  # noqa: B023
            if accepted:
                assert fetch() == "at-1"
                continue
            with pytest.raises(InvalidResponse, match="headers are larger"):
                fetch()


def test_an_interim_response_before_the_token_is_read_over(adapter: Adapter, hostile: Hostile) -> None:
    interim = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" if adapter.kind.name != "requests" else b""
    hostile.on("/token", b"HTTP/1.1 100 Continue\r\n\r\n" + interim + token("at-1"))
    client = adapter.client("c", "s", token_endpoint=hostile.token_endpoint, exchange=POLICY)
    assert client.fetch_token()["access_token"] == "at-1"


def test_the_api_requests_of_the_same_connection_are_not_bounded(adapter: Adapter, hostile: Hostile) -> None:
    """A token request borrows a connection of the session's pool, and gives it back as it was."""
    hostile.on("/token", token("at-1"))
    large = [("X-Large", "x" * 30_000), ("X-Larger", "x" * 30_000)]
    hostile.on("/api", reply(200, "fine", large))
    client = adapter.client("c", "s", token_endpoint=hostile.token_endpoint, exchange=POLICY)
    for _ in range(2):
        client.fetch_token()
        answer = client.get(hostile.url("/api"))
        assert (answer.text, len(answer.headers["X-Large"])) == ("fine", 30_000)
    assert hostile.accepted == 1, "token requests and API requests share one connection"


def test_an_adapter_of_the_users_own_keeps_its_pool_and_is_bounded_too(
    hostile: Hostile, read_from: Callable[[int], int]
) -> None:
    asked: list[str] = []

    class Own(HTTPAdapter):
        def get_connection_with_tls_context(
            self, request: requests.PreparedRequest, verify: Any, proxies: Any = None, cert: Any = None
        ) -> Any:
            asked.append(request.url or "")
            return super().get_connection_with_tls_context(request, verify, proxies=proxies, cert=cert)

    hostile.on("/token", ENDLESS["cookies"])
    with OAuth2Session("c", "s", token_endpoint=hostile.token_endpoint, exchange=POLICY) as session:
        session.mount("http://", Own())
        with pytest.raises(InvalidResponse, match="headers are larger than 16384 bytes") as raised:
            session.fetch_token()
    assert asked == [hostile.token_endpoint]
    assert raised.value.status == 200
    assert read_from(hostile.port) <= CAP + 1024 + BUFFERS["requests"]


def test_the_response_of_a_proxy_to_connect_is_bounded_too(
    adapter: Adapter, hostile: Hostile, read_from: Callable[[int], int]
) -> None:
    hostile.on("443", ENDLESS["cookies"])  # CONNECT as.example:443
    on_requests = adapter.kind.name == "requests"
    options: dict[str, Any] = {} if on_requests else {"proxy": hostile.url("")}
    client = adapter.client("c", "s", token_endpoint="https://as.example/token", exchange=POLICY, **options)
    if on_requests:
        client.native.proxies = {"https": hostile.url("")}
    with pytest.raises(InvalidResponse, match="headers are larger than 16384 bytes"):
        client.fetch_token()
    assert hostile.received[0].method == "CONNECT"
    assert read_from(hostile.port) <= CAP + 1024 + BUFFERS.get(adapter.kind.name, 0)


def test_headers_from_an_address_that_was_checked_are_bounded_too(
    adapter: Adapter, hostile: Hostile, read_from: Callable[[int], int]
) -> None:
    hostile.on("/token", ENDLESS["cookies"])
    policy = ExchangePolicy(max_headers=CAP, addresses=lambda address: address.is_loopback)
    client = adapter.client("c", "s", token_endpoint=hostile.token_endpoint, exchange=policy)
    with pytest.raises(InvalidResponse, match="headers are larger than 16384 bytes"):
        client.fetch_token()
    assert read_from(hostile.port) <= CAP + 1024 + BUFFERS.get(adapter.kind.name, 0)

"""No frame of an error of ours holds a secret of the exchange, on any HTTP library, as collectors of errors look."""

import socket
from collections.abc import Iterator
from typing import Any

import pytest

from doorkey.errors import OAuthError
from doorkey.integrations.requests_client import OAuth2Session
from doorkey.wire.limits import ExchangePolicy
from tests.support.every_adapter import Adapter
from tests.support.hostile_server import Endless, Exchange, Hostile, reply, reset
from tests.support.tracebacks import local_variables

SECRETS = ("s3cr3t-of-client", "czNjcjN0LW9mLWNsaWVudA", "rt-0-s3cr3t", "at-1-s3cr3t", "rt-1-s3cr3t")
"""The second one is in the Basic header."""
BODY = '{"access_token": "at-1-s3cr3t", "refresh_token": "rt-1-s3cr3t", "token_type": "Bearer"'


def cut_short(exchange: Exchange) -> None:
    """Close the connection before the end of the body."""
    exchange.send(f"HTTP/1.1 200 X\r\nContent-Length: 9000\r\n\r\n{BODY}".encode())


FAILURES: dict[str, Any] = {
    "reset": reset,
    "no HTTP": b"at-1-s3cr3t rt-1-s3cr3t\r\n\r\n",
    "redirect": reply(307, BODY, {"Location": "https://elsewhere.example/?token=at-1-s3cr3t"}),
    "too large": reply(200, BODY + " " * 2_000_000),
    "headers too large": reply(200, BODY, [("X", "at-1-s3cr3t" * 800) for _ in range(40)]),
    "no JSON": reply(200, BODY),
    "a coding of its own": reply(200, BODY, {"Content-Encoding": "br"}),
    "no gzip": reply(200, BODY, {"Content-Encoding": "gzip"}),
    "ends too early": cut_short,
    "an error": reply(400, json={"error": "invalid_request", "error_description": "no"}),
    "an unknown error": reply(500, BODY),
}


@pytest.fixture
def closed() -> Iterator[str]:
    """The URL of a port at which no server listens."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{held.getsockname()[1]}/token"


def failing(adapter: Adapter, endpoint: str, **options: Any) -> OAuthError:
    held = {"access_token": "at-0", "refresh_token": "rt-0-s3cr3t", "expires_in": 60}
    client = adapter.client("c", "s3cr3t-of-client", token=held, token_endpoint=endpoint, **options)
    with pytest.raises(OAuthError) as raised:
        client.refresh_token()
    return raised.value


def check(error: OAuthError) -> None:
    shown = local_variables(error)
    found = [line[:200] for line in shown.splitlines() if any(secret in line for secret in SECRETS)]
    assert not found
    modules = {frame.f_globals.get("__name__", "").partition(".")[0] for frame in _frames(error.__cause__)}
    assert not modules, "a cause has frames"


def _frames(error: BaseException | None) -> Iterator[Any]:
    while error is not None:
        trace = error.__traceback__
        while trace is not None:
            yield trace.tb_frame
            trace = trace.tb_next
        error = error.__cause__ or error.__context__


@pytest.mark.parametrize("name", FAILURES)
@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
def test_no_local_variable_holds_a_secret(adapter: Adapter, hostile: Hostile, name: str, method: str) -> None:
    hostile.on("/token", FAILURES[name])
    check(failing(adapter, hostile.token_endpoint, token_endpoint_auth_method=method))


def test_no_local_variable_holds_a_secret_where_no_server_listens(adapter: Adapter, closed: str) -> None:
    check(failing(adapter, closed))


def test_no_local_variable_holds_a_secret_at_the_deadline(adapter: Adapter, hostile: Hostile) -> None:
    dripping = Endless(b"HTTP/1.1 200 X\r\nX-Token: at-1-s3cr3t", b"x", pause=0.01)
    hostile.on("/token", dripping)
    check(failing(adapter, hostile.token_endpoint, exchange=ExchangePolicy(deadline=0.3)))
    dripping.over.set()


def test_no_local_variable_holds_the_password_of_a_proxy(hostile: Hostile) -> None:
    """httpx2 and httpx keep a proxy in their transports."""
    proxies = {"http": "http://user:s3cr3t-of-client@127.0.0.1:1"}
    session = OAuth2Session("c", "s", token_endpoint=hostile.token_endpoint, proxies=proxies, trust_env=False)
    with session, pytest.raises(OAuthError, match="through the proxy: connection refused") as raised:
        session.fetch_token()
    check(raised.value)

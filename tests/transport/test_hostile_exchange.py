"""The one hardened exchange, on every client: bounded in time and size, and nothing of it goes astray.

What is said here of token requests is also tried on revocation and introspection, which go the same way.
"""

import gzip
import socket
import threading
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from doorkey.errors import InvalidResponse, OAuthError, TransportError
from doorkey.wire.limits import ExchangePolicy
from tests.servers.process import nobodys_port
from tests.support.every_adapter import Adapter, Client
from tests.support.hostile_server import Endless, Exchange, Hostile, reply, reset, token

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"
SHORT = ExchangePolicy(deadline=0.15)
"""On a busy machine it may be over before the request has been sent. Then the server sees no connection."""

CALLS: dict[str, Callable[[Client], object]] = {
    "token": lambda client: client.fetch_token(),
    "refresh": lambda client: client.refresh_token(refresh_token="rt"),
    "revocation": lambda client: client.revoke_token(token="at"),
    "introspection": lambda client: client.introspect_token(token="at"),
}
every_call = pytest.mark.parametrize("call", [pytest.param(call, id=name) for name, call in CALLS.items()])


@cache
def zeros() -> bytes:
    """Return 200 MB in 200 kB."""
    return gzip.compress(b"\0" * 200 * 1024 * 1024)


def client_of(adapter: Adapter, server: Hostile | str, **options: Any) -> Client:
    """A client of a server, or of the URL of one that does not listen."""
    endpoints = ("token_endpoint", "revocation_endpoint", "introspection_endpoint")
    url = server if isinstance(server, str) else server.token_endpoint
    return adapter.client("c", "a-secret", **dict.fromkeys(endpoints, url), **options)


@every_call
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed_and_nothing_reaches_the_other_host(
    adapter: Adapter, hostile: Hostile, status: int, call: Callable[[Client], object]
) -> None:
    thief = Hostile()
    try:
        hostile.on("/token", reply(status, headers={"Location": thief.url("/token")}))
        thief.on("/token", token("stolen"))
        client = client_of(adapter, hostile)
        with pytest.raises(InvalidResponse) as error:
            call(client)
        assert error.value.problem == "redirected"
        assert error.value.status == status
        assert thief.received == []
        assert client.token is None
    finally:
        thief.close()


def test_a_token_in_the_body_of_a_redirect_is_not_taken(adapter: Adapter, hostile: Hostile) -> None:
    body = '{"access_token":"at","token_type":"Bearer"}'
    hostile.on("/token", reply(302, body, {"Location": "/elsewhere", "Content-Type": "application/json"}))
    client = client_of(adapter, hostile)
    with pytest.raises(InvalidResponse):
        client.fetch_token()
    assert [request.path for request in hostile.received] == ["/token"]
    assert client.token is None


@every_call
def test_an_endless_body_stops_at_the_cap(adapter: Adapter, hostile: Hostile, call: Callable[[Client], object]) -> None:
    endless = Endless(HEAD, b" " * 65536)
    hostile.on("/token", endless)
    with pytest.raises(InvalidResponse) as error:
        call(client_of(adapter, hostile))
    assert error.value.problem == "too_large"
    endless.wait_for_hang_up()


@pytest.mark.parametrize("status", [200, 400, 502])
def test_a_gzip_bomb_stops_at_the_cap_also_on_error_bodies(adapter: Adapter, hostile: Hostile, status: int) -> None:
    hostile.on("/token", reply(status, zeros(), {"Content-Encoding": "gzip"}))
    with pytest.raises(InvalidResponse) as error:
        client_of(adapter, hostile).fetch_token()
    assert error.value.problem == "too_large"


def test_the_cap_is_the_one_that_is_given(adapter: Adapter, hostile: Hostile) -> None:
    hostile.on("/token", token(padding="x" * 5000))
    with pytest.raises(InvalidResponse) as error:
        client_of(adapter, hostile, exchange=ExchangePolicy(max_body=4096)).fetch_token()
    assert error.value.problem == "too_large"
    assert client_of(adapter, hostile, exchange=ExchangePolicy(max_body=8192)).fetch_token()


@every_call
def test_a_slow_drip_in_the_body_does_not_extend_the_deadline(
    adapter: Adapter, hostile: Hostile, call: Callable[[Client], object]
) -> None:
    drip = Endless(HEAD, b" ", pause=0.02)
    hostile.on("/token", drip)
    with pytest.raises(TransportError):
        call(client_of(adapter, hostile, exchange=SHORT))
    assert not drip.over.is_set(), "the server was still dripping, and would have gone on for ever"
    hostile.wait_until_left()


@pytest.mark.parametrize(
    "head", [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nX-Slow: "], ids=["status line", "headers", "a header"]
)
def test_a_slow_drip_in_the_headers_does_not_extend_the_deadline(
    adapter: Adapter, hostile: Hostile, head: bytes
) -> None:
    drip = Endless(head or b"H", b"x", pause=0.02)
    hostile.on("/token", drip)
    with pytest.raises(TransportError):
        client_of(adapter, hostile, exchange=SHORT).fetch_token()
    assert not drip.over.is_set()
    hostile.wait_until_left()


def test_a_server_that_says_nothing_is_left_at_the_deadline(adapter: Adapter, hostile: Hostile) -> None:
    hostile.on("/token", Exchange.until_hung_up)
    with pytest.raises(TransportError):
        client_of(adapter, hostile, exchange=SHORT).fetch_token()
    hostile.wait_until_left()


def test_oversized_headers_are_refused(adapter: Adapter, hostile: Hostile) -> None:
    many = [(f"X-{n}", "x" * 1000) for n in range(90)]
    hostile.on("/token", reply(200, "{}", many))
    with pytest.raises(OAuthError) as error:
        client_of(adapter, hostile).fetch_token()
    assert isinstance(error.value, InvalidResponse | TransportError)


def test_endless_headers_are_refused(adapter: Adapter, hostile: Hostile) -> None:
    endless = Endless(b"HTTP/1.1 200 OK\r\n", b"X-More: " + b"x" * 1000 + b"\r\n")
    hostile.on("/token", endless)
    with pytest.raises(OAuthError) as error:
        client_of(adapter, hostile).fetch_token()
    assert isinstance(error.value, InvalidResponse | TransportError)
    endless.wait_for_hang_up()


def test_no_cookie_is_kept_or_sent(adapter: Adapter, hostile: Hostile) -> None:
    answer = token().replace(b"\r\n", b"\r\nSet-Cookie: session=from-the-server; Path=/\r\n", 1)
    hostile.on("/token", answer)
    client = client_of(adapter, hostile)
    client.native.cookies.set("own", "of-the-api", domain="127.0.0.1", path="/")
    client.fetch_token()
    client.fetch_token()
    assert [request.header("cookie") for request in hostile.token_requests] == [None, None]
    assert "session" not in dict(client.native.cookies)


def test_headers_of_the_session_meant_for_the_api_do_not_go_to_the_token_endpoint(
    adapter: Adapter, hostile: Hostile
) -> None:
    hostile.on("/token", token())
    client = client_of(adapter, hostile)
    client.native.headers["X-Api-Key"] = "of-the-api"
    client.native.headers["User-Agent"] = "a-program/1"
    client.fetch_token()
    assert hostile.token_requests[0].header("x-api-key") is None
    assert hostile.token_requests[0].header("user-agent") == "a-program/1"


@pytest.fixture
def netrc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / ".netrc"
    file.write_text("machine 127.0.0.1\nlogin mallory\npassword of-the-netrc\n")
    file.chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("NETRC", raising=False)


@pytest.mark.usefixtures("netrc")
def test_a_netrc_never_replaces_client_authentication(adapter: Adapter, hostile: Hostile) -> None:
    hostile.on("/token", token())
    adapter.client("c", token_endpoint=hostile.token_endpoint).fetch_token()
    client_of(adapter, hostile).fetch_token()
    assert hostile.token_requests[0].header("authorization") is None
    assert hostile.token_requests[1].header("authorization") == "Basic YzphLXNlY3JldA=="


@pytest.mark.usefixtures("netrc")
def test_a_netrc_never_replaces_the_token(adapter: Adapter, hostile: Hostile) -> None:
    client = adapter.client(token={"access_token": "at-1"})
    client.get(hostile.url())
    client.following_redirects("GET", hostile.url())
    assert [request.token for request in hostile.to("/api")] == ["at-1", "at-1"]


def test_a_proxy_of_the_environment_is_used_and_gets_no_token_of_another(
    adapter: Adapter, hostile: Hostile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To a proxy the whole URL goes; its credentials are its own, and ours are not mixed with them."""
    for name in ("HTTP_PROXY", "http_proxy"):
        monkeypatch.setenv(name, f"http://proxy-user:proxy-pass@127.0.0.1:{hostile.port}")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "")
    hostile.on("/token", token())
    client = adapter.client("c", "a-secret", token_endpoint="http://localhost:9/token")
    client.fetch_token()
    request = hostile.received[0]
    assert request.target == "http://localhost:9/token"
    assert request.header("authorization") == "Basic YzphLXNlY3JldA=="
    assert "proxy-user" not in (request.header("authorization") or "")


@every_call
def test_a_refused_connection_may_be_tried_again(adapter: Adapter, call: Callable[[Client], object]) -> None:
    with nobodys_port() as port, pytest.raises(TransportError) as error:
        call(client_of(adapter, f"http://127.0.0.1:{port}/token"))
    assert error.value.retryable is True
    assert error.value.__cause__ is not None
    assert str(port) in str(error.value)


@every_call
def test_a_reset_connection_may_not_be_tried_blindly(
    adapter: Adapter, hostile: Hostile, call: Callable[[Client], object]
) -> None:
    hostile.on("/token", reset)
    with pytest.raises(TransportError) as error:
        call(client_of(adapter, hostile))
    assert error.value.retryable is False
    assert len(hostile.received) == 1


def test_a_kept_connection_that_the_server_closed_is_no_error_later(adapter: Adapter, hostile: Hostile) -> None:
    closed = threading.Event()

    def answer_and_hang_up(exchange: Exchange) -> None:
        exchange.send(token("at-2"))
        exchange.connection.shutdown(socket.SHUT_RDWR)
        closed.set()

    hostile.on("/token", token("at-1"), answer_and_hang_up, token("at-3"))
    client = client_of(adapter, hostile)
    client.fetch_token()
    client.fetch_token()
    assert closed.wait(60)
    assert client.fetch_token()["access_token"] == "at-3"


@pytest.mark.parametrize("option", ["allow_redirects", "follow_redirects", "cookies", "json", "files"])
def test_a_call_cannot_undo_the_bounds(adapter: Adapter, hostile: Hostile, option: str) -> None:
    """Where the HTTP library has no such option, it is a parameter like any other: it undoes nothing either."""
    hostile.on("/token", reply(302, headers={"Location": "/elsewhere"}))
    with pytest.raises(OAuthError):
        client_of(adapter, hostile).fetch_token(**{option: True})
    assert hostile.to("/elsewhere") == []

"""Callers that send slowly, do not read, or open too many connections."""

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from typing import Any

import pytest

from doorkey.dev import Limits, Provider
from doorkey.errors import UsageError

HEAD = b"POST /realms/master/protocol/openid-connect/token HTTP/1.1\r\nHost: 127.0.0.1\r\n"
FORM = b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 1000\r\n\r\n"
SHORT = Limits(head_seconds=0.3, body_seconds=0.3, connections=4)
PATIENCE = 100
"""How many bytes a slow caller sends, with a tenth of a second between them, before the test fails."""
GET = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider(limits=SHORT) as provider:
        yield provider


def connected(provider: Provider) -> socket.socket:
    return socket.create_connection(("127.0.0.1", provider.port), timeout=30)


def trickled(connection: socket.socket, beginning: bytes) -> bytes:
    """Send `beginning` and then byte after byte, and return what comes back once the other end has enough."""
    received = b""
    connection.sendall(beginning)
    connection.settimeout(0.1)
    for _ in range(PATIENCE):
        try:
            while part := connection.recv(65536):
                received += part
            return received
        except TimeoutError:
            pass
        except ConnectionError:
            return received
        try:
            connection.sendall(b"x")
        except ConnectionError:
            return received
    raise AssertionError("the connection is held open")


def test_headers_that_trickle_in_do_not_hold_a_connection_open(provider: Provider) -> None:
    with closing(connected(provider)) as connection:
        assert trickled(connection, HEAD + b"X-Slow: ").startswith((b"HTTP/1.1 408 ", b""))


def test_a_connection_over_which_nothing_comes_is_closed(provider: Provider) -> None:
    with closing(connected(provider)) as connection:
        received = b"".join(iter(lambda: connection.recv(65536), b""))  # until it is closed
    assert received.startswith(b"HTTP/1.1 408 ")


def test_headers_that_trickle_in_after_a_response_do_not_hold_a_connection_open(provider: Provider) -> None:
    with closing(served(provider)) as connection:
        trickled(connection, HEAD + b"X-Slow: ")


def test_a_body_that_trickles_in_does_not_hold_a_connection_open(provider: Provider) -> None:
    with closing(connected(provider)) as connection:
        assert trickled(connection, HEAD + FORM + b"grant_type=").startswith(b"HTTP/1.1 408 ")


def test_a_slow_caller_may_take_the_time_that_is_allowed() -> None:
    with Provider(limits=Limits(head_seconds=30, body_seconds=30)) as provider, closing(connected(provider)) as slow:
        slow.settimeout(0.05)
        for byte in GET:
            with pytest.raises(TimeoutError):
                slow.recv(1)
            slow.sendall(bytes([byte]))
        slow.settimeout(30)
        assert slow.recv(65536).startswith(b"HTTP/1.1 404 ")


def test_a_caller_that_takes_no_answer_in_is_let_go_of() -> None:
    with Provider(limits=Limits(body_seconds=0.3, connections=4)) as provider, ExitStack() as stack:
        provider.faults.add("/token", status=200, body=b"x" * 50_000_000)
        connection = stack.enter_context(closing(connected(provider)))
        connection.sendall(HEAD + b"Content-Length: 0\r\n\r\n")
        served(provider).close()  # while the first answer waits for its reader
        for _ in range(4):  # its connection is free again, although it is open at this end
            stack.enter_context(closing(served(provider)))


def test_one_connection_too_many_is_closed_and_the_others_are_served() -> None:
    with Provider(limits=Limits(connections=4)) as provider, ExitStack() as stack:
        sockets = [stack.enter_context(closing(connected(provider))) for _ in range(4)]
        for one in sockets:
            one.sendall(GET)
            assert one.recv(65536).startswith(b"HTTP/1.1 404 ")
        with closing(connected(provider)) as too_many:
            try:
                too_many.sendall(GET)
                assert too_many.recv(65536) == b""
            except ConnectionError:
                pass
        sockets[0].close()
        served(provider).close()


def served(provider: Provider) -> socket.socket:
    """A connection over which one response has come, as soon as one is free.

    One that was just closed may still be counted, and a busy machine may be too slow for the limits of the provider.
    """
    until = time.monotonic() + 60
    while time.monotonic() < until:
        connection = connected(provider)
        try:
            connection.sendall(GET)
            if connection.recv(65536).startswith(b"HTTP/1.1 404 "):
                return connection
        except ConnectionError:
            pass
        connection.close()
        time.sleep(0.02)  # it polls: no event comes to this end
    raise AssertionError("no connection is free")


@pytest.mark.parametrize("request_line", [b"\x00\r\n\r\n", b"GET\r\n\r\n", b"\x16\x03\x01\r\n\r\n"])
def test_a_value_that_is_not_a_request_is_refused_without_sniffing(provider: Provider, request_line: bytes) -> None:
    with closing(connected(provider)) as connection:
        connection.sendall(request_line)
        received = connection.recv(65536)
        assert received.startswith(b"HTTP/1.1 400 ")
        assert b"x-content-type-options: nosniff" in received.lower()


@pytest.mark.parametrize(
    "wrong", [{"head_seconds": -1}, {"body_seconds": "1"}, {"connections": 0}, {"connections": 1.5}]
)
def test_limits_are_numbers(wrong: dict[str, Any]) -> None:
    given: Any = wrong
    with pytest.raises(UsageError):
        Limits(**wrong)
    with pytest.raises(UsageError):
        Provider(limits=given)

"""The server of a callback, with connections of a page or a program that wants the login to fail."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from doorkey.native.callback_server import MAX_CONNECTIONS, CallbackServer
from doorkey.native.callbacks import Expected
from doorkey.native.effects import WaitForSockets
from doorkey.native.loopback import Target, close_all
from doorkey.wire.flow import run
from tests.support.fake_clock import Clock


@pytest.fixture
def opened() -> Iterator[list[socket.socket]]:
    sockets: list[socket.socket] = []
    yield sockets
    close_all(sockets)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
@pytest.mark.parametrize("before", [0, MAX_CONNECTIONS - 1])
def test_a_response_that_has_arrived_is_read_whatever_connects_after_it(
    opened: list[socket.socket], before: int, host: str
) -> None:
    """One more connection than the limit closes the oldest, which has been read then."""
    uri, listeners = Target.of("http://localhost/callback", (0,)).listen()
    opened += listeners
    port = listeners[0].getsockname()[1]
    server = CallbackServer(listeners, Expected(uri, "the-state"), Clock(), 300)

    def connected() -> socket.socket:
        sock = socket.create_connection((host, port), 10)
        opened.append(sock)
        return sock

    for _ in range(before):
        connected()
    request = f"GET /callback?code=c&state=the-state HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n"
    connected().sendall(request.encode())
    for _ in range(3 * MAX_CONNECTIONS):
        connected()

    def wait(effect: object) -> object:
        assert isinstance(effect, WaitForSockets)
        ready = effect.wait()
        assert ready, "the response was lost"
        return ready

    _, params = run(server.received(), wait)
    server.close()
    assert params == f"{uri}?code=c&state=the-state"

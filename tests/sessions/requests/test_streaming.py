"""Bodies that come and go in pieces: nothing is buffered to sign a request."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.every_adapter import Adapter
from tests.support.fake_clock import START, Clock
from tests.support.hostile_server import WAIT, Endless, Hostile, token

TOKEN = {"access_token": "at-1"}
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def test_a_response_is_read_while_it_is_being_written(adapter: Adapter, hostile: Hostile) -> None:
    """The server never ends its response: a client that buffered it would wait for ever."""
    endless = Endless(CHUNKED, b"5\r\nhello\r\n", pause=0.01)
    hostile.on("/api", endless)
    status, body = adapter.client(token=TOKEN).streamed("GET", hostile.url(), until=10)
    assert status == 200
    assert body.startswith(b"hellohello")
    assert hostile.received[0].token == "at-1"
    endless.wait_for_hang_up()


def test_a_streamed_response_carries_a_renewed_token(adapter: Adapter, hostile: Hostile, clock: Clock) -> None:
    hostile.on("/token", token("at-2"))
    stored = {"access_token": "at-1", "refresh_token": "rt-1", "expires_at": START - 1}
    client = adapter.client(token=stored, clock=clock, token_endpoint=hostile.token_endpoint)
    client.streamed("GET", hostile.url())
    assert [request.token for request in hostile.to("/api")] == ["at-2"]


def test_an_upload_is_streamed_and_not_buffered_to_sign_it(adapter: Adapter, hostile: Hostile) -> None:
    """The second piece is only made once the first has arrived at the server."""
    first_arrived = threading.Event()

    hostile.on_body("/api", lambda piece: first_arrived.set())

    def pieces() -> Iterator[bytes]:
        yield b"first"
        assert first_arrived.wait(WAIT), "the upload was buffered"
        yield b"second"

    answer = adapter.client(token=TOKEN).upload(hostile.url(), pieces())
    assert answer.status_code == 200
    assert hostile.received[0].body == b"firstsecond"
    assert hostile.received[0].token == "at-1"


def unchanged(url: str, headers: Any, body: Any) -> Any:
    """A hook that looks, and changes nothing."""
    return url, headers, body


@pytest.mark.parametrize("placement", ["header", "uri"])
def test_a_hook_does_not_buffer_an_upload_either(adapter: Adapter, hostile: Hostile, placement: str) -> None:
    first_arrived = threading.Event()
    hostile.on_body("/api", lambda piece: first_arrived.set())
    client = adapter.client(token=TOKEN, token_placement=placement)
    client.native.register_compliance_hook("protected_request", unchanged)

    def pieces() -> Iterator[bytes]:
        yield b"first"
        assert first_arrived.wait(WAIT), "the upload was buffered"
        yield b"second"

    assert client.upload(hostile.url(), pieces()).status_code == 200
    assert hostile.received[0].body == b"firstsecond"


def test_a_large_body_of_bytes_goes_as_it_is(adapter: Adapter, hostile: Hostile) -> None:
    body = bytes(range(256)) * 4096
    adapter.client(token=TOKEN).post(hostile.url(), **{adapter.kind.upload: body})
    assert hostile.received[0].body == body
    assert hostile.received[0].header("content-length") == str(len(body))

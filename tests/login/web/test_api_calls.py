"""A call of an API on every adapter: bounded in time and size, and passed on as it came."""

import itertools
from collections.abc import Callable
from functools import partial
from traceback import walk_tb
from types import TracebackType
from typing import Any

import pytest

from doorkey.login.web.api_calls import APICall, APIError
from doorkey.login.web.api_streams import open_stream
from doorkey.wire.messages import Response
from tests.support.every_adapter import Adapter
from tests.support.hostile_server import Exchange, Hostile, reply
from tests.support.session_fixtures import adapter

__all__ = ["adapter"]

TOKEN = {"access_token": "at", "token_type": "Bearer"}


def called(adapter: Adapter, url: str, *, seconds_per_look: float = 0.0, **options: Any) -> Response:
    """Call an API by a session of the adapter; the clock advances whenever it is read."""
    times = itertools.count(0.0, seconds_per_look)
    call = APICall("GET", url, {}, b"", timeout=15.0, most=1_000_000, timer=lambda: next(times))
    client = adapter.client("c", token=TOKEN, **options)
    response: Response = adapter.caller(call.send_with, client.native)
    return response


def test_a_response_that_takes_too_long_is_given_up_though_it_keeps_coming(adapter: Adapter, hostile: Hostile) -> None:
    def in_pieces(exchange: Exchange) -> None:
        exchange.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while exchange.send(b"10000\r\n" + b"x" * 0x10000 + b"\r\n"):
            pass

    hostile.on("/api", in_pieces)
    with pytest.raises(APIError) as error:
        called(adapter, hostile.url(), seconds_per_look=6.0)
    assert error.value.status == 504


def test_a_redirect_is_a_response_also_if_the_client_follows_redirects(adapter: Adapter, hostile: Hostile) -> None:
    hostile.on("/api", reply(302, "", {"Location": "/elsewhere"}))
    options = {} if adapter.kind.name == "requests" else adapter.kind.following
    assert called(adapter, hostile.url(), **options).status == 302
    assert [one.path for one in hostile.received] == ["/api"]


def test_the_body_of_a_redirect_is_passed_on_and_bounded(adapter: Adapter, hostile: Hostile) -> None:
    """requests reads the body of a redirect that it does not follow, unless it sees no target."""
    hostile.on("/api", reply(302, "see there", {"Location": "/elsewhere"}))
    response = called(adapter, hostile.url())
    assert (response.header("Location"), response.body) == ("/elsewhere", b"see there")

    def without_end(exchange: Exchange) -> None:
        exchange.send(b"HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nTransfer-Encoding: chunked\r\n\r\n")
        while exchange.send(b"10000\r\n" + b"x" * 0x10000 + b"\r\n"):
            pass

    hostile.on("/api", without_end)
    with pytest.raises(APIError, match="more than 1000000 bytes"):
        called(adapter, hostile.url())


def test_the_hooks_of_a_session_are_called(hostile: Hostile) -> None:
    from doorkey import OAuth2Session

    seen: list[str | None] = []

    def look(response: Any, **_: Any) -> None:
        seen.append(response.headers.get("Location"))

    hostile.on("/api", reply(302, "", {"Location": "/elsewhere"}))
    with OAuth2Session("c", token=TOKEN) as session:
        session.hooks["response"].append(look)
        call = APICall("GET", hostile.url(), {}, b"", timeout=15.0, most=1000, timer=lambda: 0.0)
        assert isinstance(answer := call.send_with(session), Response)
    assert answer.header("Location") == "/elsewhere"
    assert seen == ["/elsewhere"]


@pytest.mark.parametrize("send", [APICall.send_with, open_stream], ids=["whole", "streamed"])
def test_an_api_that_hangs_up_is_an_error_without_the_frames_of_the_library(
    adapter: Adapter, hostile: Hostile, send: Callable[[APICall, Any], Any]
) -> None:
    hostile.on("/api", lambda exchange: exchange.reset())
    call = APICall("GET", hostile.url(), {}, b"", timeout=15.0, most=1000, timer=lambda: 0.0)
    with pytest.raises(APIError) as error:
        adapter.caller(partial(send, call), adapter.client("c", token=TOKEN).native)
    assert error.value.status == 502
    assert error.value.__cause__ is not None
    assert error.value.__cause__.__traceback__ is None
    assert error.value.__context__ is None
    values = [value for frame, _ in walk_tb(error.tb) for value in frame.f_locals.values()]
    assert not [value for value in values if isinstance(value, TracebackType)]

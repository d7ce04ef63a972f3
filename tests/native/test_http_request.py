"""One request, read from bytes that come in any pieces, within bounds."""

from __future__ import annotations

import pytest

from doorkey.native.http_request import MAX_BODY, MAX_HEAD, MAX_HEADERS, HttpRequest, RequestReader, Unreadable

GET = b"GET /callback?code=c&state=s HTTP/1.1\r\nHost: 127.0.0.1:8000\r\nAccept: */*\r\n\r\n"
POST = (
    b"POST /callback HTTP/1.1\r\nhost:127.0.0.1:8000\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    b"Content-Length: 7\r\n\r\nstate=s"
)


def read(data: bytes) -> HttpRequest | Unreadable | None:
    return RequestReader().feed(data)


def test_a_request_is_read_whole_or_byte_by_byte() -> None:
    for data in (GET, POST):
        reader = RequestReader()
        pieces = [reader.feed(bytes([byte])) for byte in data]
        assert pieces[:-1] == [None] * (len(data) - 1)
        assert pieces[-1] == read(data)
    assert read(GET) == HttpRequest("GET", "/callback", "code=c&state=s", "127.0.0.1:8000")
    form = "application/x-www-form-urlencoded"
    assert read(POST) == HttpRequest("POST", "/callback", "", "127.0.0.1:8000", form, b"state=s")


def test_what_follows_the_request_is_no_part_of_it() -> None:
    assert read(POST + b"&more=1") == read(POST)


def test_the_repr_shows_no_secret() -> None:
    assert repr(read(GET)) == "<HttpRequest GET>"


@pytest.mark.parametrize(
    ("status", "data"),
    [
        (400, b"\x16\x03\x01\x02\x00"),
        (400, b"GET http://127.0.0.1/ HTTP/1.1\r\nHost: a\r\n\r\n"),
        (400, b"GET / HTTP/2.0\r\nHost: a\r\n\r\n"),
        (400, b"GET /\x00 HTTP/1.1\r\nHost: a\r\n\r\n"),
        (400, b"GET / HTTP/1.1\r\n\r\n"),
        (400, b"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"),
        (400, b"GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n"),
        (400, b"GET / HTTP/1.1\r\nHost : a\r\n\r\n"),
        (400, b"GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n"),
        (400, b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n"),
        (400, b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n"),
        (400, b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: " + b"9" * 10 + b"\r\n\r\n"),
        (400, b"GET / HTTP/1.1\r\nHost: a\r\n" + b"A: b\r\n" * MAX_HEADERS + b"\r\n"),
        (413, b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % (MAX_BODY + 1)),
        (431, b"GET /" + b"a" * MAX_HEAD),
        (431, b"GET /?" + b"a" * MAX_HEAD + b" HTTP/1.1\r\nHost: a\r\n\r\n"),
        (501, b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    ],
)
def test_a_request_that_no_browser_sends_has_a_status(status: int, data: bytes) -> None:
    found = read(data)
    assert isinstance(found, Unreadable)
    assert found.status == status
    assert found.reason.endswith(".")


def test_a_head_below_the_bound_is_waited_for() -> None:
    assert read(b"GET /" + b"a" * (MAX_HEAD - 6)) is None

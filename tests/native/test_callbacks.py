"""Which request is the response of the login: the one with its state, at its host, path and method."""

from __future__ import annotations

from dataclasses import replace

import pytest

from doorkey.native.callbacks import Accepted, Expected, Rejected, check_callback
from doorkey.native.http_request import HttpRequest

EXPECTED = Expected("http://127.0.0.1:8000/callback", "the-state")
FORM = "application/x-www-form-urlencoded"
GET = HttpRequest("GET", "/callback", "code=c&state=the-state&code=d", "127.0.0.1:8000")
POST = HttpRequest(
    "POST", "/callback", "", "127.0.0.1:8000", f"{FORM}; charset=utf-8", b"code=c&state=the-state&code=d"
)


def test_a_query_is_accepted_as_the_url_at_which_the_browser_came_back() -> None:
    found = check_callback(GET, EXPECTED)
    assert isinstance(found, Accepted)
    assert found.params == "http://127.0.0.1:8000/callback?code=c&state=the-state&code=d"
    assert repr(found) == "<Accepted response>"
    assert repr(EXPECTED) == "<Expected response>"


def test_a_form_is_accepted_with_each_value_of_a_name() -> None:
    found = check_callback(POST, replace(EXPECTED, posts_form=True))
    assert isinstance(found, Accepted)
    assert found.params == {"code": ["c", "d"], "state": ["the-state"]}


def test_the_query_of_the_redirect_uri_is_not_doubled() -> None:
    expected = replace(EXPECTED, redirect_uri="http://127.0.0.1:8000/callback?tenant=a")
    found = check_callback(replace(GET, query="tenant=a&state=the-state"), expected)
    assert isinstance(found, Accepted)
    assert found.params == "http://127.0.0.1:8000/callback?tenant=a&state=the-state"


@pytest.mark.parametrize("host", ["127.0.0.1:80", "127.0.0.1"])
def test_browsers_omit_port_80(host: str) -> None:
    expected = Expected("http://127.0.0.1:80", "the-state")
    assert isinstance(check_callback(replace(GET, host=host, path="/"), expected), Accepted)


@pytest.mark.parametrize(
    ("status", "request_", "is_response"),
    [
        (421, replace(GET, host="evil.example:8000"), False),
        (421, replace(GET, host="127.0.0.1"), False),
        (404, replace(GET, path="/callback/"), False),
        (405, replace(GET, method="PUT"), False),
        (400, replace(GET, query=""), False),
        (400, replace(GET, query="code=c"), True),
        (400, replace(GET, query="state=the-state&state=the-state"), True),
        (400, replace(GET, query="state=the-state%ff"), True),
        (400, replace(GET, query="state=" + "the-state"[:-1]), True),
        (400, replace(GET, query="a=1&" * 1001), True),
    ],
)
def test_another_request_is_rejected_with_words(status: int, request_: HttpRequest, is_response: bool) -> None:
    found = check_callback(request_, EXPECTED)
    assert isinstance(found, Rejected)
    assert (found.status, found.is_response) == (status, is_response)
    assert found.title
    assert found.cause.endswith(".")


@pytest.mark.parametrize(
    ("status", "request_"),
    [
        (405, GET),
        (415, replace(POST, content_type="application/json")),
        (415, replace(POST, content_type="")),
        (400, replace(POST, body=b"state=\xff")),
        (400, replace(POST, body=b"")),
    ],
)
def test_a_form_is_nothing_else(status: int, request_: HttpRequest) -> None:
    found = check_callback(request_, replace(EXPECTED, posts_form=True))
    assert isinstance(found, Rejected)
    assert found.status == status
    assert status != 405 or found.headers == (("Allow", "POST"),)

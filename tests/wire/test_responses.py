"""What every answer of a server has in common: an OAuth error wins, the body is one object, waits are bounded."""

import json
import os
import time
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doorkey.errors import (
    InvalidClient,
    InvalidGrant,
    InvalidResponse,
    ServerError,
    TemporarilyUnavailable,
)
from doorkey.wire.messages import Response
from doorkey.wire.responses import (
    MAX_RETRY_AFTER,
    excerpt_of,
    json_answer,
    raise_for_status,
    raise_oauth_error,
    retry_after,
)
from tests.support.saying import said_by

NOW = 784_111_777.0  # Sun, 06 Nov 1994 08:49:37 GMT, the example of RFC 9110 §5.6.7


def reply(status: int, members: object = None, *headers: tuple[str, str], body: bytes = b"") -> Response:
    return Response(status, headers, body if members is None else json.dumps(members).encode())


@pytest.fixture
def in_new_york(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setitem(os.environ, "TZ", "America/New_York")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("0", 0),
        ("5", 5),
        (" 120 ", 120),
        ("3600", 3600),
        ("3601", MAX_RETRY_AFTER),
        ("9" * 5000, MAX_RETRY_AFTER),
        ("-5", None),
        ("1.5", None),
        ("1e3", None),
        ("٣", None),
        ("soon", None),
        ("", None),
    ],
)
def test_the_seconds_to_wait_are_bounded_and_never_a_builtin_error(header: str, seconds: float | None) -> None:
    assert retry_after(reply(503, None, ("Retry-After", header)), NOW) == seconds


@pytest.mark.usefixtures("in_new_york")
@pytest.mark.parametrize(
    "date",
    [
        "Sun, 06 Nov 1994 08:49:37 GMT",
        "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994",
        "Sun, 06 Nov 1994 08:49:37 -0000",
    ],
)
def test_every_form_of_a_date_is_in_gmt_wherever_we_are(date: str) -> None:
    response = reply(429, None, ("Retry-After", date))
    assert retry_after(response, NOW - 10) == 10
    assert retry_after(response, NOW - 9.5) == 10
    assert retry_after(response, NOW + 10) == 0
    assert retry_after(response, NOW - 100_000) == MAX_RETRY_AFTER


def test_a_date_is_not_understood_without_a_clock() -> None:
    assert retry_after(reply(429, None, ("Retry-After", "Sun, 06 Nov 1994 08:49:37 GMT"))) is None
    assert retry_after(reply(429), NOW) is None


@settings(deadline=None, max_examples=150)
@given(
    st.text(max_size=40)
    | st.builds(
        "{}, {} {} {} {}:{}:{} {}".format,
        st.sampled_from(["Sun", "", "Xyz"]),
        *[st.integers(-1, 10**6) | st.text(max_size=3)] * 6,
        st.sampled_from(["GMT", "+9999", "-0000", "EST", ""]),
    )
)
def test_no_header_brings_a_builtin_error(header: str) -> None:
    wait = retry_after(reply(503, None, ("Retry-After", header)), NOW)
    assert wait is None or 0 <= wait <= MAX_RETRY_AFTER


@pytest.mark.parametrize("status", [200, 302, 400, 401, 500])
def test_an_oauth_error_is_raised_as_its_class_whatever_the_status(status: int) -> None:
    members = {"error": "invalid_grant", "error_description": "Session not active", "error_uri": "https://as.example/e"}
    response = reply(status, members, ("X-Request-Id", "7"), ("Retry-After", "9"))
    with pytest.raises(InvalidGrant) as caught:
        raise_oauth_error(response, members, NOW)
    error = caught.value
    assert str(error) == "invalid_grant: Session not active"
    assert (error.uri, error.status, error.retry_after) == ("https://as.example/e", status, 9)
    assert error.headers == (("X-Request-Id", "7"), ("Retry-After", "9"))


def test_an_error_wins_over_a_token_in_the_same_answer() -> None:
    with pytest.raises(InvalidClient):
        json_answer(reply(200, {"access_token": "a", "token_type": "Bearer", "error": "invalid_client"}), "answer")


def test_an_unregistered_error_is_a_server_error_under_its_own_name() -> None:
    with pytest.raises(ServerError) as caught:
        json_answer(reply(400, {"error": "as_made_up_by_us", "error_description": 7, "error_uri": []}), "answer")
    assert type(caught.value) is ServerError
    assert str(caught.value) == "as_made_up_by_us"
    assert caught.value.uri is None


@pytest.mark.parametrize("error", ["", 7, True, False, ["invalid_grant"], {"code": 1}])
def test_an_error_that_is_no_name_is_still_an_error(error: Any) -> None:
    with pytest.raises(ServerError, match="invalid_error"):
        json_answer(reply(200, {"access_token": "a", "error": error}), "answer")


def test_an_error_of_null_is_none() -> None:
    assert json_answer(reply(200, {"error": None, "a": 1}), "answer") == {"error": None, "a": 1}


def test_a_description_is_bounded_and_escaped() -> None:
    with pytest.raises(InvalidGrant) as caught:
        json_answer(
            reply(400, {"error": "invalid_grant", "error_description": "\x1b[31m\r\n" + "a" * 100_000}), "answer"
        )
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 600


@pytest.mark.parametrize("status", [200, 201, 204, 299])
def test_a_success_is_one(status: int) -> None:
    raise_for_status(Response(status))


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("body", [b"", b"<html>", b"{}", b"[]"])
def test_a_busy_server_is_temporarily_unavailable_with_a_bounded_wait(status: int, body: bytes) -> None:
    with pytest.raises(
        TemporarilyUnavailable, match=f"temporarily_unavailable: the server answered {status}"
    ) as caught:
        json_answer(reply(status, None, ("Retry-After", "99999"), body=body), "answer", NOW)
    assert caught.value.retry_after == MAX_RETRY_AFTER
    assert caught.value.status == status


@pytest.mark.parametrize("status", [100, 199, 300, 400, 404, 500, 502])
def test_any_other_status_without_an_oauth_error_is_an_invalid_response(status: int) -> None:
    with pytest.raises(InvalidResponse) as caught:
        json_answer(reply(status, {"message": "no"}), "answer")
    assert (caught.value.problem, caught.value.status) == ("status", status)


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"", "empty"),
        (b" \n", "empty"),
        (b"<html>502</html>", "not_json"),
        (b"[1]", "not_an_object"),
        (b'{"a": 1, "a": 2}', "duplicate_member"),
        (b'{"a":' * 100, "too_deep"),
    ],
)
@pytest.mark.parametrize("status", [200, 401, 502])
def test_a_body_that_is_no_object_is_an_invalid_response_that_names_why(body: bytes, problem: str, status: int) -> None:
    with pytest.raises(InvalidResponse, match="the token response") as caught:
        json_answer(Response(status, (), body), "token response")
    assert (caught.value.problem, caught.value.status) == (problem, status)
    assert ("it is empty" in str(caught.value)) is (problem == "empty")


def test_an_excerpt_of_an_error_page_is_kept_bounded_and_escaped() -> None:
    page = Response(502, (("Content-Type", "text/html; charset=x"),), b"<h1>Bad\x1b[2J Gateway\xff</h1>" + b"x" * 5000)
    assert excerpt_of(page).startswith("<h1>Bad")
    with pytest.raises(InvalidResponse) as caught:
        json_answer(page, "token response")
    assert "<h1>Bad" in str(caught.value)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 600


@pytest.mark.parametrize(
    "response",
    [
        Response(200, (("Content-Type", "text/html"),), b"access_token=hunter2"),
        Response(400, (("Content-Type", "application/json"),), b'{"access_token": "hunter2"'),
        Response(400, (), b"access_token=hunter2"),
    ],
)
def test_nothing_is_quoted_from_a_response_that_could_hold_a_token(response: Response) -> None:
    with pytest.raises(InvalidResponse) as caught:
        json_answer(response, "token response")
    assert "hunter2" not in str(caught.value) + repr(caught.value) + repr(vars(caught.value))


@settings(deadline=None, max_examples=150)
@given(
    st.integers(100, 599),
    st.binary(max_size=50)
    | st.dictionaries(
        st.sampled_from(["error", "error_description", "error_uri", "a"]),
        st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.text(), max_size=2),
    ).map(lambda members: json.dumps(members).encode()),
)
def test_any_answer_is_members_or_an_oauth_error(status: int, body: bytes) -> None:
    answer = Response(status, (("Content-Type", "text/plain"),), body)
    assert said_by(lambda: json_answer(answer, "answer", NOW)).isprintable()


def test_an_unregistered_error_of_a_busy_server_is_temporary() -> None:
    response = Response(429, (("Retry-After", "7"),), b'{"error": "slow_down_please"}')
    with pytest.raises(TemporarilyUnavailable) as caught:
        json_answer(response, "answer")
    assert (caught.value.error, caught.value.retry_after) == ("slow_down_please", 7.0)

"""Token answers that are none: each is a typed error, on every client, and no token is kept (RFC 6749 §5)."""

import gzip
import json
from typing import Any

import pytest

from doorkey.errors import (
    InvalidGrant,
    InvalidResponse,
    OAuthError,
    ServerError,
    TemporarilyUnavailable,
    TransportError,
)
from tests.support.every_adapter import Adapter
from tests.support.fake_clock import START, Clock
from tests.support.hostile_server import Hostile, reply, token

HTML = {"Content-Type": "text/html"}
JSON = {"Content-Type": "application/json"}


def refused(adapter: Adapter, hostile: Hostile, answer: bytes) -> OAuthError:
    """Return the error of a token request that is answered so."""
    hostile.on("/token", answer)
    client = adapter.client("c", "a-secret", token_endpoint=hostile.token_endpoint)
    with pytest.raises(OAuthError) as error:
        client.fetch_token()
    assert client.token is None
    assert len(hostile.received) == 1, "a token request is never blindly repeated"
    return error.value


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (reply(502, "<html>Bad gateway</html>", HTML), "not_json"),
        (reply(200, "<html>Log in</html>", HTML), "not_json"),
        (reply(200), "empty"),
        (reply(500), "empty"),
        (reply(200, " \n", JSON), "empty"),
        (reply(200, "[]", JSON), "not_an_object"),
        (reply(200, '"at"', JSON), "not_an_object"),
        (reply(200, "null", JSON), "not_an_object"),
        (reply(200, '{"access_token":"a","access_token":"b","token_type":"Bearer"}', JSON), "duplicate_member"),
        (reply(200, '{"a":{"b":1,"b":2}}', JSON), "duplicate_member"),
        (reply(200, '{"a":' * 50_000, JSON), "too_deep"),
        (reply(200, '{"a":' + "[" * 100 + "]" * 100 + "}", JSON), "too_deep"),
        (reply(200, '{"expires_in":NaN}', JSON), "not_json"),
        (reply(200, '{"expires_in":-Infinity}', JSON), "not_json"),
        (reply(200, '{"expires_in":' + "9" * 5000 + "}", JSON), "not_json"),
        (reply(200, b'{"access_token":"\xff\xfe"}', JSON), "not_json"),
        (reply(200, b"\x00" * 100, JSON), "not_json"),
        (reply(200, "access_token=at&token_type=bearer"), "not_json"),
        (reply(404, json={"message": "no such tenant"}), "status"),
        (reply(500, json={"access_token": "at", "token_type": "Bearer"}), "status"),
    ],
)
def test_a_response_that_is_no_json_object_says_what_it_is(
    adapter: Adapter, hostile: Hostile, answer: bytes, problem: str
) -> None:
    error = refused(adapter, hostile, answer)
    assert isinstance(error, InvalidResponse)
    assert error.problem == problem
    assert error.status is not None


def test_a_gateways_page_is_shown_bounded_and_escaped(adapter: Adapter, hostile: Hostile) -> None:
    page = "<html>\x1b[31mBad\r\ngateway" + "x" * 5000
    text = str(refused(adapter, hostile, reply(502, page, HTML)))
    assert "HTTP 502" in text
    assert "Bad" in text
    assert "\x1b" not in text
    assert "\n" not in text
    assert len(text) < 500


@pytest.mark.parametrize("status", [200, 400, 401, 403, 500])
def test_error_wins_over_everything_with_any_status(adapter: Adapter, hostile: Hostile, status: int) -> None:
    members = {"error": "invalid_grant", "error_description": "no", "access_token": "at", "token_type": "Bearer"}
    error = refused(adapter, hostile, reply(status, json=members))
    assert isinstance(error, InvalidGrant)
    assert error.status == status
    assert str(error) == "invalid_grant: no"


@pytest.mark.parametrize("name", ["", 7, [], {}, True])
def test_an_error_that_is_no_text_is_still_an_error(adapter: Adapter, hostile: Hostile, name: Any) -> None:
    members = {"error": name, "error_description": ["x"], "error_uri": 1, "access_token": "at"}
    assert isinstance(refused(adapter, hostile, reply(400, json=members)), ServerError)


def test_an_unknown_error_keeps_its_name(adapter: Adapter, hostile: Hostile) -> None:
    error = refused(adapter, hostile, reply(400, json={"error": "mfa_required"}))
    assert type(error) is ServerError
    assert error.error == "mfa_required"


def test_an_error_description_is_bounded_and_escaped(adapter: Adapter, hostile: Hostile) -> None:
    members = {"error": "invalid_grant", "error_description": "\x1b[2J\r\n" + "x" * 100_000}
    text = str(refused(adapter, hostile, reply(400, json=members)))
    assert "\x1b" not in text
    assert "\n" not in text
    assert len(text) < 600


@pytest.mark.parametrize("value", [None, "", 7, True, [], {"a": 1}, "a b", "a\nb", "ü", "a\x00"])
def test_an_access_token_that_cannot_be_sent_is_refused(adapter: Adapter, hostile: Hostile, value: Any) -> None:
    members = {"access_token": value, "token_type": "Bearer"}
    error = refused(adapter, hostile, reply(json=members))
    assert isinstance(error, InvalidResponse)
    assert error.problem in ("access_token_missing", "access_token_illegal")


@pytest.mark.parametrize("value", ["", 7, [], "mac", "N_A", "Bearer "])
def test_a_token_type_must_be_known(adapter: Adapter, hostile: Hostile, value: Any) -> None:
    error = refused(adapter, hostile, reply(json={"access_token": "at", "token_type": value}))
    assert isinstance(error, InvalidResponse)
    assert error.problem == "token_type_unknown"


def test_a_response_without_a_token_type_has_a_bearer_token(adapter: Adapter, hostile: Hostile) -> None:
    hostile.on("/token", reply(json={"access_token": "at", "expires_in": 60}))
    client = adapter.client(token_endpoint=hostile.token_endpoint)
    assert client.fetch_token()["token_type"] == "Bearer"
    client.get(hostile.url())
    assert hostile.to("/api")[0].token == "at"


@pytest.mark.parametrize("value", ["bearer", "BEARER", "Bearer"])
def test_a_token_type_is_known_in_any_case(adapter: Adapter, hostile: Hostile, value: str) -> None:
    hostile.on("/token", token(token_type=value))
    client = adapter.client(token_endpoint=hostile.token_endpoint)
    fetched = client.fetch_token()
    assert (fetched["token_type"], fetched.token_type) == (value, "Bearer")
    client.token = json.loads(json.dumps(fetched))
    client.get(hostile.url())
    assert hostile.to("/api")[0].header("authorization") == f"Bearer {fetched.access_token}"
    assert client.token == fetched


def test_a_token_that_is_bound_to_a_key_is_never_sent_as_bearer(adapter: Adapter, hostile: Hostile) -> None:
    hostile.on("/token", token(token_type="DPoP"))
    client = adapter.client(token_endpoint=hostile.token_endpoint)
    client.fetch_token()
    with pytest.raises(OAuthError, match="not sent as Bearer"):
        client.get(hostile.url())
    assert hostile.to("/api") == []


@pytest.mark.parametrize(("value", "seconds"), [("60", 60), ("60.0", 60), ('"60"', 60), ("60.5", 60), ("1e2", 100)])
def test_a_number_of_seconds_is_understood_in_every_spelling(
    adapter: Adapter, hostile: Hostile, clock: Clock, value: str, seconds: int
) -> None:
    text = f'{{"access_token":"at","token_type":"Bearer","expires_in":{value}}}'
    hostile.on("/token", reply(200, text, JSON))
    client = adapter.client(token_endpoint=hostile.token_endpoint, clock=clock)
    assert client.fetch_token()["expires_at"] == START + seconds


@pytest.mark.parametrize(
    "value",
    [
        "1e400",
        "-1",
        "true",
        "false",
        "[]",
        "{}",
        "null",
        '""',
        '"soon"',
        '"-1"',
        '"1e3"',
        "0",
        "9e99",
        "99999999999",
    ],
)
def test_an_expiry_that_is_no_number_of_seconds_is_unknown(adapter: Adapter, hostile: Hostile, value: str) -> None:
    text = f'{{"access_token":"at","token_type":"Bearer","expires_in":{value}}}'
    hostile.on("/token", reply(200, text, JSON))
    client = adapter.client(token_endpoint=hostile.token_endpoint)
    fetched = client.fetch_token()
    assert "expires_at" not in fetched
    assert fetched.is_expired() is False
    client.get(hostile.url())
    assert hostile.to("/api")[0].token == "at"


def test_a_server_may_say_the_moment_of_expiry_instead(adapter: Adapter, hostile: Hostile, clock: Clock) -> None:
    hostile.on("/token", token(expires_in=None, expires_at=START + 300, refresh_token="rt-1"), token("at-2"))
    client = adapter.client(token_endpoint=hostile.token_endpoint, clock=clock)
    assert client.fetch_token()["expires_at"] == START + 300
    clock.advance(301)
    client.get(hostile.url())
    assert hostile.to("/api")[0].token == "at-2"


@pytest.mark.parametrize("name", ["refresh_token", "id_token"])
@pytest.mark.parametrize("value", [7, ["x"], "a\x7f", "ü"])
def test_other_tokens_must_be_legal_too(adapter: Adapter, hostile: Hostile, name: str, value: Any) -> None:
    error = refused(adapter, hostile, token(**{name: value}))
    assert isinstance(error, InvalidResponse)
    assert error.problem == f"{name}_illegal"


def test_a_narrowed_scope_is_seen_on_the_token_and_is_no_error(adapter: Adapter, hostile: Hostile) -> None:
    hostile.on("/token", token(scope="read"))
    client = adapter.client(token_endpoint=hostile.token_endpoint, scope="read write")
    fetched = client.fetch_token()
    assert fetched["scope"] == "read"
    assert fetched.scope == "read"


@pytest.mark.parametrize("value", ['a"b', "a\\b", "ü"])
def test_a_scope_with_illegal_characters_is_kept_as_text(adapter: Adapter, hostile: Hostile, value: str) -> None:
    hostile.on("/token", token(scope=value), token("at-2", refresh_token="rt 2"))
    client = adapter.client(token_endpoint=hostile.token_endpoint)
    assert client.fetch_token()["scope"] == value


def test_other_members_are_kept_as_they_came(adapter: Adapter, hostile: Hostile) -> None:
    hostile.on("/token", token(session_state="s", deep={"a": [1, None]}))
    fetched = adapter.client(token_endpoint=hostile.token_endpoint).fetch_token()
    assert fetched["session_state"] == "s"
    assert fetched["deep"] == {"a": [1, None]}


def test_a_wrong_content_type_is_forgiven(adapter: Adapter, hostile: Hostile) -> None:
    hostile.on("/token", reply(200, '{"access_token":"at","token_type":"Bearer"}', HTML))
    assert adapter.client(token_endpoint=hostile.token_endpoint).fetch_token()["access_token"] == "at"


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("header", "seconds"), [("7", 7.0), ("999999999", 3600.0), ("soon", None), ("-1", None), ("9" * 400, 3600.0)]
)
def test_a_busy_server_is_typed_with_a_bounded_retry_after(
    adapter: Adapter, hostile: Hostile, status: int, header: str, seconds: float | None
) -> None:
    error = refused(adapter, hostile, reply(status, "busy", {"Retry-After": header}))
    assert isinstance(error, TemporarilyUnavailable)
    assert error.status == status
    assert error.retry_after == seconds


def test_a_retry_after_that_is_a_date_counts_from_now(adapter: Adapter, hostile: Hostile) -> None:
    hostile.on("/token", reply(503, "", {"Retry-After": "Fri, 15 Jan 2027 08:01:30 GMT"}))
    client = adapter.client(token_endpoint=hostile.token_endpoint, clock=Clock())
    with pytest.raises(TemporarilyUnavailable) as error:
        client.fetch_token()
    assert error.value.retry_after == 90.0


@pytest.mark.parametrize("coding", ["gzip", "x-gzip", "deflate"])
def test_a_compressed_response_is_understood(adapter: Adapter, hostile: Hostile, coding: str) -> None:
    body = gzip.compress(b'{"access_token":"at","token_type":"Bearer"}')
    hostile.on("/token", reply(200, body, {"Content-Encoding": coding}))
    assert adapter.client(token_endpoint=hostile.token_endpoint).fetch_token()["access_token"] == "at"


@pytest.mark.parametrize("coding", ["br", "zstd", "gzip, gzip", "identity, br", "compress"])
@pytest.mark.parametrize("status", [200, 400, 502])
def test_a_content_coding_that_was_not_asked_for_is_refused(
    adapter: Adapter, hostile: Hostile, coding: str, status: int
) -> None:
    error = refused(adapter, hostile, reply(status, b"\x28\xb5\x2f\xfd", {"Content-Encoding": coding}))
    assert isinstance(error, InvalidResponse)
    assert error.problem == "content_coding"


def test_only_gzip_is_asked_for(adapter: Adapter, hostile: Hostile) -> None:
    hostile.on("/token", token())
    adapter.client(token_endpoint=hostile.token_endpoint).fetch_token()
    assert hostile.token_requests[0].header("accept-encoding") == "gzip"
    assert hostile.token_requests[0].header("accept") == "application/json"


@pytest.mark.parametrize("body", [b"no gzip at all", gzip.compress(b"{}" * 500, mtime=0)[:-20], b"\x1f\x8b"])
def test_a_body_that_is_not_in_its_coding_is_refused(adapter: Adapter, hostile: Hostile, body: bytes) -> None:
    error = refused(adapter, hostile, reply(200, body, {"Content-Encoding": "gzip"}))
    assert isinstance(error, InvalidResponse)
    assert error.problem == "content_coding"


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
        b"not http at all\r\n\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        b"\x00\x01\x02\x03",
        b"",
    ],
)
def test_a_broken_http_response_is_a_transport_error_that_keeps_its_cause(
    adapter: Adapter, hostile: Hostile, answer: bytes
) -> None:
    def write_and_hang_up(exchange: Any) -> None:
        exchange.send(answer)

    hostile.on("/token", write_and_hang_up)
    client = adapter.client(token_endpoint=hostile.token_endpoint)
    with pytest.raises(OAuthError) as error:
        client.fetch_token()
    assert isinstance(error.value, TransportError)
    assert error.value.retryable is False
    assert error.value.__cause__ is not None
    assert client.token is None

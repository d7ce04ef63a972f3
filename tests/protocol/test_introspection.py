"""What the server says a token is worth; an answer that does not say is no answer (RFC 7662)."""

import json
from typing import Any

import pytest

from doorkey.errors import InvalidClient, InvalidResponse, TemporarilyUnavailable, UsageError
from doorkey.protocol.introspection import Introspection, introspection_request, parse_introspection
from doorkey.values import Secret
from doorkey.wire.messages import Request, Response

URL = "https://server.example.com/introspect"
TOKEN = Secret("mF_9.B5f-4.1JqM")
ACCEPT = ("Accept", "application/json")


def test_the_request_is_that_of_rfc_7662_section_2_1() -> None:
    assert introspection_request(URL, TOKEN, "access_token") == Request(
        "POST", URL, (ACCEPT,), (("token", "mF_9.B5f-4.1JqM"), ("token_type_hint", "access_token"))
    )
    assert introspection_request(URL, TOKEN).content == b"token=mF_9.B5f-4.1JqM"


def test_further_parameters_and_headers_are_added_and_override_nothing() -> None:
    request = introspection_request(URL, TOKEN, None, [("x", "1")], headers=[("accept", "application/jwt")])
    assert request.content == b"token=mF_9.B5f-4.1JqM&x=1"
    assert request.headers == (("accept", "application/jwt"),)
    with pytest.raises(UsageError, match="'token' is reserved: the introspection request"):
        introspection_request(URL, TOKEN, None, [("token", "other")])


@pytest.mark.parametrize("token", ["", "é", "a\r\nb"])
def test_what_is_no_token_is_not_asked_about(token: str) -> None:
    with pytest.raises(UsageError, match="visible ASCII"):
        introspection_request(URL, Secret(token))


def test_a_token_is_not_sent_to_an_endpoint_that_cannot_be() -> None:
    with pytest.raises(UsageError, match="introspection endpoint"):
        introspection_request("http://server.example.com/introspect", TOKEN)


def test_the_answer_of_rfc_7662_section_2_2_is_a_mapping_that_says_active() -> None:
    members = {"active": True, "client_id": "l238j323ds-23ij4", "exp": 1419356238, "extension_field": "twenty-seven"}
    got = parse_introspection(Response(200, (), json.dumps(members).encode()))
    assert isinstance(got, Introspection)
    assert got == members
    assert got.active
    assert got.json() == members
    assert got.json() is not got


def test_a_token_that_is_not_active_is_not() -> None:
    assert not parse_introspection(Response(200, (), b'{"active": false}')).active


@pytest.mark.parametrize("active", [None, "true", 1, 0, [True], {}])
def test_an_answer_that_does_not_say_active_true_or_false_denies(active: Any) -> None:
    with pytest.raises(InvalidResponse) as caught:
        parse_introspection(Response(200, (), json.dumps({"active": active}).encode()))
    assert (caught.value.problem, caught.value.status) == ("active_missing", 200)


@pytest.mark.parametrize(
    ("response", "error"),
    [
        (Response(401, (), b'{"error": "invalid_client"}'), InvalidClient),
        (Response(503, (("Retry-After", "5"),)), TemporarilyUnavailable),
        (Response(500, (), b'{"active": true}'), InvalidResponse),
        (Response(200, (), b'{"active": true, "active": false}'), InvalidResponse),
        (Response(200, (), b""), InvalidResponse),
    ],
)
def test_an_introspection_that_fails_denies(response: Response, error: type[Exception]) -> None:
    with pytest.raises(error):
        parse_introspection(response, 1_800_000_000.0)

"""What the server says a token is worth; an answer that does not say is no answer (RFC 7662)."""

import json
from typing import Any

import pytest

from doorkey.errors import InvalidClient, InvalidResponse, TemporarilyUnavailable, UsageError, VerificationError
from doorkey.protocol.introspection import (
    JWT_MEDIA_TYPE,
    Introspection,
    introspection_request,
    parse_introspection,
    parse_signed,
    signed_response,
)
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
def test_a_value_that_is_not_a_token_is_not_asked_about(token: str) -> None:
    with pytest.raises(UsageError, match="visible ASCII"):
        introspection_request(URL, Secret(token))


def test_a_token_is_not_sent_to_an_endpoint_that_cannot_be() -> None:
    with pytest.raises(UsageError, match="introspection endpoint"):
        introspection_request("http://server.example.com/introspect", TOKEN)


def test_the_response_of_rfc_7662_section_2_2_is_a_mapping_that_says_active() -> None:
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
def test_a_response_that_does_not_say_active_true_or_false_denies(active: Any) -> None:
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


ISSUER, NOW = "https://server.example.com", 1_700_000_000
SIGNED: dict[str, Any] = {
    "iss": ISSUER,
    "aud": "https://rs.example.com/resource",
    "iat": NOW,
    "token_introspection": {"active": True, "scope": "read"},
}


def signed(claims: dict[str, Any]) -> Introspection:
    recipients = ("client-of-the-api", "https://rs.example.com/resource")
    return parse_signed(claims, issuer=ISSUER, recipients=recipients, now=NOW, leeway=60)


def test_a_signed_response_is_the_jwt_in_its_body() -> None:
    media_type = (("Content-Type", f"{JWT_MEDIA_TYPE}; charset=utf-8"),)
    assert signed_response(Response(200, media_type, b"a.b.c\n")) == "a.b.c"
    assert signed_response(Response(200, media_type, b"\xff.b.c")) == "\ufffd.b.c"


def test_a_response_that_is_not_signed_does_not_replace_one_that_was_requested() -> None:
    plain = Response(200, (("Content-Type", "application/json"),), b'{"active": true}')
    with pytest.raises(InvalidResponse) as caught:
        signed_response(plain)
    assert caught.value.problem == "not_signed"
    with pytest.raises(InvalidClient):
        signed_response(Response(401, (("Content-Type", JWT_MEDIA_TYPE),), b'{"error": "invalid_client"}'))
    with pytest.raises(TemporarilyUnavailable):
        signed_response(Response(503, (), b"busy"))


def test_the_members_of_a_signed_response_are_in_its_claim() -> None:
    assert signed(SIGNED) == {"active": True, "scope": "read"}
    assert signed({**SIGNED, "aud": ["other", "client-of-the-api"], "exp": NOW + 1}).active is True


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("iss", "https://mallory.example"),
        ("aud", "another-api"),
        ("aud", 5),
        ("iat", NOW + 3600),
        ("iat", "now"),
        ("exp", NOW - 3600),
        ("token_introspection", {"active": "true"}),
        ("token_introspection", ["active"]),
    ],
)
def test_a_signed_response_of_another_server_or_for_another_api_is_rejected(name: str, value: object) -> None:
    with pytest.raises(VerificationError) as caught:
        signed({**SIGNED, name: value})
    assert caught.value.claim == name


def test_a_signed_response_whose_issuer_differs_by_a_slash_is_rejected_and_the_slash_is_named() -> None:
    with pytest.raises(VerificationError, match="differ by a slash"):
        signed({**SIGNED, "iss": f"{ISSUER}/"})


@pytest.mark.parametrize("name", SIGNED)
def test_a_signed_response_has_all_its_claims(name: str) -> None:
    with pytest.raises(VerificationError) as caught:
        signed({key: value for key, value in SIGNED.items() if key != name})
    assert caught.value.claim == name

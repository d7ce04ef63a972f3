"""Apple's client secret, and the name that its callback brings at the first login."""

from __future__ import annotations

import json
from urllib.parse import parse_qs

import pytest

from doorkey.errors import UsageError
from doorkey.jose import JsonWebToken
from doorkey.jose.generation import generate_key
from doorkey.jose.keys import ECKey
from doorkey.login.presets import AppleClientSecret
from doorkey.login.presets.apple import apple_callback_claims
from doorkey.login.presets.linkedin import linkedin_client_auth
from doorkey.protocol.client_identity import ClientIdentity
from doorkey.values import Secret

KEY = generate_key("ES256")
APPLE = AppleClientSecret(team_id="TEAM123456", key_id="KEY1234567", private_key=KEY)
CLIENT = ClientIdentity("com.example.web", None, "https://appleid.apple.com", 1_700_000_000.9)
URL = "https://appleid.apple.com/auth/token"


def test_the_client_secret_is_a_fresh_jwt_with_the_claims_that_apple_documents() -> None:
    signed = APPLE(CLIENT, "POST", URL, {}, "grant_type=authorization_code&code=c")
    assert isinstance(signed, tuple)
    form = parse_qs(str(signed[2]))
    assert form["client_id"] == ["com.example.web"]
    claims = JsonWebToken(["ES256"]).decode(
        form["client_secret"][0], ECKey.import_key(KEY.as_dict(), {"kid": "KEY1234567"})
    )
    assert claims.header["kid"] == "KEY1234567"
    assert dict(claims) == {
        "iss": "TEAM123456",
        "sub": "com.example.web",
        "aud": "https://appleid.apple.com",
        "iat": 1_700_000_000,
        "exp": 1_700_000_300,
    }


def test_the_client_secret_never_goes_into_a_url() -> None:
    with pytest.raises(UsageError):
        APPLE(CLIENT, "GET", URL, {}, "")


def test_the_client_authentication_shows_and_gives_away_no_key() -> None:
    assert repr(APPLE) == "<AppleClientSecret>"
    with pytest.raises(UsageError):
        APPLE.__reduce_ex__(4)


@pytest.mark.parametrize(
    ("user", "expected"),
    [
        (
            {"name": {"firstName": "Ada", "lastName": "Lovelace"}, "email": "other@example.com"},
            {"given_name": "Ada", "family_name": "Lovelace", "name": "Ada Lovelace"},
        ),
        ({"name": {"firstName": "Ada", "lastName": " "}}, {"given_name": "Ada", "name": "Ada"}),
        ({"name": {"firstName": 1}}, {}),
        ({"name": "Ada"}, {}),
        ({}, {}),
    ],
)
def test_the_callback_brings_a_name_and_never_an_address(user: object, expected: dict[str, str]) -> None:
    assert apple_callback_claims({"user": json.dumps(user), "code": "c"}) == expected


@pytest.mark.parametrize(
    "user", [None, 7, "not json", "[]", '{"name":{}', '{"name":' * 1000, '{"a":1,"a":2}', "\ud800"]
)
def test_a_malformed_user_is_no_error(user: object) -> None:
    assert apple_callback_claims({"user": user}) == {}
    assert apple_callback_claims({}) == {}


def test_a_huge_user_is_not_read() -> None:
    assert apple_callback_claims({"user": json.dumps({"name": {"firstName": "A" * 4096}})}) == {}


def test_linkedin_gets_the_secret_and_no_code_verifier() -> None:
    client = ClientIdentity("my-app", Secret("my-secret"), "https://www.linkedin.com", 0)
    body = "grant_type=authorization_code&code=c%20d&code_verifier=v&redirect_uri=https%3A%2F%2Fapp.example%2Fcb"
    _, _, signed = linkedin_client_auth(client, "POST", "https://www.linkedin.com/oauth/v2/accessToken", {}, body)
    assert parse_qs(str(signed)) == {
        "grant_type": ["authorization_code"],
        "code": ["c d"],
        "redirect_uri": ["https://app.example/cb"],
        "client_id": ["my-app"],
        "client_secret": ["my-secret"],
    }

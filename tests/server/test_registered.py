"""Which metadata a client may register for itself, and the client that it makes (RFC 7591 §2)."""

from typing import Any

import pytest

from doorkey.errors import ServerError
from doorkey.protocol.grants import TOKEN_EXCHANGE
from doorkey.server.registered import MAX_LIST, MAX_URI, Registration, accepted, client_of, redirect_uri_problem
from doorkey.values import Secret

CALLBACK = "https://app.example/cb"
PUBLIC_KEY = {"kty": "EC", "crv": "P-256", "x": "abc", "y": "def"}


def test_what_is_not_sent_has_the_defaults_of_rfc_7591() -> None:
    assert accepted({"redirect_uris": [CALLBACK]}) == {
        "redirect_uris": [CALLBACK],
        "token_endpoint_auth_method": "client_secret_basic",
        "grant_types": ["authorization_code"],
        "response_types": ["code"],
    }


def test_a_member_that_is_not_known_or_null_is_ignored() -> None:
    sent = {
        "redirect_uris": [CALLBACK],
        "color": "red",
        "client_name": None,
        "backchannel_logout_uri": "http://10.0.0.1/",
    }
    assert accepted(sent) == accepted({"redirect_uris": [CALLBACK]})


def test_pkce_and_the_consent_of_each_user_are_required_of_such_a_client() -> None:
    client = client_of("c", accepted({"redirect_uris": [CALLBACK]}), Secret("s"))
    assert client.require_pkce
    assert client.require_consent
    assert client.web_origins == ("https://app.example",)
    assert client.grants == {"authorization_code"}


def test_a_scope_that_is_registered_is_all_that_the_client_may_request() -> None:
    client = client_of("c", accepted({"redirect_uris": [CALLBACK], "scope": "openid email"}), Secret("s"))
    assert (client.default_scopes, client.optional_scopes) == (("email",), ("openid",))


@pytest.mark.parametrize(
    "uri",
    [
        *(CALLBACK, "http://127.0.0.1/cb", "http://127.0.0.1:8000/cb", "http://[::1]/cb", "http://localhost/cb"),
        *("com.example.app:/cb", "com.example.app://callback"),
    ],
)
def test_a_redirect_uri_of_a_web_or_native_application_is_accepted(uri: str) -> None:
    assert redirect_uri_problem(uri) is None
    assert accepted({"redirect_uris": [uri]})["redirect_uris"] == [uri]


@pytest.mark.parametrize(
    "uri",
    [
        *("http://app.example/cb", "http://127.0.0.1.evil.example/cb", "http://localhost.evil.example/"),
        *("https://app.example/cb#f", "https://app.example/*", "http://127.0.0.1/*", "https://u@app.example/"),
        *("javascript:alert(1)", "data:text/html,x", "myapp://cb", "/cb", "", "https://", "https://a b/"),
        *("com.example.app://[", "com.example.app://[x]/cb", "https://["),
        *("https://app.example\\@evil.example/", "https://app.example/é", "https://app.example/" + "c" * MAX_URI),
    ],
)
def test_a_redirect_uri_that_could_lead_elsewhere_is_not(uri: str) -> None:
    with pytest.raises(ServerError) as caught:
        accepted({"redirect_uris": [CALLBACK, uri]})
    assert (caught.value.error, caught.value.status) == ("invalid_redirect_uri", 400)


@pytest.mark.parametrize("uris", [None, [], "https://app.example/cb", [5], [CALLBACK] * (MAX_LIST + 1)], ids=str)
def test_redirect_uris_are_a_bounded_list_and_a_code_needs_one(uris: Any) -> None:
    with pytest.raises(ServerError) as caught:
        accepted({"redirect_uris": uris})
    assert caught.value.error == "invalid_redirect_uri"


@pytest.mark.parametrize(
    "wrong",
    [
        {"grant_types": ["password"]},
        {"grant_types": [TOKEN_EXCHANGE]},
        {"grant_types": "authorization_code"},
        {"grant_types": ["client_credentials"], "token_endpoint_auth_method": "none"},
        {"response_types": ["code id_token"]},
        {"response_types": ["token"]},
        {"grant_types": ["client_credentials"], "response_types": ["code"]},
        {"token_endpoint_auth_method": "tls_client_auth"},
        {"token_endpoint_auth_method": 5},
        {"token_endpoint_auth_method": "private_key_jwt"},
        {"jwks": "keys"},
        {"jwks": {"keys": "none"}},
        {"jwks": {"keys": ["key"]}},
        {"jwks": {"keys": [{**PUBLIC_KEY, "d": "private"}]}},
        {"jwks": {"keys": [{"kty": "oct", "k": "secret"}]}},
        {"jwks": {"keys": [PUBLIC_KEY] * (MAX_LIST + 1)}},
        {"jwks_uri": "http://169.254.169.254/latest"},
        {"sector_identifier_uri": "https://app.example/"},
        {"scope": "openid admin"},
        {"client_name": ["a"]},
        {"client_name": "x" * 17_000},
        {"post_logout_redirect_uris": ["javascript:alert(1)"]},
        {"id_token_signed_response_alg": "none"},
        {"id_token_encrypted_response_enc": "A128GCM"},
        {"token_endpoint_auth_method": "none", "id_token_signed_response_alg": "HS256"},
    ],
    ids=lambda wrong: str(wrong)[:60],
)
def test_metadata_that_cannot_be_is_refused_by_name(wrong: dict[str, Any]) -> None:
    with pytest.raises(ServerError) as caught:
        accepted({"redirect_uris": [CALLBACK], **wrong})
    assert (caught.value.error, caught.value.status) == ("invalid_client_metadata", 400)
    assert caught.value.description


def test_no_software_statement_is_approved() -> None:
    with pytest.raises(ServerError) as caught:
        accepted({"redirect_uris": [CALLBACK], "software_statement": "e30.e30."})
    assert caught.value.error == "unapproved_software_statement"


def test_a_record_is_the_registration_again_and_shows_no_secret() -> None:
    metadata = accepted({"redirect_uris": [CALLBACK], "jwks": {"keys": [PUBLIC_KEY]}})
    kept = Registration(client_id="c", metadata=metadata, token="digest", issued_at=7, secret=Secret("s3cr3t"))
    assert Registration.decoded(kept.encoded()) == kept
    assert "s3cr3t" not in repr(kept)
    assert kept.client.secret == Secret("s3cr3t")

"""The places that programs import from, by specification or by habit: the same objects, not copies."""

import pytest

from doorkey import client, errors, tokens
from doorkey.integrations import base_client, httpx_client, requests_client
from doorkey.integrations.base_client import errors as base_errors
from doorkey.oauth2 import rfc6749, rfc7523
from doorkey.protocol import client_assertion

EXPORTED: list[str] = list(vars(rfc6749)["__all__"])


@pytest.mark.parametrize("name", [name for name in EXPORTED if name != "OAuth2Token"])
def test_the_errors_of_rfc_6749_are_our_errors(name: str) -> None:
    assert getattr(rfc6749, name) is getattr(errors, name)


def test_the_token_of_rfc_6749_and_the_methods_of_rfc_7523_are_ours() -> None:
    assert rfc6749.OAuth2Token is tokens.OAuth2Token
    assert rfc7523.PrivateKeyJWT is client_assertion.PrivateKeyJWT
    assert rfc7523.ClientSecretJWT is client_assertion.ClientSecretJWT


def test_the_names_of_jose_are_found_when_they_are_asked_for() -> None:
    from doorkey import jose
    from doorkey.jose import JsonWebKey, JsonWebToken, JWTClaims, claims, jwt

    assert isinstance(jwt, JsonWebToken)
    assert JWTClaims is claims.JWTClaims
    assert JsonWebKey.import_key("s" * 32).kty == "oct"
    assert set(jose.__all__) <= set(dir(jose))
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = jose.nonsense


@pytest.mark.parametrize("place", [base_client, base_errors, requests_client, httpx_client])
@pytest.mark.parametrize("name", base_errors.__all__)
def test_every_integration_exports_the_errors(place: object, name: str) -> None:
    assert getattr(place, name) is getattr(errors, name)


def test_the_old_place_of_a_session_is_the_session() -> None:
    assert client.OAuth2Session is requests_client.OAuth2Session

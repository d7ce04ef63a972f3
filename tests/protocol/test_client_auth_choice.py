"""Which client authentication method is used when the user names none, or several."""

from typing import Any

import pytest

from doorkey.protocol.client_auth import none
from doorkey.protocol.client_auth_choice import chosen_method, default_methods, supported
from doorkey.values import Secret

PEM = "-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----\n"
JWK = '{"kty": "EC", "crv": "P-256"}'


@pytest.mark.parametrize("credential", [None, Secret(""), "", b""])
def test_a_client_without_a_secret_is_public(credential: object) -> None:
    assert default_methods(credential) == ("none",)


@pytest.mark.parametrize("credential", [Secret("s"), Secret("aB/c+d=="), b"bytes", "text"])
def test_a_secret_is_sent_in_the_header_or_in_the_body(credential: object) -> None:
    assert default_methods(credential) == ("client_secret_basic", "client_secret_post")


@pytest.mark.parametrize(
    "credential", [Secret(PEM), Secret(JWK), PEM.encode(), JWK.encode(), {"kty": "EC"}, object(), bytearray(b"k")]
)
def test_a_key_signs(credential: object) -> None:
    assert default_methods(credential) == ("private_key_jwt",)


@pytest.mark.parametrize(
    ("preferred", "supported", "chosen"),
    [
        (("a", "b"), None, "a"),
        (("a", "b"), "b", "a"),
        (("a", "b"), ["c", "b"], "b"),
        (("a", "b"), ["c"], "a"),
        (("a", none), ["c"], none),
        ((none, "a"), ["a"], none),
    ],
)
def test_the_first_preferred_method_that_the_server_supports_is_chosen(
    preferred: Any, supported: object, chosen: object
) -> None:
    assert chosen_method(preferred, supported) == chosen


def test_another_endpoint_has_its_own_list_or_that_of_the_token_endpoint() -> None:
    metadata = {"token_endpoint_auth_methods_supported": ["a"], "revocation_endpoint_auth_methods_supported": ["b"]}
    for kind, expected in (("token", ["a"]), ("introspection", ["a"]), ("revocation", ["b"])):
        assert supported(metadata, kind, "auth_methods") == expected
    assert supported({}, "token", "auth_methods") is None


def test_the_algorithms_of_client_assertions_are_listed_in_the_same_way() -> None:
    metadata = {"token_endpoint_auth_signing_alg_values_supported": ["PS256"]}
    assert supported(metadata, "introspection", "auth_signing_alg_values") == ["PS256"]
    assert supported(metadata, "token", "auth_methods") is None

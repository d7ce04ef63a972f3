"""`JsonWebKey`: the methods that programs written for Authlib call."""

from typing import Any

import pytest

from doorkey.errors import UsageError
from doorkey.jose import JsonWebKey, jwt

TYPES: dict[str, tuple[str | int, str]] = {
    "RSA": (2048, "RS256"),
    "EC": ("P-384", "ES384"),
    "OKP": ("Ed25519", "EdDSA"),
    "oct": (256, "HS256"),
}


@pytest.mark.parametrize("kty", TYPES)
def test_a_generated_private_key_signs_what_its_dictionary_verifies(kty: str) -> None:
    from doorkey.jose import JsonWebToken

    crv_or_size, alg = TYPES[kty]
    key = JsonWebKey.generate_key(kty, crv_or_size, is_private=True)
    own = JsonWebToken([alg])
    signed = own.encode({"alg": alg}, {"sub": "alice"}, key)
    assert own.decode(signed, key.as_dict(is_private=True) if kty == "oct" else key.as_dict())["sub"] == "alice"


@pytest.mark.parametrize("kty", ["RSA", "EC", "OKP"])
def test_the_dictionary_of_a_key_is_its_public_half_with_a_kid(kty: str) -> None:
    key = JsonWebKey.generate_key(kty, is_private=True)
    assert "d" not in key.as_dict()
    assert "d" in key.as_dict(is_private=True)
    assert key.as_dict()["kid"] == key.kid == key.jose.thumbprint()
    assert key.as_dict(use="sig")["use"] == "sig"


def test_a_key_that_was_imported_without_a_kid_gets_its_thumbprint() -> None:
    jwk = JsonWebKey.generate_key("EC", is_private=True).as_dict()
    imported = JsonWebKey.import_key({name: value for name, value in jwk.items() if name != "kid"})
    assert imported.kid is None
    assert imported.as_dict() == jwk


def test_options_are_members_of_the_generated_key() -> None:
    key = JsonWebKey.generate_key("EC", "P-256", {"kid": "k-1", "use": "sig"}, True)  # noqa: FBT003  # as in Authlib
    assert (key.kid, key.as_dict()["use"]) == ("k-1", "sig")


def test_without_is_private_only_the_public_half_is_returned() -> None:
    key = JsonWebKey.generate_key("EC")
    with pytest.raises(UsageError, match="private"):
        jwt.encode({"alg": "ES256"}, {"sub": "alice"}, key)
    with pytest.raises(UsageError, match="no private JWK"):
        key.as_dict(is_private=True)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (("PKCS", None), "kty must be one of RSA, EC, OKP, oct"),
        ((7, None), "kty must be text"),
        (("RSA", 1024), "2048 or more"),
        (("RSA", 10**9), "at most 8192"),
        (("RSA", "big"), "whole number"),
        (("EC", "secp256k1"), "P-256, P-384, P-521"),
        (("EC", ["P-256"]), "P-256, P-384, P-521"),
        (("OKP", "P-256"), "Ed25519, Ed448, X25519, X448"),
        (("oct", 8), "128 or more"),
        (("EC", None, 7), "options"),
        (("EC", None, {"crv": "P-384"}), "key"),
    ],
)
def test_a_key_that_cannot_be_generated_is_a_usage_error(given: Any, message: str) -> None:
    generate: Any = JsonWebKey.generate_key
    with pytest.raises(UsageError, match=message):
        generate(*given, is_private=True)


def test_a_shared_secret_has_no_public_half() -> None:
    with pytest.raises(UsageError, match="is_private=True"):
        JsonWebKey.generate_key("oct", 256)
    with pytest.raises(UsageError, match="no public half"):
        JsonWebKey.generate_key("oct", 256, is_private=True).as_dict()

import math
from typing import Any

import pytest

from doorkey.errors import UsageError
from doorkey.jose.generation import generate_key
from doorkey.jose.keys import import_key
from doorkey.jose.signing import sign
from doorkey.jose.verification import unsafe_header, verify

ALGORITHMS = [f"{family}{bits}" for family in ("HS", "RS", "PS", "ES") for bits in (256, 384, 512)] + [
    "EdDSA",
    "Ed25519",
]
KEY = generate_key("ES256")
SECRET = "s" * 64


@pytest.mark.parametrize("alg", ALGORITHMS)
def test_a_token_verifies_with_the_algorithm_that_signed_it(alg: str) -> None:
    key = generate_key(alg)
    token = sign({"iss": "a", "n": 1}, key, alg=alg)
    assert verify(token, key, algorithms=[alg]).claims == {"iss": "a", "n": 1}
    if key.kty != "oct":
        public = import_key(key.public_jwk())
        assert verify(token, public, algorithms=[alg]).claims == {"iss": "a", "n": 1}


def test_the_header_names_the_algorithm_the_type_and_the_key() -> None:
    assert unsafe_header(sign({}, KEY, alg="ES256")) == {"alg": "ES256", "typ": "JWT", "kid": KEY.kid}


def test_the_caller_may_add_to_the_header() -> None:
    header = unsafe_header(sign({}, KEY, alg="ES256", header={"typ": "dpop+jwt", "jwk": KEY.public_jwk()}))
    assert header["typ"] == "dpop+jwt"
    assert header["jwk"] == KEY.public_jwk()


@pytest.mark.parametrize("header", [{"alg": "none"}, {"alg": "HS256"}, {"crit": ["exp"]}, {"b64": False}])
def test_the_caller_may_not_say_another_algorithm_or_extension(header: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        sign({}, KEY, alg="ES256", header=header)


@pytest.mark.parametrize("alg", ["none", "None", "RS257", "", "ES256K"])
def test_an_unknown_algorithm_is_refused(alg: str) -> None:
    with pytest.raises(UsageError):
        sign({}, KEY, alg=alg)


@pytest.mark.parametrize("value", [math.nan, math.inf, {1, 2}, b"bytes", object()])
def test_claims_that_are_not_json_are_refused(value: object) -> None:
    with pytest.raises(UsageError):
        sign({"claim": value}, SECRET, alg="HS256")


def test_claims_without_end_are_refused() -> None:
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(UsageError):
        sign({"claim": endless}, SECRET, alg="HS256")


def test_a_key_that_does_not_fit_is_refused() -> None:
    with pytest.raises(UsageError, match="at least 32 bytes"):
        sign({}, "short", alg="HS256")
    with pytest.raises(UsageError, match="type RSA"):
        sign({}, KEY, alg="PS256")

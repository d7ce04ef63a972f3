"""What an assertion is signed with: checked where it is given."""

from typing import Any

import pytest

from doorkey.errors import UsageError
from doorkey.jose.generation import generate_key
from doorkey.jose.verification import unsafe_header, verify
from doorkey.protocol.assertion_signer import AssertionSigner
from doorkey.wire.flow import run

KEY = generate_key("ES256")


def signer(_: bytes) -> bytes:
    return b"x" * 64


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"signer": 7, "alg": "ES256"}, "signer= must be a callable"),
        ({"signer": signer}, "signer= needs alg="),
        ({"signer": signer, "alg": "ES256", "key": KEY}, "give one of them"),
        ({"signer": signer, "alg": "ES256", "thumbprint_kid": True}, "give kid="),
        ({"alg": 7}, "alg must be text"),
        ({"kid": 7}, "kid must be text"),
        ({"thumbprint_kid": "yes"}, "thumbprint_kid"),
        ({"headers": 7}, "header of an assertion"),
        ({"headers": {"alg": 7}}, "alg must be text"),
    ],
)
def test_a_key_that_cannot_sign_is_a_usage_error_at_construction(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        AssertionSigner(**wrong)


def test_a_key_that_is_passed_signs_in_place_of_the_own_one() -> None:
    other = generate_key("ES256")
    for passed, expected in ((None, KEY), (other, other)):
        token: Any = AssertionSigner(key=KEY).sign({"a": 1}, passed)
        assert verify(token, expected.public_jwk(), algorithms=["ES256"]).claims == {"a": 1}


def test_a_signer_signs_by_the_algorithm_of_the_header_or_of_its_own() -> None:
    several: list[dict[str, Any]] = [
        {"headers": {"alg": "ES256", "x": 1}},
        {"alg": "ES256", "headers": {"alg": "RS256", "x": 1}},
    ]
    for options in several:
        flow: Any = AssertionSigner(signer=signer, kid="k", **options).sign({}, None)
        token = run(flow, pytest.fail)
        assert unsafe_header(token) == {"alg": "ES256", "typ": "JWT", "kid": "k", "x": 1}


def test_the_given_headers_are_not_changed() -> None:
    headers = {"alg": "ES256"}
    AssertionSigner(headers=headers, kid="k")
    assert headers == {"alg": "ES256"}


def test_nothing_of_a_signer_is_shown() -> None:
    assert "PRIVATE" not in repr(AssertionSigner(key="-----BEGIN PRIVATE KEY-----"))

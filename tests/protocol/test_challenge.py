"""Which challenges of an API mean that the token is invalid (RFC 6750 §3.1)."""

import pytest

from doorkey.protocol.challenge import MOST, is_invalid_token

INVALID = [
    'Bearer error="invalid_token"',
    "bearer Error=invalid_token",
    'Bearer realm="a, Basic error=x", error="invalid_token", error_description="The \\"token\\" expired"',
    'Bearer realm="example",error = "invalid_token"',
    'Basic realm="simple", Bearer error="invalid_token"',
    'Negotiate abc==, Bearer error="invalid_token"',
]
OTHER = [
    None,
    "",
    "Bearer",
    'Bearer realm="example"',
    'Bearer error="insufficient_scope", scope="a b"',
    'Basic error="invalid_token"',
    'Bearer realm="x", Basic error="invalid_token"',
    'Bearer error_description="error=invalid_token"',
    'Bearer realm="an open quote, error=invalid_tokens',
    'error="invalid_token"',
    "Bearer error",
    "\x00\u2028=,,==",
]


@pytest.mark.parametrize("challenge", INVALID)
def test_a_bearer_challenge_with_invalid_token_says_that_the_token_is_invalid(challenge: str) -> None:
    assert is_invalid_token(challenge)


@pytest.mark.parametrize("challenge", OTHER)
def test_any_other_challenge_does_not(challenge: str | None) -> None:
    assert not is_invalid_token(challenge)


@pytest.mark.parametrize("piece", ['a="', "a=", '"\\', "a ", ',"', "=" * 9, '\\"a="'])
def test_a_challenge_without_end_is_read_up_to_a_bound(piece: str) -> None:
    assert not is_invalid_token("Bearer " + piece * 1_000_000)
    assert not is_invalid_token("x" * MOST + ', Bearer error="invalid_token"')

"""Challenges: which ones mean that the token is invalid, and how one is written (RFC 6750 §3)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorkey.protocol.challenge import MOST, Challenge, bearer_error, challenge, challenges_in, is_invalid_token

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


def test_the_error_of_a_bearer_challenge_is_read_beside_other_challenges() -> None:
    assert bearer_error('Basic realm="a", Bearer error="insufficient_scope", scope="a b"') == "insufficient_scope"
    assert bearer_error('Basic error="invalid_token", Bearer realm="a"') is None
    assert bearer_error(None) is None


@pytest.mark.parametrize("piece", ['a="', "a=", '"\\', "a ", ',"', "=" * 9, '\\"a="'])
def test_a_challenge_without_end_is_read_up_to_a_bound(piece: str) -> None:
    assert not is_invalid_token("Bearer " + piece * 1_000_000)
    assert not is_invalid_token("x" * MOST + ', Bearer error="invalid_token"')


@given(st.text(), st.text())
def test_no_value_ends_its_string_or_the_header(realm: str, description: str) -> None:
    sent = challenge("Bearer", [("realm", realm), ("error_description", description), ("error", "invalid_token")])
    assert all(" " <= c <= "~" for c in sent)
    assert sent.count('"') == 6
    assert "\\" not in sent
    assert is_invalid_token(sent)


def test_parameters_without_a_value_are_not_sent() -> None:
    assert challenge("Bearer", [("realm", None)]) == "Bearer"
    assert challenge("Bearer", [("realm", 'a "b"\r\n\\é')]) == "Bearer realm=\"a 'b'????\""


def test_the_signs_of_our_messages_are_written_in_ascii() -> None:
    parameters = [("error_description", "send it as Authorization: Bearer … (RFC 6750 §2.1)")]
    expected = "send it as Authorization: Bearer ... (RFC 6750 section 2.1)"
    assert challenge("Bearer", parameters) == f'Bearer error_description="{expected}"'


def test_each_challenge_of_a_header_has_its_own_parameters() -> None:
    value = 'Basic realm="a, b", Bearer Realm="x", error="invalid_token", scope="a b"'
    basic, bearer = challenges_in(value)
    assert basic == Challenge("basic", {"realm": "a, b"})
    assert bearer == Challenge("bearer", {"realm": "x", "error": "invalid_token", "scope": "a b"})


def test_what_a_quoted_value_escapes_is_read_without_the_backslash() -> None:
    assert challenges_in(r'Bearer realm="the \"inner\" one"')[0].parameters == {"realm": 'the "inner" one'}


def test_a_parameter_before_the_first_scheme_is_ignored() -> None:
    assert challenges_in('error="invalid_token", Bearer') == (Challenge("bearer"),)


def test_what_challenge_writes_is_read_again() -> None:
    written = challenge("Bearer", (("error", "invalid_token"), ("scope", None), ("resource_metadata", "https://a/b")))
    assert challenges_in(written) == (
        Challenge("bearer", {"error": "invalid_token", "resource_metadata": "https://a/b"}),
    )

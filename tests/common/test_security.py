"""Random tokens: as many characters as asked for, out of those asked for, never the same."""

import string

import pytest

from doorkey.common.security import UNICODE_ASCII_CHARACTER_SET, generate_token
from doorkey.errors import UsageError


def test_a_token_has_30_letters_and_digits_unless_said_otherwise() -> None:
    token = generate_token()
    assert len(token) == 30
    assert set(token) <= set(UNICODE_ASCII_CHARACTER_SET) == set(string.ascii_letters + string.digits)


def test_no_two_tokens_are_the_same() -> None:
    assert len({generate_token() for _ in range(200)}) == 200


def test_length_and_characters_are_chosen() -> None:
    token = generate_token(500, "ab")
    assert len(token) == 500
    assert set(token) == {"a", "b"}


@pytest.mark.parametrize(("length", "chars"), [(0, "ab"), (-1, "ab"), (8, ""), (8, "aaa")])
def test_what_would_be_no_secret_is_a_usage_error(length: int, chars: str) -> None:
    with pytest.raises(UsageError, match="random token"):
        generate_token(length, chars)

"""Random tokens: as many characters as asked for, out of those asked for, never the same."""

import string
from typing import Any

import pytest

from doorkey.common.security import UNICODE_ASCII_CHARACTER_SET, generate_token, is_secure_transport
from doorkey.errors import UsageError


def test_a_token_has_30_letters_and_digits_by_default() -> None:
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


@pytest.mark.parametrize(
    "url", ["https://a.example", "https://a.example/cb#f", "http://localhost:1/", "http://127.0.0.1", "http://[::1]:8/"]
)
def test_https_is_secure_and_so_is_http_on_loopback(url: str) -> None:
    assert is_secure_transport(url)


@pytest.mark.parametrize(
    "url",
    [
        *("http://a.example", "http://localhost.evil", "http://127.0.0.1.evil", "http://localhost:80@evil.example"),
        *("ftp://a.example", "app://callback", "", "https://", "https://a.example:port", "https://a.example/\n"),
        *(None, 5, b"https://a.example"),
    ],
)
def test_everything_else_is_not_secure(url: Any) -> None:
    assert not is_secure_transport(url)

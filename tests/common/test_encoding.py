"""Text to bytes and back; what cannot be is an error of ours."""

from typing import Any

import pytest

from doorkey.common.encoding import to_bytes, to_unicode
from doorkey.errors import UsageError


@pytest.mark.parametrize(
    ("value", "as_bytes"),
    [
        (None, None),
        (b"\xff", b"\xff"),
        (bytearray(b"a"), b"a"),
        ("é", b"\xc3\xa9"),
        ("", b""),
        (7, b"7"),
        (1.5, b"1.5"),
    ],
)
def test_anything_plain_becomes_bytes(value: Any, as_bytes: bytes | None) -> None:
    assert to_bytes(value) == as_bytes


@pytest.mark.parametrize(
    ("value", "as_text"),
    [(None, None), (b"\xc3\xa9", "é"), (bytearray(b"a"), "a"), ("é", "é"), ("", ""), (7, "7"), (1.5, "1.5")],
)
def test_anything_plain_becomes_text(value: Any, as_text: str | None) -> None:
    assert to_unicode(value) == as_text


def test_the_charset_and_what_becomes_of_errors_are_chosen() -> None:
    assert to_bytes("é", "latin-1") == b"\xe9"
    assert to_unicode(b"\xe9", "latin-1") == "é"
    assert to_bytes("é", "ascii", "ignore") == b""
    assert to_unicode(b"\xff", errors="replace") == "\ufffd"


@pytest.mark.parametrize(("text", "charset"), [("\ud800", "utf-8"), ("é", "ascii"), ("a", "no-such-charset")])
def test_text_that_cannot_be_encoded_is_a_usage_error_that_does_not_show_it(text: str, charset: str) -> None:
    with pytest.raises(UsageError, match="cannot be encoded"):
        to_bytes(text, charset)


@pytest.mark.parametrize(("data", "charset"), [(b"\xff", "utf-8"), (b"a", "no-such-charset")])
def test_bytes_that_cannot_be_decoded_are_a_usage_error_that_does_not_show_them(data: bytes, charset: str) -> None:
    with pytest.raises(UsageError, match="cannot be decoded"):
        to_unicode(data, charset)

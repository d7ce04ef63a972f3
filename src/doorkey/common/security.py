"""Random tokens for `state`, `nonce` and similar values, and a check of URLs for secure transport."""

from __future__ import annotations

import secrets
import string
from typing import Final

from doorkey.arguments import count, text
from doorkey.errors import UsageError
from doorkey.wire.urls import check_endpoint

UNICODE_ASCII_CHARACTER_SET: Final = string.ascii_letters + string.digits

_MOST: Final = 1 << 20
"""The maximum length of a token in characters. A greater number is a mistake."""


def generate_token(length: int = 30, chars: str = UNICODE_ASCII_CHARACTER_SET) -> str:
    """Return a random text of `length` characters from `chars`.

    length: the number of characters, from 1 to 1,048,576; 30 characters of the default `chars` have 178 bits.
    chars: the characters to choose from; at least two must differ.

    Raises `UsageError` for an invalid argument.
    """
    if len(set(text(chars, "chars"))) < 2:
        raise UsageError("a random token needs at least two different characters to choose from")
    if count(length, "the length of a random token") > _MOST:
        raise UsageError(f"a random token has at most {_MOST} characters")
    return "".join(secrets.choice(chars) for _ in range(length))


def is_secure_transport(uri: str) -> bool:
    """Return whether a request to `uri` is protected: an https URL, or http on loopback (RFC 8252 §7.3).

    uri: an absolute URL. A URL with user information, spaces, backslashes or control characters is not secure, because
        programs disagree about its host. A fragment is ignored.

    A host is loopback if it is `localhost` or parses as a loopback address. The result is False for anything else.
    """
    try:
        check_endpoint(text(uri, "a URL").partition("#")[0])
    except UsageError:
        return False
    return True

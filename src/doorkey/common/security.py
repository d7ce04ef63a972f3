"""Random tokens for `state`, `nonce` and the like; which URLs are safe to request."""

from __future__ import annotations

import secrets
import string
from typing import Final

from doorkey.arguments import count, text
from doorkey.errors import UsageError
from doorkey.wire.urls import check_endpoint

UNICODE_ASCII_CHARACTER_SET: Final = string.ascii_letters + string.digits

_MOST: Final = 1 << 20
"""Characters: a greater number was not meant as a length."""


def generate_token(length: int = 30, chars: str = UNICODE_ASCII_CHARACTER_SET) -> str:
    """Return `length` random characters out of `chars`; 30 of the default ones have 178 bits.

    Raises `UsageError` when there is nothing to choose from.
    """
    if len(set(text(chars, "what a random token is made of"))) < 2:
        raise UsageError("a random token needs characters to choose from, two at least")
    if count(length, "the length of a random token") > _MOST:
        raise UsageError(f"a random token has at most {_MOST} characters")
    return "".join(secrets.choice(chars) for _ in range(length))


def is_secure_transport(uri: str) -> bool:
    """Return whether a request to `uri` is protected: an https URL, or http on loopback (RFC 8252 §7.3).

    The host is compared as a name or parsed address. A URL with user information, blanks or control characters is not
    accepted, because programs disagree about its host.
    """
    try:
        check_endpoint(text(uri, "a URL").partition("#")[0])
    except UsageError:
        return False
    return True

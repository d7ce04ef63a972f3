"""Random tokens for `state`, `nonce` and the like."""

from __future__ import annotations

import secrets
import string
from typing import Final

from doorkey.errors import UsageError

UNICODE_ASCII_CHARACTER_SET: Final = string.ascii_letters + string.digits


def generate_token(length: int = 30, chars: str = UNICODE_ASCII_CHARACTER_SET) -> str:
    """Return `length` random characters out of `chars`; 30 of the default ones have 178 bits.

    Raises `UsageError` when there is nothing to choose from.
    """
    if length < 1 or len(set(chars)) < 2:
        raise UsageError("a random token needs a length of at least 1, and characters to choose from")
    return "".join(secrets.choice(chars) for _ in range(length))

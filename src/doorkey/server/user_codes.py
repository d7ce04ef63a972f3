"""User codes: short enough to type on a remote control, and too many to guess (RFC 8628 §6.1)."""

from __future__ import annotations

import secrets
from typing import Final

ALPHABET: Final = "BCDFGHJKLMNPQRSTVWXZ"
"""Twenty letters without vowels, so that no code is a word."""
LENGTH: Final = 8


def new_user_code() -> str:
    """Return a random user code, without its hyphen."""
    return "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))


def formatted(user_code: str) -> str:
    """Return a user code as it is formatted to the user: two groups with a hyphen between them."""
    return f"{user_code[: LENGTH // 2]}-{user_code[LENGTH // 2 :]}"


def normalized(text: str) -> str:
    """Return the user code in `text`, which may have any case and any separators. The code may be invalid."""
    return "".join(letter for letter in text[:100].upper() if letter in ALPHABET)[: LENGTH + 1]

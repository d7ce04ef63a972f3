"""Proof key for code exchange, S256 only (RFC 7636)."""

from __future__ import annotations

import hashlib
import re
import secrets
from base64 import urlsafe_b64encode

from doorkey.errors import UsageError
from doorkey.values import hides_locals

METHOD = "S256"

_VERIFIER = re.compile(r"[A-Za-z0-9\-._~]{43,128}")


def new_verifier() -> str:
    """Return a new code verifier of 384 random bits (RFC 7636 §4.1)."""
    return secrets.token_urlsafe(48)


@hides_locals
def challenge_of(verifier: str) -> str:
    """Return the S256 challenge of a code verifier (RFC 7636 §4.2).

    Raises `UsageError` unless the verifier has 43 to 128 unreserved characters.
    """
    given: object = verifier
    if not isinstance(given, str) or not _VERIFIER.fullmatch(given):
        raise UsageError("a code_verifier must have 43 to 128 characters of A-Z a-z 0-9 - . _ ~ (RFC 7636 §4.1)")
    return urlsafe_b64encode(hashlib.sha256(verifier.encode("ascii")).digest()).rstrip(b"=").decode("ascii")

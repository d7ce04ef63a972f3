"""Reads the input of `doorkey inspect`: a signed token, an encrypted token or an opaque token."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from doorkey.jose.encryption import is_encrypted, unsafe_encrypted_header
from doorkey.jose.errors import DecodeError, UnsupportedAlgorithmError
from doorkey.jose.verification import MAX_BYTES, unsafe_claims, unsafe_header
from doorkey.oidc.core.unsigned import is_unsigned, read_unsigned
from doorkey.values import Secret, hides_locals

_SCHEME: Final = re.compile(r"(?:Authorization:\s*)?(?:Bearer|DPoP)(?:\s+|\Z)", re.IGNORECASE)
_OPAQUE: Final = re.compile(r"[A-Za-z0-9._~+/=-]+")
"""The characters of a bearer token (RFC 6750 §2.1)."""


@dataclass(frozen=True, slots=True)
class SignedToken:
    """A well-formed JWT. Its signature has not been verified."""

    token: Secret
    header: Mapping[str, Any] = field(repr=False)
    claims: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class EncryptedToken:
    """A JWE. Only its header can be read without the recipient's key."""

    token: Secret
    header: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class OpaqueToken:
    """A token that only its issuer can interpret."""

    token: Secret


@hides_locals
def read_token(given: str | bytes) -> SignedToken | EncryptedToken | OpaqueToken:
    """Return the token in `given`. Spaces around it and the scheme of an `Authorization` header are ignored.

    Raises `DecodeError` for a text that cannot be a token, and `UnsupportedAlgorithmError` for a JWT without a
    signature.
    """
    text = _text(given)
    if is_encrypted(text):
        return EncryptedToken(Secret(text), unsafe_encrypted_header(text))
    if is_unsigned(text):
        claims = read_unsigned(text).claims
        raise UnsupportedAlgorithmError(
            "alg", f"is none: the token has no signature, so anyone can have made its {len(claims)} claims"
        )
    if text.count(".") == 2:
        header = unsafe_header(text)
        return SignedToken(Secret(text), header, unsafe_claims(text))
    return OpaqueToken(Secret(text))


def _text(given: str | bytes) -> str:
    if isinstance(given, bytes):
        try:
            given = given.decode("utf-8")
        except UnicodeDecodeError:
            raise DecodeError("token", "is not text: the input is not UTF-8") from None
    if len(given) > MAX_BYTES + 1024:  # before any pattern runs on it
        raise DecodeError("token", f"is too long: it has {len(given)} characters", expected=f"at most {MAX_BYTES}")
    text = given.strip()
    if (scheme := _SCHEME.match(text)) is not None:
        text = text[scheme.end() :]
    if not text:
        raise DecodeError("token", "is empty: pass it as the argument, or pipe it to stdin")
    if _OPAQUE.fullmatch(text) is None:
        raise DecodeError("token", "has characters that are not allowed in a token (RFC 6750 §2.1)")
    return text

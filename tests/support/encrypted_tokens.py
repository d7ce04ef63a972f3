"""Encrypted tokens that no correct program makes, and the errors that they cause."""

import json
from base64 import urlsafe_b64encode
from typing import Any

import pytest
from joserfc import jwe

from doorkey.errors import OAuthError, UsageError, VerificationError
from doorkey.jose.encryption import decrypt
from doorkey.jose.encryption_algorithms import MANAGEMENT

EVERY = (*MANAGEMENT, "DEF")
FAILED = "token cannot be decrypted with these keys"


def b64(data: bytes | dict[str, Any]) -> str:
    raw = json.dumps(data).encode() if isinstance(data, dict) else data
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def refused(token: str, keys: object, algorithms: Any = EVERY, **options: Any) -> OAuthError:
    """The error of a token that is not decrypted."""
    with pytest.raises((VerificationError, UsageError)) as caught:
        decrypt(token, keys, algorithms=algorithms, **options)
    return caught.value


def changed(token: str, part: int, value: str) -> str:
    """The token with another one of its five parts."""
    parts = token.split(".")
    parts[part] = value
    return ".".join(parts)


def with_header(
    header: dict[str, Any], content: bytes, cek: bytes, *, encrypted_key: bytes = b"", iv: bytes = b"i" * 12
) -> str:
    """A token with A128GCM that says anything in its header; without an `encrypted_key`, one of direct encryption."""
    encoded = b64(header)
    enc = jwe.JWERegistry.algorithms["enc"]["A128GCM"]
    ciphertext, tag = enc.encrypt(content, cek, iv, encoded.encode())
    return ".".join([encoded, b64(encrypted_key), b64(iv), b64(ciphertext), b64(tag)])

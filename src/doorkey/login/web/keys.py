"""The keys of the login's cookies and records, derived from the secrets of the application (RFC 5869)."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from typing import Final

from doorkey.arguments import texts
from doorkey.errors import UsageError
from doorkey.stores.encryption import Sealer
from doorkey.values import Secret, hides_locals

LEAST: Final = 32
"""The minimum characters of a secret. The holder of a cookie can try secrets, and could guess a short secret."""

_WHAT: Final = (
    'secret= must be text of at least 32 random characters: python -c "import secrets; print(secrets.token_hex())"'
)


@hides_locals
def secrets_of(given: str | Secret | Iterable[str]) -> tuple[Secret, ...]:
    """Return the secrets of an application. The first one encrypts, all of them decrypt. Raises `UsageError`."""
    values = (given,) if isinstance(given, Secret) else tuple(Secret(one) for one in texts(given, "secret"))
    if not values or any(len(one.reveal()) < LEAST for one in values):
        raise UsageError(_WHAT)
    return values


@hides_locals
def sealer_of(secrets: tuple[Secret, ...], use: str) -> Sealer:
    """Return the sealer for one `use`, such as "cookies". Each use has its own keys."""
    keys: dict[str, bytes] = {}
    for secret in secrets:
        name = derived(secret, f"{use} key id")[:6].hex()
        keys.setdefault(name, derived(secret, f"{use} key"))
    return Sealer(keys, next(iter(keys)), context=f"doorkey login {use}")


@hides_locals
def derived(secret: Secret, info: str) -> bytes:
    """Return 32 bytes for `info`: HKDF with SHA-256, without a salt (RFC 5869 §2)."""
    extracted = hmac.digest(bytes(32), secret.reveal().encode("utf-8", "surrogatepass"), hashlib.sha256)
    return hmac.digest(extracted, f"doorkey login {info}".encode() + b"\x01", hashlib.sha256)

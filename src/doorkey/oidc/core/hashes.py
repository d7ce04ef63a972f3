"""`at_hash`, `c_hash`, `s_hash`: hashes of the values that come with an ID token (OIDC Core §3.1.3.6, §3.3.2.11)."""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from typing import Any, Final

from doorkey.errors import VerificationError
from doorkey.values import Secret

_HASHES: Final[Mapping[str, Callable[[bytes], bytes]]] = {
    **{f"{family}256": lambda data: hashlib.sha256(data).digest() for family in ("HS", "RS", "PS", "ES")},
    **{f"{family}384": lambda data: hashlib.sha384(data).digest() for family in ("HS", "RS", "PS", "ES")},
    **{f"{family}512": lambda data: hashlib.sha512(data).digest() for family in ("HS", "RS", "PS", "ES")},
    # The hash of the signature itself (RFC 8032 §5.1, §5.2). All known servers use `EdDSA` with Ed25519 only.
    **{name: lambda data: hashlib.sha512(data).digest() for name in ("EdDSA", "Ed25519")},
    "Ed448": lambda data: hashlib.shake_256(data).digest(114),
}


def half_hash(value: str, alg: object) -> str:
    """Return the left half of the hash of `value` in base64url, by the hash function of the signature algorithm `alg`.

    Raises `VerificationError` for an algorithm without a known hash function, because the claim cannot be compared.
    """
    hashed = _HASHES.get(alg) if isinstance(alg, str) else None
    if hashed is None:
        raise VerificationError("alg", "defines no hash function for at_hash, c_hash and s_hash")
    digest = hashed(value.encode("utf-8", "replace"))
    return urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=").decode("ascii")


def check_hash(claims: Mapping[str, Any], name: str, value: Secret, alg: object) -> None:
    """Raise `VerificationError` unless the claim `name` is the half hash of `value`. Compares in constant time."""
    found = claims.get(name)
    if not isinstance(found, str) or Secret(found) != Secret(half_hash(value.reveal(), alg)):
        raise VerificationError(name, "does not match the token, code or state that came with the ID token")

"""`JsonWebKey`: reading keys by the name that programs know (RFC 7517)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from doorkey.jose.keys import Key, import_key, import_key_set


class JsonWebKey:
    """Reads keys. What it returns is accepted wherever doorkey wants a key or keys."""

    __slots__ = ()

    @staticmethod
    def import_key(raw: object) -> Key:
        """Return the key that PEM, a JWK, a shared secret or a key object holds. Raises `UsageError` for none."""
        return import_key(raw)

    @staticmethod
    def generate_key(
        kty: str,
        crv_or_size: str | int | None = None,
        options: Mapping[str, Any] | None = None,
        is_private: bool = False,  # programs give it by position
    ) -> Key:
        """Return a new key, with its thumbprint as `kid` (RFC 7638) unless `options` name another.

        `kty` is `RSA`, `EC`, `OKP` or `oct`. `crv_or_size` is a curve (`P-256`, `Ed25519`, …), or a size in bits (2048
        or more for RSA). `options` are further members of the JWK, such as `kid`, `use` and `alg`. `is_private`: return
        the private key; otherwise only its public half, with which nothing can be signed. Raises `UsageError`.
        """
        from doorkey.jose.generation import generate_key_of_type

        return generate_key_of_type(kty, crv_or_size, options or {}, private=is_private)

    @staticmethod
    def import_key_set(raw: object) -> tuple[Key, ...]:
        """Return the public keys of a JWK Set, given as a mapping, a list or JSON.

        Those that are odd, private or symmetric are ignored. Raises `UsageError` if it is no set at all (RFC 7517 §5).
        """
        return import_key_set(raw)

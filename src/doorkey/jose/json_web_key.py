"""`JsonWebKey`: reading keys by the name that programs know (RFC 7517)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from doorkey.jose.key_set import KeySet
from doorkey.jose.keys import Key, generated_key, import_key, import_key_set, with_members
from doorkey.values import clears_locals


class JsonWebKey:
    """Reads keys. Each parameter for keys accepts the results."""

    __slots__ = ()

    @staticmethod
    @clears_locals
    def import_key(raw: object, options: Mapping[str, Any] | None = None) -> Key:
        """Return the key that PEM, a JWK, a shared secret or a key object holds, as an `RSAKey`, `ECKey`, ….

        options: further members of its JWK, such as `kid` and `use`; a `kty` is compared with that of the key.

        Raises `UsageError` for a value that is not a key.
        """
        return with_members(import_key(raw), options)

    @staticmethod
    @clears_locals
    def generate_key(
        kty: str,
        crv_or_size: str | int | None = None,
        options: Mapping[str, Any] | None = None,
        is_private: bool = False,  # programs give it by position
    ) -> Key:
        """Return a new key, with its thumbprint as `kid` (RFC 7638) unless `options` name another.

        kty: `RSA`, `EC`, `OKP` or `oct`.
        crv_or_size: a curve (`P-256`, `Ed25519`, `X25519`, …), or a size in bits (2048 or more for RSA).
        options: further members of the JWK, such as `kid`, `use` and `alg`.
        is_private: whether to return the private key; otherwise its public half, with which nothing can be signed.

        Raises `UsageError`.
        """
        return generated_key(kty, crv_or_size, options, private=is_private)

    @staticmethod
    @clears_locals
    def import_key_set(raw: object) -> KeySet:
        """Return the public keys of a JWK Set, given as a mapping, a list or JSON.

        Those that are odd, private or symmetric are ignored. Raises `UsageError` if it is no set at all (RFC 7517 §5).
        """
        return KeySet(import_key_set(raw))

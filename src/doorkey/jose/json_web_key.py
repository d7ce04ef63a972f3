"""`JsonWebKey`: reads and generates keys, with the names of Authlib (RFC 7517)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from doorkey.jose.key_set import KeySet
from doorkey.jose.keys import Key, generated_key, import_key, import_key_set, with_members
from doorkey.values import clears_locals


class JsonWebKey:
    """Reads and generates keys. Every parameter for keys in this package accepts the results."""

    __slots__ = ()

    @staticmethod
    @clears_locals
    def import_key(raw: object, options: Mapping[str, Any] | None = None) -> Key:
        """Return the key in `raw` as an `RSAKey`, `ECKey`, `OKPKey` or `OctKey`.

        raw: PEM, a JWK, a shared secret or a key object, as `doorkey.jose.keys.import_key` reads it.
        options: further members of its JWK, such as `kid` and `use`. A `kty` must be that of the key.

        Raises `UsageError` for a value that is not a key, and for a `kty` of another type.
        """
        return with_members(import_key(raw), options)

    @staticmethod
    @clears_locals
    def generate_key(
        kty: str,
        crv_or_size: str | int | None = None,
        options: Mapping[str, Any] | None = None,
        is_private: bool = False,  # programs pass it by position
    ) -> Key:
        """Return a new key. Its `kid` is its thumbprint (RFC 7638), unless `options` have a `kid`.

        kty: `RSA`, `EC`, `OKP` or `oct`.
        crv_or_size: a curve (`P-256`, `Ed25519`, `X25519`, …), or a size in bits (2048 or more for RSA).
        options: further members of the JWK, such as `kid`, `use` and `alg`.
        is_private: True for the private key; False for its public half, which cannot sign.

        Raises `UsageError` for an unknown type, curve or size, and for the public half of an `oct` key.
        """
        return generated_key(kty, crv_or_size, options, private=is_private)

    @staticmethod
    @clears_locals
    def import_key_set(raw: object) -> KeySet:
        """Return the public keys of a JWK Set (RFC 7517 §5).

        raw: the set, as a mapping, a list of JWKs or JSON.

        Malformed, private and symmetric keys are ignored. Raises `UsageError` if the value is not a JWK Set.
        """
        return KeySet(import_key_set(raw))

"""Generates keys, and serializes private keys for a store (RFC 7517, RFC 7638)."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from joserfc.jwk import OctKey

from doorkey.errors import UsageError
from doorkey.jose.algorithms import MIN_RSA_BITS, algorithm_named
from doorkey.jose.keys import Key, import_key
from doorkey.values import Secret
from doorkey.wire.key_material import holds_key

_CURVES: dict[str, Callable[[], ec.EllipticCurve]] = {
    "ES256": ec.SECP256R1,
    "ES384": ec.SECP384R1,
    "ES512": ec.SECP521R1,
}


__all__ = ["generate_key", "private_jwk"]


def generate_key(alg: str) -> Key:
    """Return a new private key or secret that signs with `alg` only. Its `kid` is its thumbprint.

    alg: a signature algorithm, such as `ES256`.

    RSA takes a tenth of a second or more. Raises `UsageError` for an unsupported algorithm, and for Ed448.
    """
    wanted = algorithm_named(alg)
    match wanted.kty:
        case "oct":
            fresh = import_key(_random_secret(wanted.min_bytes))
        case "RSA":
            fresh = import_key(rsa.generate_private_key(public_exponent=65537, key_size=MIN_RSA_BITS))
        case "EC":
            fresh = import_key(ec.generate_private_key(_CURVES[alg]()))
        case _ if alg != "Ed448":
            fresh = import_key(ed25519.Ed25519PrivateKey.generate())
        case _:
            raise UsageError("Ed448 keys cannot be generated here: use Ed25519")
    jwk = fresh.jose.as_dict(private=True)
    return import_key({**jwk, "kid": fresh.jose.thumbprint(), "use": "sig", "alg": alg})


def _random_secret(size: int) -> bytes:
    """Return `size` random bytes that `import_key` accepts: bytes that look like a key by chance are drawn again."""
    while holds_key(secret := secrets.token_bytes(size)):
        pass
    return secret


def private_jwk(key: Key) -> Secret:
    """Return the whole key as JWK text, for a store that may contain secrets. `import_key` reads it.

    key: a private key or a shared secret.

    Raises `UsageError` for a public key.
    """
    if not isinstance(key.jose, OctKey) and not key.jose.is_private:
        raise UsageError("this key is public: it has no private JWK")
    return Secret(json.dumps(key.jose.as_dict(private=True), separators=(",", ":")))

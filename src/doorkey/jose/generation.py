"""Making new keys, and writing private ones down for a store (RFC 7517, RFC 7638)."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from joserfc.jwk import JWKRegistry, OctKey

from doorkey.arguments import count, mapping, text
from doorkey.errors import UsageError, printable
from doorkey.jose.algorithms import MIN_RSA_BITS, algorithm_named
from doorkey.jose.keys import JoseKey, Key, import_key
from doorkey.values import Secret

_CURVES: dict[str, Callable[[], ec.EllipticCurve]] = {
    "ES256": ec.SECP256R1,
    "ES384": ec.SECP384R1,
    "ES512": ec.SECP521R1,
}


__all__ = ["generate_key", "private_jwk"]


@dataclass(frozen=True, slots=True)
class _Type:
    """The keys of one type: on one of `curves`, or with a size from `least` to `most` bits."""

    usual: str | int
    curves: tuple[str, ...] = ()
    least: int = 0
    most: int = 0


_TYPES: Final = {
    "RSA": _Type(MIN_RSA_BITS, least=MIN_RSA_BITS, most=8192),
    "EC": _Type("P-256", ("P-256", "P-384", "P-521")),
    "OKP": _Type("Ed25519", ("Ed25519", "Ed448")),
    "oct": _Type(256, least=128, most=8192),
}


def generate_key(alg: str) -> Key:
    """Return a new private key or secret for `alg`, with its thumbprint as `kid`, for signing with `alg`
    only.

    RSA takes a tenth of a second or more. Raises `UsageError` for an algorithm that is not known.
    """
    wanted = algorithm_named(alg)
    match wanted.kty:
        case "oct":
            fresh = import_key(secrets.token_bytes(wanted.min_bytes))
        case "RSA":
            fresh = import_key(rsa.generate_private_key(public_exponent=65537, key_size=MIN_RSA_BITS))
        case "EC":
            fresh = import_key(ec.generate_private_key(_CURVES[alg]()))
        case _ if alg != "Ed448":
            fresh = import_key(ed25519.Ed25519PrivateKey.generate())
        case _:
            raise UsageError("Ed448 keys are not made here")
    jwk = fresh.jose.as_dict(private=True)
    return import_key({**jwk, "kid": fresh.jose.thumbprint(), "use": "sig", "alg": alg})


def generate_key_of_type(kty: str, crv_or_size: object, members: Mapping[str, Any], *, private: bool) -> Key:
    """Return a new key of a type: the private key, or its public half, with `members` in its JWK.

    `kty` is a name of `_TYPES`; `crv_or_size` is one of its curves, or a size in bits. Without a `kid` among `members`
    the key gets its thumbprint. Raises `UsageError`.
    """
    kind = _TYPES.get(text(kty, "kty"))
    if kind is None:
        raise UsageError(f"kty is one of {', '.join(_TYPES)}, not {printable(kty, 40)!r}")
    chosen = kind.usual if crv_or_size is None else crv_or_size
    if kind.curves and chosen not in kind.curves:
        raise UsageError(f"an {kty} key is on one of {', '.join(kind.curves)}")
    if not kind.curves:
        chosen = count(chosen, f"the size of an {kty} key in bits", least=kind.least, most=kind.most)
    if kty == "oct" and not private:
        raise UsageError("a shared secret has no public half: give is_private=True")
    made: JoseKey = JWKRegistry.generate_key(kty, cast("Any", chosen), private=True)
    jwk = made.as_dict(private=private)
    return import_key({**jwk, "kid": made.thumbprint(), **mapping(members, "options")})


def private_jwk(key: Key) -> Secret:
    """Return the whole key as JWK text, for a store that may hold secrets; `import_key` reads it back."""
    if not isinstance(key.jose, OctKey) and not key.jose.is_private:
        raise UsageError("this key is public: it has no private JWK")
    return Secret(json.dumps(key.jose.as_dict(private=True), separators=(",", ":")))

"""Reads a key from PEM, a JWK, a key object or a shared secret (RFC 7517, RFC 7518 §6).

Keys that are weak for any use are rejected here: short RSA keys, empty secrets, and a public key given as a secret.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, TypeAlias, cast

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa, x448, x25519
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, JWKRegistry, OctKey, OKPKey, RSAKey
from joserfc.util import urlsafe_b64decode

from doorkey.errors import UsageError
from doorkey.jose.algorithms import MAX_EXPONENT_BITS, MAX_RSA_BITS, MIN_RSA_BITS
from doorkey.jose.roca import is_roca
from doorkey.values import Secret
from doorkey.wire.key_material import holds_key
from doorkey.wire.strict_json import JSONProblem, parse_object

JoseKey: TypeAlias = OctKey | RSAKey | ECKey | OKPKey

BROKEN = (JoseError, ValueError, TypeError, KeyError, AttributeError, ArithmeticError, UnsupportedAlgorithm)
"""The exceptions of joserfc and cryptography for malformed keys and tokens."""

_OKP = (
    *(ed25519.Ed25519PrivateKey, ed25519.Ed25519PublicKey, ed448.Ed448PrivateKey, ed448.Ed448PublicKey),
    *(x25519.X25519PrivateKey, x25519.X25519PublicKey, x448.X448PrivateKey, x448.X448PublicKey),
)
_PEM = re.compile(rb"-----? ?BEGIN ")


def read_key(value: object) -> JoseKey:
    """Return the joserfc key in `value`. `import_key` documents the accepted values.

    Raises `UsageError` for a rejected key, or one of `BROKEN` for a malformed one.
    """
    return _checked(_read(value))


def read_json(text: bytes) -> dict[str, Any] | None:
    """Return the JWK or JWK Set in `text`, or None if it is neither: a secret may begin with a brace.

    Raises `UsageError` for a malformed JWK or JWK Set.
    """
    try:
        members = parse_object(text)
    except JSONProblem as problem:
        if b'"kty"' not in text and b'"keys"' not in text:
            return None
        raise UsageError(f"the key is not a JWK: {problem}") from None
    return members if "kty" in members or "keys" in members else None


def _read(value: object) -> JoseKey:
    if isinstance(value, OctKey | RSAKey | ECKey | OKPKey):
        return value
    if isinstance(value, Secret):
        value = value.reveal()
    if isinstance(value, Mapping):
        return _jwk(dict(cast(Mapping[str, Any], value)))
    if isinstance(value, str):
        value = value.encode()
    return _text(value) if isinstance(value, bytes) else _native(value)


def _text(text: bytes) -> JoseKey:
    if _PEM.search(text):
        return _native(_pem(text))
    if text.lstrip().startswith(b"{") and (members := read_json(text)) is not None:
        return _jwk(members)
    _reject_key(text)
    return OctKey(text, text)


def _jwk(members: dict[str, Any]) -> JoseKey:
    if "keys" in members:
        raise UsageError("this is a JWK Set: give one of its keys")
    if not isinstance(members.get("key_ops", []), list):  # joserfc accepts a text too
        raise UsageError("the key's `key_ops` is not a list (RFC 7517 §4.3)")
    if members.get("kty") == "oct":  # decoded here, because joserfc warns about a short secret
        OctKey.validate_dict_key(members)
        raw = urlsafe_b64decode(members["k"].encode("ascii"))
        _reject_key(raw)
        return OctKey(raw, members)
    if members.get("kty") == "RSA":  # before joserfc, which only warns
        modulus, exponent = (int.from_bytes(urlsafe_b64decode(members[name].encode("ascii"))) for name in ("n", "e"))
        _check_size(modulus.bit_length(), exponent.bit_length())
    return JWKRegistry.import_key(members)


def _pem(text: bytes) -> object:
    if b"CERTIFICATE-----" in text:
        return x509.load_pem_x509_certificate(text).public_key()
    if b"PRIVATE KEY-----" not in text:
        return load_pem_public_key(text)
    if b"ENCRYPTED" in text:
        raise UsageError("the private key is encrypted: decrypt it first, or give the key object")
    return load_pem_private_key(text, password=None)


def _native(value: object) -> JoseKey:
    if isinstance(value, rsa.RSAPrivateKey | rsa.RSAPublicKey):
        return RSAKey(value, value)
    if isinstance(value, ec.EllipticCurvePrivateKey | ec.EllipticCurvePublicKey):
        return ECKey(value, value)
    if isinstance(value, _OKP):
        return OKPKey(value, value)
    raise UsageError(f"a key must be PEM, a JWK, a shared secret or a key object, not {type(value).__name__}")


def _reject_key(secret: bytes) -> None:
    """Reject a shared secret that is a key in any encoding: anyone with a public key could sign (RFC 8725 §2.1)."""
    if holds_key(secret):
        raise UsageError(
            "a public or private key, JWK or JWK Set is never a shared secret: register the algorithm of the key "
            "(RS256, ES256, …), or give the secret that the server issued"
        )


def _checked(key: JoseKey) -> JoseKey:
    if isinstance(key, OctKey) and not key.raw_value:
        raise UsageError("the shared secret is empty")
    if isinstance(key, RSAKey):
        public = key.raw_value if isinstance(key.raw_value, rsa.RSAPublicKey) else key.raw_value.public_key()
        numbers = public.public_numbers()
        _check_size(numbers.n.bit_length(), numbers.e.bit_length())
        if is_roca(numbers.n):
            raise UsageError("the RSA key is weak: its private half follows from the public one (CVE-2017-15361)")
    return key


def _check_size(modulus_bits: int, exponent_bits: int) -> None:
    if modulus_bits < MIN_RSA_BITS:
        raise UsageError(f"an RSA key needs at least {MIN_RSA_BITS} bits (RFC 7518 §3.3)")
    if modulus_bits > MAX_RSA_BITS or exponent_bits > MAX_EXPONENT_BITS:
        raise UsageError(f"an RSA key has at most {MAX_RSA_BITS} bits, and an exponent of {MAX_EXPONENT_BITS} bits")

"""Reading keys, and judging whether they fit what they are to be used for (RFC 7517, RFC 7518 §3, RFC 8725
§3).

Theory of operation. `import_key` turns everything a program may hold (PEM, JWK, a key object, a shared
secret) into a `Key`, and refuses what is unsound by itself: short RSA, empty secrets, text that is really a
public key. `Key.check` then asks whether this key may do this one operation with this one algorithm. The
first depends on the key alone and is worth doing once; the second is done at every use.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, cast

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa, x448, x25519
from cryptography.hazmat.primitives.serialization import (
    load_pem_private_key,
    load_pem_public_key,
)
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, JWKRegistry, OctKey, OKPKey, RSAKey
from joserfc.util import urlsafe_b64decode

from doorkey.errors import OAuthError, UsageError, printable, scrubbed
from doorkey.jose.algorithms import MAX_EXPONENT_BITS, MAX_RSA_BITS, MIN_RSA_BITS, algorithm_named
from doorkey.jose.roca import is_roca
from doorkey.values import Secret, hides_locals
from doorkey.wire.key_material import holds_key
from doorkey.wire.strict_json import JSONProblem, parse_object

JoseKey: TypeAlias = OctKey | RSAKey | ECKey | OKPKey
Operation: TypeAlias = Literal["sign", "verify"]

BROKEN = (JoseError, ValueError, TypeError, KeyError, AttributeError, ArithmeticError, UnsupportedAlgorithm)
"""What joserfc and cryptography raise on keys and tokens that are not well formed."""

MAX_KEYS = 100
"""Keys of a JWK Set: each of them costs an import."""

_OKP = (
    *(ed25519.Ed25519PrivateKey, ed25519.Ed25519PublicKey, ed448.Ed448PrivateKey, ed448.Ed448PublicKey),
    *(x25519.X25519PrivateKey, x25519.X25519PublicKey, x448.X448PrivateKey, x448.X448PublicKey),
)
_PEM = re.compile(rb"-----? ?BEGIN ")


@dataclass(frozen=True, slots=True, repr=False)
class Key:
    """A key that has been read and found sound; make one with `import_key`."""

    jose: JoseKey

    @property
    def kid(self) -> str | None:
        """The key's own id, or None (RFC 7517 §4.5)."""
        return self.jose.kid

    @property
    def kty(self) -> str:
        """The key type: `oct`, `RSA`, `EC` or `OKP` (RFC 7517 §4.1)."""
        return self.jose.key_type

    def public_jwk(self) -> dict[str, Any]:
        """Return the public half as a JWK. Raises `UsageError` for a shared secret, which has none."""
        if isinstance(self.jose, OctKey):
            raise UsageError("a shared secret has no public half")
        return dict(self.jose.as_dict(private=False))

    def as_dict(self, is_private: bool = False, **members: Any) -> dict[str, Any]:  # by position
        """Return the key as a JWK: its public half, or all of it with `is_private`.

        Without a `kid` of its own the key gets its thumbprint (RFC 7638). `members` are added. Raises `UsageError` for
        the public half of a shared secret, and for the private half of a public key.
        """
        if is_private and not isinstance(self.jose, OctKey) and not self.jose.is_private:
            raise UsageError("this key is public: it has no private JWK")
        jwk = dict(self.jose.as_dict(private=True)) if is_private else self.public_jwk()
        return {**jwk, "kid": self.kid or self.jose.thumbprint(), **members}

    def check(self, alg: str, operation: Operation, *, allow_short_secret: bool = False) -> None:
        """Raise `UsageError` unless this key may `operation` with `alg`.

        `allow_short_secret`: accept a secret shorter than the hash, which a server chose.

        Looks at the type, curve, size, `use`, `key_ops` and `alg` of the key (RFC 7517 §4, RFC 7518 §3).
        """
        wanted = algorithm_named(alg)
        if self.kty != wanted.kty:
            raise UsageError(f"{alg} needs a key of type {wanted.kty}, not {self.kty}")
        too_short = isinstance(self.jose, OctKey) and len(self.jose.raw_value) < wanted.min_bytes
        if too_short and not allow_short_secret:
            raise UsageError(f"{alg} needs a secret of at least {wanted.min_bytes} bytes (RFC 7518 §3.2)")
        if isinstance(self.jose, ECKey | OKPKey) and self.jose.curve_name not in wanted.curves:
            raise UsageError(f"{alg} needs a key on {' or '.join(wanted.curves)}, not {self.jose.curve_name}")
        if operation == "sign" and not self.jose.is_private:
            raise UsageError("signing needs a private key; this one is public")
        self._check_purpose(alg, operation)

    def _check_purpose(self, alg: str, operation: Operation) -> None:
        if self.jose.get("use") not in (None, "sig"):
            raise UsageError("the key's `use` is not `sig`")
        if self.jose.get("alg") not in (None, alg):
            raise UsageError(f"the key's own `alg` is not {alg}")
        operations = self.jose.get("key_ops")
        # A private key that may sign is also what its owner verifies with.
        if operations is not None and operation not in operations and "sign" not in operations:
            raise UsageError(f"the key's `key_ops` do not hold `{operation}`")

    def __repr__(self) -> str:
        return f"<Key {self.kty} kid={self.kid!r}>"


@hides_locals
def import_key(value: object) -> Key:
    """Return the key that `value` holds.

    `value` is PEM (a private key, a public key or a certificate) or a shared secret as str, bytes or
    `Secret`; a JWK as a mapping or as JSON; or a key object of joserfc or cryptography. Raises `UsageError`
    for anything else, for RSA under 2048 bits, for an empty secret, and for a public key in any encoding
    where a secret is expected. The error never quotes the key.
    """
    try:
        return Key(_sound(_read(value)))
    except BROKEN as error:
        if isinstance(error, OAuthError):
            raise
        raise UsageError(f"the key cannot be read ({type(error).__name__})") from scrubbed(error)


@hides_locals
def import_key_set(jwks: object) -> tuple[Key, ...]:
    """Return the public keys of a JWK Set, given as a mapping, a list of JWKs, or JSON (RFC 7517 §5).

    Keys of unknown kinds are skipped, and so are private and symmetric keys: a published set that has them
    has disclosed a secret. Raises `UsageError` if it is not a set of keys at all.
    """
    if isinstance(jwks, str | bytes):
        jwks = _json(_bytes(jwks))
    members = cast(Mapping[str, object], jwks).get("keys") if isinstance(jwks, Mapping) else jwks
    if not isinstance(members, list | tuple):
        raise UsageError("a JWK Set is an object with a list called `keys` (RFC 7517 §5)")
    if len(cast("list[object]", members)) > MAX_KEYS:
        raise UsageError(f"the JWK Set has more than {MAX_KEYS} keys")
    return tuple(_public_ones(cast(Iterable[object], members)))


@hides_locals
def import_keys(value: object) -> tuple[Key, ...]:
    """Return the keys of what a verifier may be given: one key as `import_key` reads it, a sequence of them,
    or a JWK Set as a mapping or as JSON, read by `import_key_set`.

    Raises `UsageError` for what neither of them reads, and for a sequence of which it is not clear what a
    token means (RFC 8725 §3.1): secrets beside public keys, or two secrets of one `kid`.
    """
    if isinstance(value, list | tuple):
        return _unambiguous(tuple(_verifying(key) for key in cast(Iterable[object], value)))
    return import_key_set(value) if _is_set(value) else (_verifying(value),)


@hides_locals
def import_own_keys(value: object) -> tuple[Key, ...]:
    """Return the program's own keys, private and symmetric ones included, to decrypt with.

    `value`: one key as `import_key` reads it, a sequence of them, or a JWK Set as a mapping or as JSON.

    Raises `UsageError` if one of them cannot be read: a set of one's own has no keys to skip.
    """
    if _is_set(value):
        jwks = _json(_bytes(value)) if isinstance(value, str | bytes) else value
        value = cast("Mapping[str, object]", jwks).get("keys")
        if not isinstance(value, list | tuple):
            raise UsageError("a JWK Set is an object with a list called `keys` (RFC 7517 §5)")
    members = cast("Iterable[object]", value) if isinstance(value, list | tuple) else (value,)
    keys = tuple(import_key(member) for member in members)
    if not keys or len(keys) > MAX_KEYS:
        raise UsageError(f"a program has 1 to {MAX_KEYS} keys of its own, not {len(keys)}")
    return keys


def _verifying(value: object) -> Key:
    """Return the key that `value` holds. A text that nothing marks as a secret may be any text that was fetched."""
    _refuse_document(value)
    key = import_key(value)
    if isinstance(value, str) and isinstance(key.jose, OctKey) and isinstance(key.jose.original_value, bytes):
        raise UsageError(
            "a text that is neither PEM nor a JWK Set is not taken for a shared secret: look at what was fetched in "
            'place of keys, or mark it as a secret, JsonWebToken(["HS256"]).decode(token, Secret(text))'
        )
    return key


def _refuse_document(value: object) -> None:
    """Refuse a JSON object that is no key, by the names of its members: a server's error, as it was fetched."""
    if isinstance(value, Mapping) and "kty" not in value:
        names = ", ".join(sorted(printable(str(name), 40) for name in cast("Mapping[object, object]", value))[:5])
        raise UsageError(
            f"the value supplied as keys is not a key set: it has no `keys` and no `kty`, but {names or 'no members'}; "
            "look at what was fetched in place of keys"
        )


def _unambiguous(keys: tuple[Key, ...]) -> tuple[Key, ...]:
    secrets = [key for key in keys if key.kty == "oct"]
    if secrets and len(secrets) < len(keys):
        raise UsageError("shared secrets and public keys do not verify the same tokens; give one or the other")
    named = [key.kid for key in secrets if key.kid is not None]
    if len(set(named)) < len(named):
        raise UsageError("two shared secrets have the same `kid`")
    return keys


def _is_set(value: object) -> bool:
    if isinstance(value, str | bytes) and (text := _bytes(value)).lstrip().startswith(b"{"):
        value = _json(text)
    return isinstance(value, Mapping) and "keys" in value


def _bytes(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode("utf-8", "replace")


def _public_ones(members: Iterable[object]) -> Iterable[Key]:
    for member in members:
        if not isinstance(member, Mapping):
            continue
        try:
            key = import_key(cast(Mapping[str, object], member))
        except UsageError:
            continue
        if key.kty != "oct" and not key.jose.is_private:
            yield key


def _read(value: object) -> JoseKey:
    if isinstance(value, Key):
        return value.jose
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
    if text.lstrip().startswith(b"{") and (members := _json(text)) is not None:
        return _jwk(members)
    _refuse_key(text)
    return OctKey(text, text)


def _json(text: bytes) -> dict[str, Any] | None:
    """Return the JWK or JWK Set in `text`, or None if it is neither but some secret that begins with a brace."""
    try:
        members = parse_object(text)
    except JSONProblem as problem:
        if b'"kty"' not in text and b'"keys"' not in text:
            return None
        raise UsageError(f"the key is not a JWK: {problem}") from None
    return members if "kty" in members or "keys" in members else None


def _jwk(members: dict[str, Any]) -> JoseKey:
    if "keys" in members:
        raise UsageError("this is a whole JWK Set; give one key of it")
    if members.get("kty") == "oct":  # decoded here, so that the warning about its size is our error instead
        OctKey.validate_dict_key(members)
        raw = urlsafe_b64decode(members["k"].encode("ascii"))
        _refuse_key(raw)
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
    raise UsageError(f"a key is PEM, a JWK, a shared secret or a key object, not {type(value).__name__}")


def _refuse_key(secret: bytes) -> None:
    """Refuse a shared secret that is a key, in any encoding: all who know a public key could sign (RFC 8725 §2.1)."""
    if holds_key(secret):
        raise UsageError(
            "a public or private key, JWK or JWK Set is never a shared secret: register the algorithm of the key "
            "(RS256, ES256, …), or give the secret that the server issued"
        )


def _sound(key: JoseKey) -> JoseKey:
    if isinstance(key, OctKey) and not key.raw_value:
        raise UsageError("the shared secret is empty")
    if isinstance(key, RSAKey):
        public = key.raw_value if isinstance(key.raw_value, rsa.RSAPublicKey) else key.raw_value.public_key()
        numbers = public.public_numbers()
        _check_size(numbers.n.bit_length(), numbers.e.bit_length())
        if is_roca(numbers.n):
            raise UsageError("the RSA key is one of those whose private half is known (CVE-2017-15361)")
    return key


def _check_size(modulus_bits: int, exponent_bits: int) -> None:
    if modulus_bits < MIN_RSA_BITS:
        raise UsageError(f"an RSA key needs at least {MIN_RSA_BITS} bits (RFC 7518 §3.3)")
    if modulus_bits > MAX_RSA_BITS or exponent_bits > MAX_EXPONENT_BITS:
        raise UsageError(f"an RSA key has at most {MAX_RSA_BITS} bits, and an exponent of {MAX_EXPONENT_BITS} bits")

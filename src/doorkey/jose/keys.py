"""Reads keys, and checks that they fit their use (RFC 7517, RFC 7518 §3, RFC 8725 §3).

Theory of operation. `import_key` turns each accepted form (PEM, JWK, a key object, a shared secret) into a `Key`, and
rejects keys that are weak for any use: short RSA keys, empty secrets, a public key given as a secret. `Key.check` then
checks one operation with one algorithm. The first step depends on the key alone, so a caller does it once and keeps the
`Key`. The second is done at each use.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, Self, TypeAlias, cast

from joserfc import jwk

from doorkey.arguments import mapping
from doorkey.errors import OAuthError, UsageError, printable, scrubbed
from doorkey.jose import key_writing
from doorkey.jose.algorithms import algorithm_named
from doorkey.jose.key_making import new_key
from doorkey.jose.key_reading import BROKEN, JoseKey, read_json, read_key
from doorkey.values import clears_locals, hides_locals

__all__ = ["MAX_KEYS", "ECKey", "Key", "OKPKey", "OctKey", "Operation", "RSAKey"]
__all__ += ["import_key", "import_key_set", "import_keys", "import_own_keys"]

Operation: TypeAlias = Literal["sign", "verify"]

MAX_KEYS = 100
"""The largest number of keys in a JWK Set. Importing a key takes time."""


class ShortSecretError(UsageError):
    """A secret is shorter than the hash of the algorithm that it is for."""


@dataclass(frozen=True, slots=True, repr=False)
class Key:
    """A key that was read and checked by `import_key`, which constructs it. Its repr shows no key material."""

    jose: JoseKey
    """The key as joserfc represents it."""
    kid: str | None = field(init=False, compare=False)
    """The key's own id, or None (RFC 7517 §4.5)."""
    _misfits: dict[str, str | None] = field(default_factory=dict[str, "str | None"], init=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "kid", self.jose.kid)  # read at each verification

    @classmethod
    @clears_locals
    def import_key(cls, raw: object, options: Mapping[str, Any] | None = None) -> Self:
        """Return the key in `raw` as an instance of this class.

        raw: the key, as `import_key` of this module reads it.
        options: further members of its JWK, such as `kid` and `use`.

        Raises `UsageError` for a value that is not a key, and for a key of another type.
        """
        key = with_members(import_key(raw), options)
        if not isinstance(key, cls):
            raise UsageError(f"this is a key of type {key.kty}, not an {cls.__name__}")
        return key

    @property
    def kty(self) -> str:
        """The key type: `oct`, `RSA`, `EC` or `OKP` (RFC 7517 §4.1)."""
        return self.jose.key_type

    @property
    def is_private(self) -> bool:
        """Whether the key is a private key or a shared secret, which can sign and decrypt."""
        return self.jose.is_private

    def public_jwk(self) -> dict[str, Any]:
        """Return the public half as a JWK. Raises `UsageError` for a shared secret, which has none."""
        if isinstance(self.jose, jwk.OctKey):
            raise UsageError("a shared secret has no public half")
        return dict(self.jose.as_dict(private=False))

    def as_dict(self, is_private: bool = False, **members: Any) -> dict[str, Any]:  # by position
        """Return the key as a JWK. Without a `kid` of its own, the `kid` is its thumbprint (RFC 7638).

        is_private: True for the whole key, False for its public half.
        members: further members of the JWK.

        Raises `UsageError` for the public half of a shared secret, and for the private half of a public key.
        """
        self._refuse_private(is_private)
        members_of = dict(self.jose.as_dict(private=True)) if is_private else self.public_jwk()
        return {**members_of, "kid": self.kid or self.thumbprint(), **members}

    def as_json(self, is_private: bool = False, **members: Any) -> str:  # by position
        """Return `as_dict` as JSON. The parameters and errors are the same."""
        return json.dumps(self.as_dict(is_private, **members), separators=(",", ":"))

    @clears_locals
    def as_pem(self, is_private: bool = False, password: str | bytes | None = None) -> bytes:  # by position
        """Return the key as PEM.

        is_private: True for the private key, False for its public half.
        password: encrypts the private key; 1 to 1023 bytes, or None for no encryption.

        Raises `UsageError` for a shared secret, for the private half of a public key, and for a password with the
        public half.
        """
        self._refuse_private(is_private)
        return key_writing.pem(self.jose, private=is_private, password=password)

    def thumbprint(self) -> str:
        """Return the SHA-256 thumbprint of the key as base64url (RFC 7638)."""
        return self.jose.thumbprint()

    def thumbprint_uri(self) -> str:
        """Return the SHA-256 thumbprint of the key as a URI (RFC 9278)."""
        return self.jose.thumbprint_uri()

    def _refuse_private(self, is_private: bool) -> None:
        if is_private and not self.is_private:
            raise UsageError("this key is public: it has no private JWK and no private PEM")

    def check(self, alg: str, operation: Operation, *, allow_short_secret: bool = False) -> None:
        """Raise `UsageError` unless this key may be used for `operation` with `alg`.

        alg: a signature algorithm.
        operation: `sign` or `verify`.
        allow_short_secret: True to accept a secret that is shorter than the hash, because the server chose it.

        Checks the type, curve, size, `use`, `key_ops` and `alg` of the key (RFC 7517 §4, RFC 7518 §3).
        """
        wanted = algorithm_named(alg)
        if self.kty != wanted.kty:
            raise UsageError(f"{alg} needs a key of type {wanted.kty}, not {self.kty}")
        too_short = isinstance(self.jose, jwk.OctKey) and len(self.jose.raw_value) < wanted.min_bytes
        if too_short and not allow_short_secret:
            raise ShortSecretError(f"{alg} needs a secret of at least {wanted.min_bytes} bytes (RFC 7518 §3.2)")
        if isinstance(self.jose, jwk.ECKey | jwk.OKPKey) and self.jose.curve_name not in wanted.curves:
            raise UsageError(f"{alg} needs a key on {' or '.join(wanted.curves)}, not {self.jose.curve_name}")
        if operation == "sign" and not self.jose.is_private:
            raise UsageError("signing needs a private key; this one is public")
        self._check_purpose(alg, operation)

    def misfit(self, alg: str) -> str | None:
        """Return why this key cannot verify signatures of `alg`, or None if it can. The result is cached."""
        if alg not in self._misfits:
            try:
                self.check(alg, "verify")
            except UsageError as error:
                self._misfits[alg] = error.description
            else:
                self._misfits[alg] = None
        return self._misfits[alg]

    def _check_purpose(self, alg: str, operation: Operation) -> None:
        if self.jose.get("use") not in (None, "sig"):
            raise UsageError("the key's `use` is not `sig`")
        if self.jose.get("alg") not in (None, alg):
            raise UsageError(f"the key's own `alg` is not {alg}")
        operations = self.jose.get("key_ops")
        # The owner of a key that may sign also verifies with it.
        if operations is not None and operation not in operations and "sign" not in operations:
            raise UsageError(f"the key's `key_ops` do not contain `{operation}`")

    def __repr__(self) -> str:
        return f"<{type(self).__name__} kid={self.kid!r}>"


class RSAKey(Key):
    """An RSA key (RFC 7518 §6.3)."""

    __slots__ = ()

    @classmethod
    def generate_key(
        cls, key_size: int = 2048, options: Mapping[str, Any] | None = None, is_private: bool = False
    ) -> Key:
        """Return a new key of `key_size` bits. `JsonWebKey.generate_key` documents the other parameters and errors."""
        return generated_key("RSA", key_size, options, private=is_private)


class ECKey(Key):
    """A key on an elliptic curve: P-256, P-384 or P-521 (RFC 7518 §6.2)."""

    __slots__ = ()

    @classmethod
    def generate_key(
        cls, crv: str = "P-256", options: Mapping[str, Any] | None = None, is_private: bool = False
    ) -> Key:
        """Return a new key on the curve `crv`. `JsonWebKey.generate_key` documents the other parameters and errors."""
        return generated_key("EC", crv, options, private=is_private)


class OKPKey(Key):
    """An octet key pair: Ed25519 and Ed448 for signatures, X25519 and X448 for encryption (RFC 8037 §2)."""

    __slots__ = ()

    @classmethod
    def generate_key(
        cls, crv: str = "Ed25519", options: Mapping[str, Any] | None = None, is_private: bool = False
    ) -> Key:
        """Return a new key on the curve `crv`. `JsonWebKey.generate_key` documents the other parameters and errors."""
        return generated_key("OKP", crv, options, private=is_private)


class OctKey(Key):
    """A shared secret (RFC 7518 §6.4)."""

    __slots__ = ()

    @classmethod
    def generate_key(
        cls, key_size: int = 256, options: Mapping[str, Any] | None = None, is_private: bool = True
    ) -> Key:
        """Return a new secret of `key_size` bits. `JsonWebKey.generate_key` documents the parameters and errors."""
        return generated_key("oct", key_size, options, private=is_private)


_CLASSES: Final[dict[str, type[Key]]] = {"RSA": RSAKey, "EC": ECKey, "OKP": OKPKey, "oct": OctKey}


def key_of(jose: JoseKey) -> Key:
    """Return the joserfc key as an instance of the class for its type."""
    return _CLASSES[jose.key_type](jose)


@hides_locals
def with_members(key: Key, members: Mapping[str, Any] | None) -> Key:
    """Return the key with `members` added to its JWK. Raises `UsageError` for another `kty` or a malformed member."""
    added = mapping({} if members is None else members, "options")
    if added.get("kty", key.kty) != key.kty:
        raise UsageError(f"this is a key of type {key.kty}, and the options name another type")
    return import_key({**key.jose.as_dict(private=key.is_private), **added}) if added else key


@hides_locals
def generated_key(kty: str, crv_or_size: object, options: Mapping[str, Any] | None, *, private: bool) -> Key:
    """Return a new key: the private key, or its public half. `JsonWebKey.generate_key` documents the parameters."""
    made = new_key(kty, crv_or_size, private=private)
    members = mapping({} if options is None else options, "options")
    return import_key({**made.as_dict(private=private), "kid": made.thumbprint(), **members})


@hides_locals
def import_key(value: object) -> Key:
    """Return the key in `value`.

    value: PEM (a private key, a public key or a certificate) or a shared secret as str, bytes or `Secret`; a JWK as a
        mapping or as JSON; or a key object of joserfc or cryptography.

    Raises `UsageError` for anything else, for an RSA key under 2048 bits, for an empty secret, and for a secret that is
    a key in some encoding. The error never quotes the key.
    """
    try:
        return value if isinstance(value, Key) else key_of(read_key(value))
    except BROKEN as error:
        if isinstance(error, OAuthError):
            raise
        raise UsageError(f"the key cannot be read ({type(error).__name__})") from scrubbed(error)


@hides_locals
def import_key_set(jwks: object) -> tuple[Key, ...]:
    """Return the public keys of a JWK Set (RFC 7517 §5).

    jwks: the set, as a mapping, a list of JWKs or JSON.

    Unsupported and malformed keys are skipped. Private and symmetric keys are skipped too, because their publication
    has disclosed a secret. Raises `UsageError` if the value is not a JWK Set, or has more than `MAX_KEYS` keys.
    """
    if isinstance(jwks, str | bytes):
        jwks = read_json(_bytes(jwks))
    members = cast(Mapping[str, object], jwks).get("keys") if isinstance(jwks, Mapping) else jwks
    if not isinstance(members, list | tuple):
        raise UsageError("a JWK Set is an object with a list called `keys` (RFC 7517 §5)")
    if len(cast("list[object]", members)) > MAX_KEYS:
        raise UsageError(f"the JWK Set has more than {MAX_KEYS} keys")
    return tuple(_public_keys(cast(Iterable[object], members)))


@hides_locals
def import_keys(value: object) -> tuple[Key, ...]:
    """Return the keys of a verifier.

    value: one key as `import_key` reads it, a sequence of keys, or a JWK Set as a mapping or as JSON, which
        `import_key_set` reads. A plain str is not accepted as a shared secret.

    Raises `UsageError` for any other value, and for an ambiguous sequence (RFC 8725 §3.1): secrets beside public keys,
    or two secrets with the same `kid`.
    """
    if isinstance(value, list | tuple):
        members = cast("list[object] | tuple[object, ...]", value)
        if all(isinstance(member, Key) and member.kty != "oct" for member in members):
            return cast("tuple[Key, ...]", tuple(members))
        return _unambiguous(tuple(_verifying(key) for key in members))
    return import_key_set(value) if _is_set(value) else (_verifying(value),)


@hides_locals
def import_own_keys(value: object) -> tuple[Key, ...]:
    """Return the program's own keys, private and symmetric keys included, to sign or decrypt with.

    value: one key as `import_key` reads it, a sequence of keys, or a JWK Set as a mapping or as JSON.

    Raises `UsageError` if one of the keys cannot be read, because no key of a program's own set is skipped, and unless
    there are 1 to `MAX_KEYS` keys.
    """
    if _is_set(value):
        jwks = read_json(_bytes(value)) if isinstance(value, str | bytes) else value
        value = cast("Mapping[str, object]", jwks).get("keys")
        if not isinstance(value, list | tuple):
            raise UsageError("a JWK Set is an object with a list called `keys` (RFC 7517 §5)")
    members = cast("Iterable[object]", value) if isinstance(value, list | tuple) else (value,)
    keys = tuple(import_key(member) for member in members)
    if not keys or len(keys) > MAX_KEYS:
        raise UsageError(f"give 1 to {MAX_KEYS} keys, not {len(keys)}")
    return keys


def _verifying(value: object) -> Key:
    """Return the key in `value`. A plain str is not accepted as a secret, because it may be any fetched text."""
    _reject_document(value)
    key = import_key(value)
    if isinstance(value, str) and isinstance(key.jose, jwk.OctKey) and isinstance(key.jose.original_value, bytes):
        raise UsageError(
            "a text that is neither PEM nor a JWK Set is not accepted as a shared secret: check what was fetched in "
            'place of keys, or mark it as a secret, JsonWebToken(["HS256"]).decode(token, Secret(text))'
        )
    return key


def _reject_document(value: object) -> None:
    """Reject a mapping that is not a key, such as the error response of a server. The error names its members."""
    if isinstance(value, Mapping) and "kty" not in value:
        names = ", ".join(sorted(printable(str(name), 40) for name in cast("Mapping[object, object]", value))[:5])
        raise UsageError(
            f"the value supplied as keys is not a key set: it has no `keys` and no `kty`, but {names or 'no members'}; "
            "check what was fetched in place of keys"
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
        value = read_json(text)
    return isinstance(value, Mapping) and "keys" in value


def _bytes(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode("utf-8", "replace")


def _public_keys(members: Iterable[object]) -> Iterable[Key]:
    for member in members:
        if not isinstance(member, Mapping):
            continue
        try:
            key = import_key(cast(Mapping[str, object], member))
        except UsageError:
            continue
        if key.kty != "oct" and not key.jose.is_private:
            yield key

"""The encryption algorithms, and the conditions for their keys (RFC 7518 §4, §5, RFC 8037 §3.2)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from joserfc.jwk import ECKey, OctKey, OKPKey

from doorkey.arguments import texts
from doorkey.errors import UsageError, printable
from doorkey.jose.keys import Key, import_key
from doorkey.values import Secret, hides_locals

Operation: TypeAlias = Literal["encrypt", "decrypt"]

_AGREEMENT_CURVES: Final = ("P-256", "P-384", "P-521", "X25519", "X448")
_ENCRYPTING: Final = frozenset({"encrypt", "wrapKey", "deriveKey", "deriveBits"})
_DECRYPTING: Final = frozenset({"decrypt", "unwrapKey", "deriveKey", "deriveBits"})
"""The accepted values of `key_ops`. Some programs name the operation on the key, others the one on the content."""


@dataclass(frozen=True, slots=True)
class KeyManagement:
    """The requirements of an `alg` on its key: types, curves, and for AES the size in bytes (RFC 7518 §4.1)."""

    name: str
    types: tuple[str, ...]
    curves: tuple[str, ...] = ()
    size: int = 0


@dataclass(frozen=True, slots=True)
class ContentEncryption:
    """The sizes of an `enc` in bytes: key, initialization vector and authentication tag (RFC 7518 §5)."""

    name: str
    key: int
    iv: int
    tag: int


MANAGEMENT: Final = {
    one.name: one
    for one in (
        KeyManagement("RSA-OAEP", ("RSA",)),
        KeyManagement("RSA-OAEP-256", ("RSA",)),
        *(
            KeyManagement(name, ("EC", "OKP"), _AGREEMENT_CURVES)
            for name in ("ECDH-ES", "ECDH-ES+A128KW", "ECDH-ES+A192KW", "ECDH-ES+A256KW")
        ),
        *(KeyManagement(f"A{bits}KW", ("oct",), size=bits // 8) for bits in (128, 192, 256)),
        *(KeyManagement(f"A{bits}GCMKW", ("oct",), size=bits // 8) for bits in (128, 192, 256)),
        KeyManagement("dir", ("oct",)),
    )
}
"""The supported key management algorithms. RSA1_5 and PBES2 are not supported (RFC 8725 §3.2)."""

DEFAULT_MANAGEMENT: Final = tuple(name for name in MANAGEMENT if name != "dir")
"""The default key management algorithms: all but `dir`, with which all messages share a content encryption key."""

ENCRYPTIONS: Final = {
    one.name: one
    for one in (
        ContentEncryption("A128CBC-HS256", 32, 16, 16),
        ContentEncryption("A192CBC-HS384", 48, 16, 24),
        ContentEncryption("A256CBC-HS512", 64, 16, 32),
        ContentEncryption("A128GCM", 16, 12, 16),
        ContentEncryption("A192GCM", 24, 12, 16),
        ContentEncryption("A256GCM", 32, 12, 16),
    )
}
"""The supported content encryption algorithms."""


def management_named(name: object) -> KeyManagement:
    """Return the key management algorithm `name`. Raises `UsageError` for an unsupported name, RSA1_5 and PBES2 too."""
    found = MANAGEMENT.get(name) if isinstance(name, str) else None
    if found is None:
        raise UsageError(f"the key management algorithm {_shown(name)} is none of {', '.join(MANAGEMENT)}")
    return found


def encryption_named(name: object) -> ContentEncryption:
    """Return the content encryption algorithm `name`. Raises `UsageError` for an unsupported name."""
    found = ENCRYPTIONS.get(name) if isinstance(name, str) else None
    if found is None:
        raise UsageError(f"the content encryption algorithm {_shown(name)} is none of {', '.join(ENCRYPTIONS)}")
    return found


def names(given: object, what: str) -> tuple[str, ...]:
    """Return the names in an argument that is one name or several. Raises `UsageError` for anything else."""
    return (given,) if isinstance(given, str) else texts(given, what)


def check_key(key: Key, alg: KeyManagement, enc: ContentEncryption, operation: Operation) -> None:
    """Raise `UsageError` unless `key` may be used for `operation` with `alg` and `enc`.

    Compares type, curve, size, `use`, `key_ops` and `alg` of the key (RFC 7517 §4, RFC 7518 §4.1).
    """
    if key.kty not in alg.types:
        raise UsageError(f"{alg.name} needs a key of type {' or '.join(alg.types)}, not {key.kty}")
    if isinstance(key.jose, ECKey | OKPKey) and key.jose.curve_name not in alg.curves:
        raise UsageError(f"{alg.name} needs a key on {', '.join(alg.curves)}, not {key.jose.curve_name}")
    size = alg.size or enc.key  # `dir` uses the key itself to encrypt the content
    if isinstance(key.jose, OctKey) and len(key.jose.raw_value) != size:
        raise UsageError(f"{alg.name} with {enc.name} needs a secret of exactly {size} bytes")
    if operation == "decrypt" and not key.jose.is_private:
        raise UsageError("decryption needs a private key; this one is public")
    _check_purpose(key, alg, enc, operation)


@hides_locals
def key_of_client_secret(secret: Secret | str, *, alg: str, enc: str) -> Key:
    """Return the symmetric encryption key that is derived from a client secret (OpenID Connect Core §10.2).

    secret: the client secret.
    alg, enc: the registered algorithms of the client, for instance `A128KW` or `dir`, and `A128GCM`.

    Raises `UsageError` for an unknown algorithm, and for an `alg` that needs a key pair.
    """
    management, content = management_named(alg), encryption_named(enc)
    if management.types != ("oct",):
        raise UsageError(f"{alg} needs a key pair: a client secret is for A*KW, A*GCMKW and dir")
    size = management.size or content.key
    digest = hashlib.sha256 if size <= 32 else hashlib.sha384 if size <= 48 else hashlib.sha512
    return import_key(digest(Secret(secret).reveal().encode("utf-8")).digest()[:size])


def _check_purpose(key: Key, alg: KeyManagement, enc: ContentEncryption, operation: Operation) -> None:
    if key.jose.get("use") not in (None, "enc"):
        raise UsageError("the key's `use` is not `enc`")
    # RFC 7520 §5.6 labels a key for `dir` with the content encryption algorithm.
    if key.jose.get("alg") not in (None, alg.name, *((enc.name,) if alg.name == "dir" else ())):
        raise UsageError(f"the key's own `alg` is not {alg.name}")
    operations = key.jose.get("key_ops")
    if operations is None:
        return
    # The owner of a key that decrypts may also encrypt with it.
    allowed = _DECRYPTING if operation == "decrypt" else _DECRYPTING | _ENCRYPTING
    if not allowed.intersection(operations):
        raise UsageError(f"the key's `key_ops` do not allow it to {operation}")


def _shown(name: object) -> str:
    return repr(printable(str(name), 40))

"""Serializes a key as PEM (RFC 7468, RFC 5958)."""

from __future__ import annotations

from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from joserfc.jwk import OctKey

from doorkey.errors import UsageError
from doorkey.jose.key_reading import JoseKey


def pem(key: JoseKey, *, private: bool, password: str | bytes | None) -> bytes:
    """Return the public half as SubjectPublicKeyInfo, or with `private` the private key as PKCS #8.

    password: encrypts the private key; 1 to 1023 bytes, or None for no encryption.

    Raises `UsageError` for a shared secret, for the private half of a public key, and for a password without `private`.
    """
    if isinstance(key, OctKey):
        raise UsageError("a shared secret has no PEM: as_dict(is_private=True) returns its JWK")
    if not private:
        if password is not None:
            raise UsageError("a password encrypts the private key: give is_private=True with it")
        return key.public_key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    if key.private_key is None:
        raise UsageError("this key is public: it has no private PEM")
    return key.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, _encryption(password))


def _encryption(password: object) -> KeySerializationEncryption:
    if password is None:
        return NoEncryption()
    secret = password.encode("utf-8", "surrogatepass") if isinstance(password, str) else password
    if not isinstance(secret, bytes) or not 0 < len(secret) < 1024:
        raise UsageError("the password of a PEM must be text or bytes, with 1 to 1023 bytes")
    return BestAvailableEncryption(secret)

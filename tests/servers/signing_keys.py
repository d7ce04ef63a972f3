"""The private keys that tests sign with, made once per installation, and their public JWKs."""

import base64
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa


def rsa_key(path: Path) -> rsa.RSAPrivateKey:
    """An RSA key of 2048 bits, kept as PKCS #8 PEM."""
    if not path.exists():
        _write(path, rsa.generate_private_key(public_exponent=65537, key_size=2048))
    key = serialization.load_pem_private_key(path.read_bytes(), None)
    assert isinstance(key, rsa.RSAPrivateKey)
    return key


def ec_key(path: Path) -> ec.EllipticCurvePrivateKey:
    """A P-256 key, kept as PKCS #8 PEM."""
    if not path.exists():
        _write(path, ec.generate_private_key(ec.SECP256R1()))
    key = serialization.load_pem_private_key(path.read_bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key


def rsa_jwk(key: rsa.RSAPrivateKey, kid: str) -> dict[str, str]:
    """The public half, for RS256."""
    numbers = key.public_key().public_numbers()
    n, e = _encode(numbers.n), _encode(numbers.e)
    return {"kty": "RSA", "n": n, "e": e, "alg": "RS256", "use": "sig", "kid": kid}


def ec_jwk(key: ec.EllipticCurvePrivateKey, kid: str) -> dict[str, str]:
    """The public half, for ES256."""
    numbers = key.public_key().public_numbers()
    x, y = _encode(numbers.x, 32), _encode(numbers.y, 32)
    return {"kty": "EC", "crv": "P-256", "x": x, "y": y, "alg": "ES256", "use": "sig", "kid": kid}


def public_der(key: rsa.RSAPrivateKey) -> str:
    """The public half as base64 of its SubjectPublicKeyInfo: a PEM without its first and last line."""
    der = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(der).decode()


def _write(path: Path, key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    fresh = path.with_suffix(".new")
    fresh.touch(mode=0o600)
    fresh.write_bytes(pem)
    fresh.rename(path)


def _encode(number: int, length: int = 0) -> str:
    raw = number.to_bytes(length or (number.bit_length() + 7) // 8, "big")
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()

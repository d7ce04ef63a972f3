import base64
import html
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from doorkey.jose.keys import import_key
from doorkey.values import Secret
from doorkey.wire.key_material import holds_key

RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC = ec.generate_private_key(ec.SECP256R1())
ED = ed25519.Ed25519PrivateKey.generate()
PUBLIC = RSA.public_key()
DER = PUBLIC.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
PEM = PUBLIC.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
SSH = PUBLIC.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
JWK: dict[str, Any] = {**import_key(PUBLIC).public_jwk(), "kid": "one", "use": "sig"}


def certificate() -> bytes:
    import datetime

    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "a")])
    begin = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    built = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(PUBLIC).serial_number(1)
    dated = built.not_valid_before(begin).not_valid_after(begin + datetime.timedelta(days=9))
    return dated.sign(RSA, hashes.SHA256()).public_bytes(Encoding.DER)


def private(key: Any, encoding: Encoding, form: PrivateFormat) -> bytes:
    written: bytes = key.private_bytes(encoding, form, NoEncryption())
    return written


FORMS: dict[str, object] = {
    "PEM": PEM,
    "PEM as text": PEM.decode(),
    "PEM with CRLF": PEM.replace(b"\n", b"\r\n"),
    "PEM with a BOM": b"\xef\xbb\xbf" + PEM,
    "PEM in UTF-16": PEM.decode().encode("utf-16"),
    "PEM in UTF-32": PEM.decode().encode("utf-32-be"),
    "PEM after a comment": b"# the key of the server\n" + PEM,
    "PEM as a JSON string": json.dumps(PEM.decode()),
    "PEM with escaped newlines": PEM.decode().replace("\n", "\\n"),
    "PEM on one line": PEM.replace(b"\n", b""),
    "PEM in lower case": PEM.lower(),
    "PEM percent-encoded": quote(PEM, safe=""),
    "PEM form-encoded": quote_plus(PEM),
    "PEM in base64": base64.b64encode(PEM),
    "PEM in base64 twice": base64.b64encode(base64.b64encode(PEM)),
    "PEM in hexadecimal": PEM.hex(),
    "PEM as a Python literal": repr(PEM),
    "PEM as a Python text literal": repr(PEM.decode()),
    "PEM in a Secret": Secret(PEM.decode()),
    "PEM in a mapping": json.dumps({"key": PEM.decode()}),
    "PKCS #1": PUBLIC.public_bytes(Encoding.PEM, PublicFormat.PKCS1),
    "PKCS #1 in DER": PUBLIC.public_bytes(Encoding.DER, PublicFormat.PKCS1),
    "the lines of PEM without its frame": b"\n".join(PEM.splitlines()[1:-1]),
    "those lines after a label": b"key: " + b"".join(PEM.splitlines()[1:-1]),
    "DER": DER,
    "DER and a newline": DER + b"\n",
    "DER after a newline": b"\n" + DER,
    "DER after a BOM": b"\xef\xbb\xbf" + DER,
    "DER read as Latin-1": DER.decode("latin-1"),
    "DER in base64": base64.b64encode(DER),
    "DER in base64 without padding": base64.b64encode(DER).rstrip(b"="),
    "DER in lines of base64": base64.encodebytes(DER),
    "DER in base64url": base64.urlsafe_b64encode(DER),
    "DER in base64 percent-encoded": quote(base64.b64encode(DER), safe=""),
    "DER in a data URL": b"data:application/octet-stream;base64," + base64.b64encode(DER),
    "DER in hexadecimal": DER.hex(),
    "DER in upper-case hexadecimal": DER.hex().upper(),
    "DER in hexadecimal with colons": DER.hex(":"),
    "DER in hexadecimal with 0x": "0x" + DER.hex(),
    "DER in base32": base64.b32encode(DER),
    "DER in lower-case base32 without padding": base64.b32encode(DER).rstrip(b"=").lower(),
    "DER in base32hex": base64.b32hexencode(DER),
    "DER in base85": base64.b85encode(DER),
    "DER in ascii85": base64.a85encode(DER),
    "DER as a Python literal": repr(DER),
    "DER as a bytearray": bytearray(DER),
    "DER as the text of a bytearray": str(bytearray(DER)),
    "DER as a list of numbers": str(list(DER)),
    "SSH": SSH,
    "SSH after a blank": b" " + SSH,
    "SSH in an authorized_keys line": b'command="x" ' + SSH + b" a@b",
    "SSH in binary": base64.b64decode(SSH.split()[1]),
    "SSH in base64 alone": SSH.split()[1],
    "SSH in RFC 4716": b"---- BEGIN SSH2 PUBLIC KEY ----\n" + SSH.split()[1],
    "SSH of a curve": EC.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH),
    "JWK": JWK,
    "JWK as JSON": json.dumps(JWK),
    "JWK as bytes": json.dumps(JWK).encode(),
    "JWK as indented JSON": json.dumps(JWK, indent=4),
    "JWK with a BOM": "\ufeff" + json.dumps(JWK),
    "JWK as Python writes it": str(JWK),
    "JWK as YAML": "kty: RSA\nn: " + JWK["n"] + "\ne: AQAB\n",
    "JWK of an elliptic curve": "kty=EC&crv=P-256",
    "JWK of bytes": '{"kty":\n                    "oct"}',
    "JWK in HTML": html.escape(json.dumps(JWK)),
    "JWK in a JSON string": json.dumps(json.dumps(JWK)),
    "JWK percent-encoded": quote(json.dumps(JWK)),
    "JWK in base64": base64.b64encode(json.dumps(JWK).encode()),
    "JWK in UTF-16": json.dumps(JWK).encode("utf-16"),
    "JWK in a mapping": {"key": JWK},
    "JWK Set": {"keys": [JWK]},
    "JWK Set as JSON": json.dumps({"keys": [JWK]}),
    "JWK Set without a key": '{"keys": []}',
    "JSON list": json.dumps([JWK]),
    "list": [JWK],
    "certificate": certificate(),
    "certificate in base64": base64.b64encode(certificate()),
    "private PKCS #8": private(RSA, Encoding.DER, PrivateFormat.PKCS8),
    "private PKCS #1": private(RSA, Encoding.DER, PrivateFormat.TraditionalOpenSSL),
    "private key on a curve": private(EC, Encoding.DER, PrivateFormat.PKCS8),
    "private SEC1": private(EC, Encoding.DER, PrivateFormat.TraditionalOpenSSL),
    "private Ed25519": private(ED, Encoding.DER, PrivateFormat.PKCS8),
    "private Ed25519 in hexadecimal": private(ED, Encoding.DER, PrivateFormat.PKCS8).hex(),
    "private OpenSSH": private(ED, Encoding.PEM, PrivateFormat.OpenSSH),
    "private and encrypted": RSA.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x")),
    "public key on a curve": EC.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
    "public Ed25519": ED.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
    "XML": f"<RSAKeyValue><Modulus>{JWK['n']}</Modulus><Exponent>AQAB</Exponent></RSAKeyValue>",
    "key object": RSA,
    "key of doorkey": import_key(RSA),
}

SECRETS: dict[str, object] = {
    "nothing": None,
    "number": 17,
    "empty": "",
    "short": "a b",
    "password with all kinds of characters": 'aB/c+d== %41 \\n "q" \x7f',
    "base64": base64.b64encode(bytes(range(64))),
    "hexadecimal": bytes(range(64)).hex(),
    "binary": bytes(range(255, 150, -1)),
    "zeros of ASN.1": b"\x30" * 64,
    "UUID": "5f0e5e1c-8a8c-4a34-9c7e-0a5f7d1b2c3d",
    "begins like SSH": "ssh-rsa-is-not-what-this-begins-like-at-all",
    "a secret of a payment service": "sk-live-" + "a1B2" * 12,
    "a text about keys": "the keys of this key ring open doors and no tokens",
    "other JSON": '{"a": "thirty-two characters at least, and some more"}',
    "JSON that is none": '{"keys": a secret of forty characters or even more',
    "lone surrogate": "\ud800" * 50,
    "digits": "[1, 2, 999, 4] " * 9,
    "umlauts": "geheim mit ä und ü und noch viel mehr Zeichen",
    "beyond Latin-1": "\u0441\u0435\u043a\u0440\u0435\u0442" * 9,
    "numbers": "1 22 4096 3 " * 12,
    # 6,578,129 secrets of 64 random bytes contained seven like these
    "random bytes with a word of a JWK": b"\xd5\xec:kty=Bh\x8bwg1\xc8\xd3\x94\xdd\x82(8:" + bytes(range(200, 240)),
    "random bytes with the first bytes of a key in DER": b"\xc2*\xa6\xca\xe8t\x8f\x82\xe60.0D\x06\n\xcan"
    + bytes(range(200, 240)),
    "random text with a word of a JWK": "Zq3/kty=Bh8wg1c8d3" * 4,
    "list": ["a", "b"],
    "mapping": {"a": "b"},
}


@pytest.mark.parametrize("form", FORMS)
def test_a_key_is_recognized_in_every_form(form: str) -> None:
    assert holds_key(FORMS[form])


@pytest.mark.parametrize("form", SECRETS)
def test_a_secret_is_not_taken_for_a_key(form: str) -> None:
    assert not holds_key(SECRETS[form])


def test_random_secrets_are_not_taken_for_keys() -> None:
    import random

    source = random.Random(7)  # noqa: S311  # the same secrets in each run
    written: tuple[Callable[[bytes], object], ...] = (bytes, bytes.hex, base64.b64encode, base64.b85encode)
    for _ in range(500):
        secret = source.randbytes(source.randrange(16, 129))
        assert not any(holds_key(write(secret)) for write in written)


def test_a_key_is_found_only_in_the_first_part_of_a_huge_value() -> None:
    assert not holds_key(b" " * (256 * 1024) + PEM)

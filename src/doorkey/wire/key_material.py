"""Detects values that are, contain or decode to a key: a key is never a shared secret (RFC 8725 §2.1).

If a public key were used as an HMAC secret, every reader of that key could sign tokens. If a private key were used as a
client secret, it would be sent to the server. One function is the check for both.
"""

from __future__ import annotations

import re
from base64 import a85decode, b32decode, b32hexdecode, b64decode, b85decode
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Final, cast
from urllib.parse import unquote_to_bytes

from doorkey.values import Secret

_EXAMINED: Final = 256 * 1024
"""The number of bytes of a value that are examined. A key set is smaller, and a secret is much smaller."""
_DEPTH: Final = 3
"""The number of nested encodings that are decoded: a PEM text in base64 in JSON has two."""
_SHORTEST: Final = 40
"""A value with fewer bytes is not decoded, because no encoded key fits: an Ed25519 key in DER has 44 bytes."""

_MARK: Final = re.compile(
    rb"""
      -{4,5}\ ?BEGIN\ | \bBEGIN\ [A-Z0-9 ]*(?:KEY|CERTIFICATE)\b       # PEM (RFC 7468), SSH2 (RFC 4716), OpenPGP
    | \b(?:ssh-(?:rsa|dss|ed25519|ed448)|ecdsa-sha2-\w+)(?:@[\w.]+)?[\s\0] # SSH (RFC 4253, section 6.6)
    | openssh-key-v1
    | \bkty\b(?:\W|quot|x22|u0022){0,12}[:=]                          # JWK (RFC 7517), however quoted, with its type,
        (?:\W|quot|x22|u0022){0,40}(?:RSA|EC|OKP|oct|AKP)             # without which random bytes match too often
    | \bkeys\b["']\s*:\s*\[                                          # JWK Set (RFC 7517)
    | <(?:\w+:)?(?:RSAKeyValue|DSAKeyValue|ECKeyValue|Modulus|X509Certificate)\b  # XML Signature
    """,
    re.VERBOSE | re.IGNORECASE,
)
_LENGTH: Final = rb"(?:[\x00-\x7f]|\x81.|\x82..)"
_DER: Final = re.compile(
    rb"\x30" + _LENGTH + rb"(?:"
    rb"(?:\x02\x01[\x00\x01])?\x30" + _LENGTH + rb"\x06[\x03-\x0b][\x2a\x2b\x60]"  # SubjectPublicKeyInfo, PKCS #8
    rb"|\x02\x01\x01\x04[\x14-\x60]"  # ECPrivateKey
    rb"|(?:\x02\x01\x00)?\x02(?:\x81.|\x82..)\x00[\x80-\xff]"  # RSAPublicKey, RSAPrivateKey
    rb"|\x30\x82..(?:\xa0\x03\x02\x01\x02)?\x02[\x01-\x20]"  # Certificate
    rb")",
    re.DOTALL,
)
_BASE64_RUN: Final = re.compile(rb"[A-Za-z0-9+/_-]{%d,}={0,2}" % _SHORTEST)
_TO_BASE64: Final = bytes.maketrans(b"-_", b"+/")
_LITERAL: Final = re.compile(rb"""\A(?:bytearray\()?[bBuUrR]?(['"])(.*)\1\)?\Z""", re.DOTALL)
_ESCAPE: Final = re.compile(rb"\\(?:x|u00)([0-9A-Fa-f]{2})|\\(.)", re.DOTALL)
_NUMBERS: Final = re.compile(rb"\A[\s\[\](){},0-9]+\Z")
_HEX_MARKS: Final = re.compile(rb"0x|\\x|[\s:,-]", re.IGNORECASE)


def holds_key(value: object) -> bool:
    """Return whether `value` is a key, contains one, or decodes to one.

    value: text, bytes, a `Secret`, a mapping, a list, or a key object of any library. None and numbers hold no key.
        Recognized are PEM, DER, SSH, XML, JWK and JWK Set, also as part of another text, and also encoded: in base64,
        base64url, base32, base85, hexadecimal, percent or backslash escapes, UTF-16, a list of byte values, or a Python
        or JSON literal.
    """
    if isinstance(value, Secret):
        value = value.reveal()
    if isinstance(value, str):
        value = value.encode("utf-8", "surrogatepass")
    if isinstance(value, bytes | bytearray):
        return _has_key(bytes(value[:_EXAMINED]), _DEPTH)
    if isinstance(value, Mapping):
        members = cast("Mapping[object, object]", value)
        return "kty" in members or "keys" in members or any(map(holds_key, members.values()))
    if isinstance(value, list | tuple):
        return any(map(holds_key, cast("Iterable[object]", value)))
    return not (value is None or isinstance(value, int | float))


def _has_key(data: bytes, depth: int) -> bool:
    if _MARK.search(data) or _DER.search(data):
        return True
    if depth == 0 or len(data) < _SHORTEST:
        return False
    return any(_has_key(decoded, depth - 1) for decoded in set(_decodings(data)) if decoded != data)


def _decodings(data: bytes) -> Iterator[bytes]:
    """Yield the bytes that each encoding would decode `data` to."""
    text = data.removeprefix(b"\xef\xbb\xbf").strip()
    if b"\0" in text:
        yield text.replace(b"\0", b"")  # UTF-16 and UTF-32 of ASCII
    if not text.isascii():
        with suppress(ValueError):
            yield text.decode("utf-8").encode("latin-1")
        return
    if b"%" in text:
        yield unquote_to_bytes(text.replace(b"+", b" "))
        yield unquote_to_bytes(text)
    if literal := _LITERAL.match(text):
        yield literal[2]
    if b"\\" in text:
        yield _ESCAPE.sub(_unescaped, text)
    if _NUMBERS.match(text):
        with suppress(ValueError):
            yield bytes(int(number) for number in re.findall(rb"\d{1,4}", text))
    joined = b"".join(text.split())
    for run in {joined, *_BASE64_RUN.findall(text)}:
        yield from _tried(_base64, run)
    for decode in (_hexadecimal, _base32, _base32_hex, b85decode, a85decode):
        yield from _tried(decode, joined)


def _unescaped(escape: re.Match[bytes]) -> bytes:
    if escape[1]:
        return bytes.fromhex(escape[1].decode("ascii"))
    return {b"n": b"\n", b"r": b"\r"}.get(escape[2], escape[2])


def _tried(decode: Callable[[bytes], bytes], encoded: bytes) -> Iterator[bytes]:
    with suppress(ValueError):
        yield decode(encoded)


def _hexadecimal(text: bytes) -> bytes:
    return bytes.fromhex(_HEX_MARKS.sub(b"", text).decode("ascii"))


def _base64(text: bytes) -> bytes:
    bare = text.translate(_TO_BASE64).rstrip(b"=")
    return b64decode(bare + b"=" * (-len(bare) % 4), validate=True)


def _base32(text: bytes) -> bytes:
    return b32decode(_padded(text), casefold=True)


def _base32_hex(text: bytes) -> bytes:
    return b32hexdecode(_padded(text), casefold=True)


def _padded(text: bytes) -> bytes:
    bare = text.rstrip(b"=")
    return bare + b"=" * (-len(bare) % 8)

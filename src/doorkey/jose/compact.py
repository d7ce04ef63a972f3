"""The compact serialization of signed tokens: its syntax, its three segments, and the claims of unverified tokens.

This module needs no cryptography, so a program that never verifies a token does not import joserfc.
"""

from __future__ import annotations

from binascii import a2b_base64
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, TypeAlias

from doorkey.errors import UsageError
from doorkey.jose.errors import DecodeError
from doorkey.values import hides_locals
from doorkey.wire.strict_json import JSONProblem, parse_object

MAX_BYTES = 64 * 1024

_LEGAL: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."
_TO_BASE64: Final = bytes.maketrans(b"-_", b"+/")
_LAST_CHARACTERS: Final[tuple[bytes, ...]] = (_LEGAL, b"AEIMQUYcgkosw048", b"AQgw", b"")
"""The last characters without unused bits, by the number of padding characters that base64 would add."""
_MAX_HEADER: Final = 1024
"""The longest header segment that is cached, in bytes."""


Segments: TypeAlias = tuple[bytes, bytes, bytes, bytes]
"""The signing input, and the three segments of a token."""


@dataclass(frozen=True, slots=True, repr=False)
class UnverifiedToken:
    """An unverified token, from `unsafe_read`. Pass it to `verify`.

    claims: the unverified claims. Use them only to choose keys.
    """

    claims: Mapping[str, Any]
    _segments: Segments

    def __repr__(self) -> str:
        return "<UnverifiedToken>"


@hides_locals
def unsafe_header(token: str, max_bytes: int = MAX_BYTES, *, may_be_empty: bool = False) -> Mapping[str, Any]:
    """Return the header of an unverified token. Use it only to choose a key, and trust nothing in it.

    token: the text of the token.
    max_bytes: the length at which a token is rejected before it is decoded; defaults to 64 KiB.
    may_be_empty: True to accept an empty payload, as `verify_bytes` does. The payload of a JWT is never empty.

    Raises `VerificationError` if the token is not in the compact form.
    """
    return header_in(split_token(token, max_bytes, may_be_empty=may_be_empty)[1])


@hides_locals
def unsafe_claims(token: str, max_bytes: int = MAX_BYTES) -> Mapping[str, Any]:
    """Return the claims of an unverified token. Use them only to choose the issuer's keys, and trust nothing in them.

    token: the text of the token.
    max_bytes: the length at which a token is rejected before it is decoded; defaults to 64 KiB.

    Raises `VerificationError` if the token is not in the compact form.
    """
    return _read(token, max_bytes).claims


@hides_locals
def unsafe_read(token: str, max_bytes: int = MAX_BYTES) -> UnverifiedToken:
    """Return the parsed, unverified token. Its claims choose the issuer's keys, and `verify` accepts it unparsed again.

    token: the text of the token.
    max_bytes: the length at which a token is rejected before it is decoded; defaults to 64 KiB.

    Raises `VerificationError` if the token is not in the compact form.
    """
    return _read(token, max_bytes)


def _read(token: str, max_bytes: int) -> UnverifiedToken:
    segments = split_token(token, max_bytes)
    header_in(segments[1])
    return UnverifiedToken(parsed(raw_bytes(segments[2], "token"), "token"), segments)


def segments_of(token: UnverifiedToken) -> Segments:
    """Return the signing input and the segments of `token`."""
    return token._segments


def split_token(token: object, max_bytes: int, *, may_be_empty: bool = False) -> Segments:
    """Return the signing input of a token and its three segments (RFC 7515 §7.1).

    may_be_empty: whether the payload may be empty.

    Raises `UsageError` unless the token is text, and `DecodeError` if it is too long or not in the compact form.
    """
    if not isinstance(token, str):
        raise UsageError(f"a token must be text, not {type(token).__name__}")
    if len(token) > max_bytes:
        raise DecodeError("token", "is too long", expected=f"at most {max_bytes} bytes")
    raw = token.encode("ascii", "replace")  # a non-ASCII character becomes "?", which is illegal
    segments = raw.split(b".", 3)
    if len(segments) == 3 and not raw.translate(None, _LEGAL):
        head, payload, signature = segments
        if head and signature and (payload or may_be_empty):
            return raw[: -len(signature) - 1], head, payload, signature
    raise DecodeError("token", "is not a signed token in the compact form (RFC 7515 §7.1)")


def header_in(segment: bytes) -> dict[str, Any]:
    """Return the header in `segment` as a new dictionary, which the caller may change."""
    plain = _plain_header(segment) if len(segment) <= _MAX_HEADER else None
    return _parsed_header(segment) if plain is None else dict(plain)


@lru_cache(256)
def _plain_header(segment: bytes) -> Mapping[str, Any] | None:
    """Return the header in `segment`, or None if it has lists or objects, which shallow copies would share."""
    header = _parsed_header(segment)
    return None if any(isinstance(value, list | dict) for value in header.values()) else header


def _parsed_header(segment: bytes) -> dict[str, Any]:
    header = parsed(raw_bytes(segment, "header"), "header")
    if "crit" in header:
        raise DecodeError("crit", "names extensions that are not understood here (RFC 7515 §4.1.11)")
    if header.get("b64", True) is not True:
        raise DecodeError("b64", "is not allowed in JWTs (RFC 7797 §7)")
    return header


def raw_bytes(segment: bytes, what: str) -> bytes:
    """Return the decoded `segment`. Raises `DecodeError`, also if it has unused bits that are set (RFC 4648 §3.5)."""
    padding = -len(segment) % 4
    if segment[-1] not in _LAST_CHARACTERS[padding]:
        raise DecodeError(what, "is not base64url")
    return a2b_base64(segment.translate(_TO_BASE64) + b"=" * padding)


def parsed(data: bytes, what: str) -> dict[str, Any]:
    """Return the JSON object in `data`; `what` names it in the error."""
    try:
        return parse_object(data)
    except JSONProblem as problem:
        raise DecodeError(what, f"is not acceptable: {problem}") from None

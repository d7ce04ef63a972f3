"""The compact form of signed tokens: the legal text, its three segments, and what an unverified token claims.

Reading it needs no cryptography: a program that never verifies a token does not import joserfc for it.
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
_LAST: Final[tuple[bytes, ...]] = (_LEGAL, b"AEIMQUYcgkosw048", b"AQgw", b"")
"""The last characters that leave no bits over, by the number of characters that base64 pads."""
_MAX_HEADER: Final = 1024
"""Bytes of a header that is remembered."""


Segments: TypeAlias = tuple[bytes, bytes, bytes, bytes]
"""The signing input, and the three segments of a token."""


@dataclass(frozen=True, slots=True, repr=False)
class UnverifiedToken:
    """A token that `unsafe_read` has read, and nothing has verified: use its claims to choose keys, and `verify` it."""

    claims: Mapping[str, Any]
    _segments: Segments

    def __repr__(self) -> str:
        return "<UnverifiedToken>"


@hides_locals
def unsafe_header(token: str, max_bytes: int = MAX_BYTES, *, may_be_empty: bool = False) -> Mapping[str, Any]:
    """Return the header of a token that was not verified: use it to choose a key, and trust nothing in it.

    may_be_empty: whether the payload may be empty, as `verify_bytes` accepts it; claims never are.

    Raises `VerificationError` if the token is not in the legal compact form.
    """
    return header_in(split_token(token, max_bytes, may_be_empty=may_be_empty)[1])


@hides_locals
def unsafe_claims(token: str, max_bytes: int = MAX_BYTES) -> Mapping[str, Any]:
    """Return the claims of a token that was not verified: use them to choose the issuer's keys, and trust
    nothing in them.

    Raises `VerificationError` if the token is not in the legal compact form.
    """
    return _read(token, max_bytes).claims


@hides_locals
def unsafe_read(token: str, max_bytes: int = MAX_BYTES) -> UnverifiedToken:
    """Return a token that was not verified, for `verify`: its claims choose the issuer's keys, and it is read once.

    Raises `VerificationError` if the token is not in the legal compact form.
    """
    return _read(token, max_bytes)


def _read(token: str, max_bytes: int) -> UnverifiedToken:
    segments = split_token(token, max_bytes)
    header_in(segments[1])
    return UnverifiedToken(parsed(raw_bytes(segments[2], "token"), "token"), segments)


def segments_of(token: UnverifiedToken) -> Segments:
    """Return the segments of a token that was read."""
    return token._segments


def split_token(token: object, max_bytes: int, *, may_be_empty: bool = False) -> Segments:
    """Return the signing input of a token, and its three segments, of which the payload's may be empty if the caller
    says so (RFC 7515 §7.1)."""
    if not isinstance(token, str):
        raise UsageError(f"a token is text, not {type(token).__name__}")
    if len(token) > max_bytes:
        raise DecodeError("token", "is too long", expected=f"at most {max_bytes} bytes")
    raw = token.encode("ascii", "replace")  # by a question mark, which is not legal
    segments = raw.split(b".", 3)
    if len(segments) == 3 and not raw.translate(None, _LEGAL):
        head, payload, signature = segments
        if head and signature and (payload or may_be_empty):
            return raw[: -len(signature) - 1], head, payload, signature
    raise DecodeError("token", "is not a signed token in the compact form (RFC 7515 §7.1)")


def header_in(segment: bytes) -> dict[str, Any]:
    """Return the header in `segment` as a dictionary that belongs to the caller."""
    plain = _plain_header(segment) if len(segment) <= _MAX_HEADER else None
    return _parsed_header(segment) if plain is None else dict(plain)


@lru_cache(256)
def _plain_header(segment: bytes) -> Mapping[str, Any] | None:
    """Return the header in `segment`, to be copied; None for one with lists or objects, which a copy would share."""
    header = _parsed_header(segment)
    return None if any(isinstance(value, list | dict) for value in header.values()) else header


def _parsed_header(segment: bytes) -> dict[str, Any]:
    header = parsed(raw_bytes(segment, "header"), "header")
    if "crit" in header:
        raise DecodeError("crit", "names extensions that are not understood here (RFC 7515 §4.1.11)")
    if header.get("b64", True) is not True:
        raise DecodeError("b64", "is not for JWTs (RFC 7797 §7)")
    return header


def raw_bytes(segment: bytes, what: str) -> bytes:
    """Return what the legal characters of `segment` encode; no bits are left over (RFC 4648 §3.5)."""
    padding = -len(segment) % 4
    if segment[-1] not in _LAST[padding]:
        raise DecodeError(what, "is not base64url")
    return a2b_base64(segment.translate(_TO_BASE64) + b"=" * padding)


def parsed(data: bytes, what: str) -> dict[str, Any]:
    """Return the JSON object in `data`; `what` names it in the error."""
    try:
        return parse_object(data)
    except JSONProblem as problem:
        raise DecodeError(what, f"is not acceptable: {problem}") from None

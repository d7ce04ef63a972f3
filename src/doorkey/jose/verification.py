"""Checking signed JWTs in the compact form, strictly (RFC 7515 §5.2, RFC 7519 §7.2, RFC 8725 §3).

Theory of operation. Cheap refusals come first: size, then the legal form, before any base64 or JSON is
decoded. The algorithm comes from the caller's registration; the header may only agree with it. The key comes
from the caller; what a token says about keys (`jwk`, `jku`, `x5u`, `x5c`) is never looked at, and `kid` only
chooses among the caller's keys. Claims exist for the caller only after the signature has been found good.

Each segment is decoded once. What depends on the caller's arguments alone (the registered algorithms, which key fits
which of them) is judged once and remembered; so is the header, since the tokens of one issuer have the same one.
"""

from __future__ import annotations

from binascii import a2b_base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, TypeAlias

from joserfc.jws import JWSRegistry

from doorkey.arguments import texts
from doorkey.errors import UsageError, VerificationError
from doorkey.jose.algorithms import algorithm_named
from doorkey.jose.errors import BadSignatureError, DecodeError, UnsupportedAlgorithmError
from doorkey.jose.key_reading import BROKEN
from doorkey.jose.keys import Key, import_keys
from doorkey.values import hides_locals, unguarded
from doorkey.wire.strict_json import JSONProblem, parse_object

MAX_BYTES = 64 * 1024
MAX_TRIED = 16
"""Keys that one token is checked with."""

_UNKNOWN_KID, _NO_KEY = "is not among the known keys", "has no key that fits it"
_BAD_SIGNATURE: Final = ("signature", "is not good")

_LEGAL: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."
_TO_BASE64: Final = bytes.maketrans(b"-_", b"+/")
_LAST: Final[tuple[bytes, ...]] = (_LEGAL, b"AEIMQUYcgkosw048", b"AQgw", b"")
"""The last characters that leave no bits over, by the number of characters that base64 pads."""
_MAX_HEADER: Final = 1024
"""Bytes of a header that is remembered."""


@dataclass(frozen=True, slots=True, repr=False)
class VerifiedToken:
    """The protected header and the claims of a token whose signature is good. Claims are not judged yet."""

    header: Mapping[str, Any]
    claims: Mapping[str, Any]

    def __repr__(self) -> str:  # claims may be personal
        return f"<VerifiedToken alg={self.header.get('alg')!r}>"


_Segments: TypeAlias = tuple[bytes, bytes, bytes, bytes]
"""The signing input, and the three segments of a token."""


@dataclass(frozen=True, slots=True, repr=False)
class UnverifiedToken:
    """A token that `unsafe_read` has read, and nothing has verified: use its claims to choose keys, and `verify` it."""

    claims: Mapping[str, Any]
    _segments: _Segments

    def __repr__(self) -> str:
        return "<UnverifiedToken>"


@hides_locals
def verify(
    token: str | UnverifiedToken,
    keys: object,
    *,
    algorithms: Iterable[str],
    typ: str | Iterable[str] | None = None,
    max_bytes: int = MAX_BYTES,
) -> VerifiedToken:
    """Return the header and claims of a compact JWS once its form, algorithm, type and signature are found
    good.

    `token` is its text, or what `unsafe_read` returned. `keys` is one key (whatever `import_key` reads), a `Key`
    or a sequence of them, or a JWK Set; `algorithms` are those registered for the token's issuer. `typ`, when given,
    is the one type or the several types that the header must name (RFC 8725 §3.11); the `application/` prefix and
    case do not matter (RFC 7515 §4.1.9).

    Raises `VerificationError` for anything wrong with the token, `UsageError` for a key or algorithm of the
    caller's.
    """
    allowed, candidates = _allowed(algorithms), _import_keys(keys)  # an error of the program comes first
    if isinstance(token, UnverifiedToken):
        return VerifiedToken(_verified_header(token._segments, candidates, allowed, typ), token.claims)
    segments = _split(token, max_bytes)
    header = _verified_header(segments, candidates, allowed, typ)
    return VerifiedToken(header, _parsed(_raw(segments[2], "token"), "token"))


@hides_locals
def verify_bytes(
    token: str,
    keys: object,
    *,
    algorithms: Iterable[str],
    typ: str | Iterable[str] | None = None,
    max_bytes: int = MAX_BYTES,
) -> tuple[Mapping[str, Any], bytes]:
    """Return the header and the payload of a compact JWS that need not hold claims, checked as `verify` checks it.

    The payload may be empty: the segment in the middle is then empty too.
    """
    allowed, candidates = _allowed(algorithms), _import_keys(keys)
    segments = _split(token, max_bytes, may_be_empty=True)
    header = _verified_header(segments, candidates, allowed, typ)
    return header, _raw(segments[2], "token") if segments[2] else b""


_import_keys = unguarded(import_keys)


def _verified_header(
    segments: _Segments, candidates: tuple[Key, ...], allowed: tuple[str, ...], typ: str | Iterable[str] | None
) -> dict[str, Any]:
    """Return the header of a token whose algorithm, type and signature are good."""
    signed, head, _, signature = segments
    header = _header(head)
    alg = header.get("alg")
    if not isinstance(alg, str) or alg not in allowed:
        raise UnsupportedAlgorithmError("alg", "is not the registered one", expected=" or ".join(allowed))
    if typ is not None and header.get("typ") != typ:
        _check_typ(header, (typ,) if isinstance(typ, str) else texts(typ, "typ"))
    _check_signature(signed, signature, alg, _chosen(candidates, header, alg))
    return header


def _allowed(algorithms: Iterable[str]) -> tuple[str, ...]:
    if isinstance(algorithms, tuple):
        try:
            return _registered(algorithms)
        except TypeError:  # one of them cannot be hashed: it is no text
            pass
    return _registered((algorithms,) if isinstance(algorithms, str) else texts(algorithms, "algorithms"))


@lru_cache(64)
def _registered(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(algorithm_named(name).name for name in names)


def asks_for_other_keys(error: VerificationError) -> bool:
    """Return whether `error` says that no key verified the token: a newer key set may have one that does."""
    return isinstance(error, BadSignatureError) or error.reason.startswith((_UNKNOWN_KID, _NO_KEY))


@hides_locals
def unsafe_header(token: str, max_bytes: int = MAX_BYTES, *, may_be_empty: bool = False) -> Mapping[str, Any]:
    """Return the header of a token that was not verified: use it to choose a key, and trust nothing in it.

    `may_be_empty`: whether the payload may be empty, as `verify_bytes` accepts it; claims never are.

    Raises `VerificationError` if the token is not in the legal compact form.
    """
    return _header(_split(token, max_bytes, may_be_empty=may_be_empty)[1])


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
    segments = _split(token, max_bytes)
    _header(segments[1])
    return UnverifiedToken(_parsed(_raw(segments[2], "token"), "token"), segments)


def _split(token: object, max_bytes: int, *, may_be_empty: bool = False) -> _Segments:
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


def _header(segment: bytes) -> dict[str, Any]:
    """Return the header in `segment` as a dictionary that belongs to the caller."""
    plain = _plain_header(segment) if len(segment) <= _MAX_HEADER else None
    return _parsed_header(segment) if plain is None else dict(plain)


@lru_cache(256)
def _plain_header(segment: bytes) -> Mapping[str, Any] | None:
    """Return the header in `segment`, to be copied; None for one with lists or objects, which a copy would share."""
    header = _parsed_header(segment)
    return None if any(isinstance(value, list | dict) for value in header.values()) else header


def _parsed_header(segment: bytes) -> dict[str, Any]:
    header = _parsed(_raw(segment, "header"), "header")
    if "crit" in header:
        raise DecodeError("crit", "names extensions that are not understood here (RFC 7515 §4.1.11)")
    if header.get("b64", True) is not True:
        raise DecodeError("b64", "is not for JWTs (RFC 7797 §7)")
    return header


def _raw(segment: bytes, what: str) -> bytes:
    """Return what the legal characters of `segment` encode; no bits are left over (RFC 4648 §3.5)."""
    padding = -len(segment) % 4
    if segment[-1] not in _LAST[padding]:
        raise DecodeError(what, "is not base64url")
    return a2b_base64(segment.translate(_TO_BASE64) + b"=" * padding)


def _parsed(data: bytes, what: str) -> dict[str, Any]:
    try:
        return parse_object(data)
    except JSONProblem as problem:
        raise DecodeError(what, f"is not acceptable: {problem}") from None


def _check_typ(header: Mapping[str, Any], wanted: tuple[str, ...]) -> None:
    found = header.get("typ")
    if not isinstance(found, str) or _media_type(found) not in {_media_type(name) for name in wanted}:
        raise VerificationError("typ", "is not the type of token that is wanted here", expected=" or ".join(wanted))


def _media_type(typ: str) -> str:
    return typ.lower().removeprefix("application/")


def _chosen(keys: Iterable[Key], header: Mapping[str, Any], alg: str) -> list[Key]:
    """Return the keys that may have signed: those of the token's `kid`, or any when one side names none."""
    kid = header.get("kid")
    fitting: list[Key] = []
    misfit: str | None = None
    for key in keys:
        if kid is None or (own := key.kid) is None or own == kid:
            if (why := key.misfit(alg)) is None:
                fitting.append(key)
            else:
                misfit = why
    if not fitting:
        unknown = VerificationError("kid", _UNKNOWN_KID)
        raise unknown if misfit is None else VerificationError("alg", f"{_NO_KEY}: {misfit}")
    if len(fitting) > MAX_TRIED:
        raise VerificationError("kid", f"does not choose one key: more than {MAX_TRIED} fit, and each costs a check")
    return fitting


def _check_signature(signed: bytes, segment: bytes, alg: str, keys: Iterable[Key]) -> None:
    """Raise `BadSignatureError` unless one of the keys verifies the signature by joserfc's algorithm `alg`."""
    try:
        signature = _raw(segment, "signature")
    except DecodeError:
        raise BadSignatureError(*_BAD_SIGNATURE) from None
    algorithm = JWSRegistry.algorithms[alg]
    for key in keys:
        try:
            if algorithm.verify(signed, signature, key.jose):
                return
        except BROKEN:
            continue
    raise BadSignatureError(*_BAD_SIGNATURE)

"""Verifies signed JWTs in the compact form, strictly (RFC 7515 §5.2, RFC 7519 §7.2, RFC 8725 §3).

Theory of operation. Cheap checks come first: size, then the compact form, before any base64 or JSON is decoded. The
algorithm of the header must be one that the caller has registered. The key comes from the caller. The header members
`jwk`, `jku`, `x5u` and `x5c` are ignored, and `kid` only chooses among the caller's keys. The caller gets claims only
after the signature is verified.

Each segment is decoded once. The checks that depend on the caller's arguments alone (the registered algorithms, which
key fits which algorithm) are done once and cached. Headers are cached too, because the tokens of one issuer mostly
have the same header.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from joserfc.jws import JWSRegistry

from doorkey.arguments import texts
from doorkey.errors import VerificationError
from doorkey.jose.algorithms import algorithm_named
from doorkey.jose.compact import (
    MAX_BYTES,
    Segments,
    UnverifiedToken,
    header_in,
    parsed,
    raw_bytes,
    segments_of,
    split_token,
    unsafe_claims,
    unsafe_header,
    unsafe_read,
)
from doorkey.jose.errors import BadSignatureError, DecodeError, UnsupportedAlgorithmError
from doorkey.jose.key_choice import NoKeyError
from doorkey.jose.key_reading import BROKEN
from doorkey.jose.keys import Key, import_keys
from doorkey.values import hides_locals, unguarded

__all__ = [
    "MAX_BYTES",
    "MAX_TRIED",
    "UnverifiedToken",
    "VerifiedToken",
    "asks_for_other_keys",
    "unsafe_claims",
    "unsafe_header",
    "unsafe_read",
    "verify",
    "verify_bytes",
]

MAX_TRIED = 16
"""The largest number of keys that are tried for one token."""

_BAD_SIGNATURE: Final = ("signature", "cannot be verified with these keys")


@dataclass(frozen=True, slots=True, repr=False)
class VerifiedToken:
    """A token with a verified signature.

    header: the protected header.
    claims: the claims, which are not checked yet.
    """

    header: Mapping[str, Any]
    claims: Mapping[str, Any]

    def __repr__(self) -> str:  # claims may be personal
        return f"<VerifiedToken alg={self.header.get('alg')!r}>"


@hides_locals
def verify(
    token: str | UnverifiedToken,
    keys: object,
    *,
    algorithms: Iterable[str],
    typ: str | Iterable[str] | None = None,
    max_bytes: int = MAX_BYTES,
) -> VerifiedToken:
    """Return the header and the claims of a compact JWS, after its form, algorithm, type and signature are verified.

    token: the text of the token, or the result of `unsafe_read`.
    keys: a key as `doorkey.jose.keys.import_key` reads it, a sequence of keys, or a JWK Set.
    algorithms: the signature algorithms that are registered for the token's issuer.
    typ: the accepted `typ` of the header, or several (RFC 8725 §3.11). A prefix `application/` and the case of letters
        are ignored (RFC 7515 §4.1.9). None: any type.
    max_bytes: the length at which a token is rejected before it is decoded; defaults to 64 KiB.

    Raises `VerificationError` for an invalid token, and `UsageError` for invalid keys and algorithms of the caller.
    """
    allowed, candidates = _allowed(algorithms), _import_keys(keys)  # first: a wrong argument raises for any token
    if isinstance(token, UnverifiedToken):
        return VerifiedToken(_verified_header(segments_of(token), candidates, allowed, typ), token.claims)
    segments = split_token(token, max_bytes)
    header = _verified_header(segments, candidates, allowed, typ)
    return VerifiedToken(header, parsed(raw_bytes(segments[2], "token"), "token"))


@hides_locals
def verify_bytes(
    token: str,
    keys: object,
    *,
    algorithms: Iterable[str],
    typ: str | Iterable[str] | None = None,
    max_bytes: int = MAX_BYTES,
) -> tuple[Mapping[str, Any], bytes]:
    """Return the header and the payload of a compact JWS. The payload may be any bytes, or empty.

    The parameters and errors are those of `verify`.
    """
    allowed, candidates = _allowed(algorithms), _import_keys(keys)
    segments = split_token(token, max_bytes, may_be_empty=True)
    header = _verified_header(segments, candidates, allowed, typ)
    return header, raw_bytes(segments[2], "token") if segments[2] else b""


_import_keys = unguarded(import_keys)


def _verified_header(
    segments: Segments, candidates: tuple[Key, ...], allowed: tuple[str, ...], typ: str | Iterable[str] | None
) -> dict[str, Any]:
    """Return the header of a token after its algorithm, type and signature are verified."""
    signed, head, _, signature = segments
    header = header_in(head)
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
        except TypeError:  # a member is not hashable, and so not text: `texts` raises
            pass
    return _registered((algorithms,) if isinstance(algorithms, str) else texts(algorithms, "algorithms"))


@lru_cache(64)
def _registered(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(algorithm_named(name).name for name in names)


def asks_for_other_keys(error: VerificationError) -> bool:
    """Return whether `error` means that no key verified the token, so that a newer key set may help."""
    return isinstance(error, BadSignatureError | NoKeyError)


def _check_typ(header: Mapping[str, Any], wanted: tuple[str, ...]) -> None:
    found = header.get("typ")
    if not isinstance(found, str) or _media_type(found) not in {_media_type(name) for name in wanted}:
        raise VerificationError("typ", "is not an accepted type of token", expected=" or ".join(wanted))


def _media_type(typ: str) -> str:
    return typ.lower().removeprefix("application/")


def _chosen(keys: Iterable[Key], header: Mapping[str, Any], alg: str) -> list[Key]:
    """Return the keys that may have signed: those with the token's `kid`. A missing `kid` on either side matches."""
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
        if misfit is None:
            raise NoKeyError("kid", "is not among the known keys")
        raise NoKeyError("alg", f"has no key that fits it: {misfit}")
    if len(fitting) > MAX_TRIED:
        raise VerificationError("kid", f"does not choose one key: more than {MAX_TRIED} keys fit, too many to try all")
    return fitting


def _check_signature(signed: bytes, segment: bytes, alg: str, keys: Iterable[Key]) -> None:
    """Raise `BadSignatureError` unless one of the keys verifies the signature with joserfc's algorithm `alg`."""
    try:
        signature = raw_bytes(segment, "signature")
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

"""Checking signed JWTs in the compact form, strictly (RFC 7515 §5.2, RFC 7519 §7.2, RFC 8725 §3).

Theory of operation. Cheap refusals come first: size, then the legal form, before any base64 or JSON is
decoded. The algorithm comes from the caller's registration; the header may only agree with it. The key comes
from the caller; what a token says about keys (`jwk`, `jku`, `x5u`, `x5c`) is never looked at, and `kid` only
chooses among the caller's keys. Claims exist for the caller only after the signature has been found good.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from joserfc import jws
from joserfc.util import urlsafe_b64decode

from doorkey.arguments import texts
from doorkey.errors import OAuthError, UsageError, VerificationError, scrubbed
from doorkey.jose.algorithms import ExactRegistry, algorithm_named
from doorkey.jose.errors import BadSignatureError, DecodeError, UnsupportedAlgorithmError
from doorkey.jose.key_reading import BROKEN
from doorkey.jose.keys import Key, import_keys
from doorkey.values import hides_locals
from doorkey.wire.strict_json import JSONProblem, parse_object

MAX_BYTES = 64 * 1024
MAX_TRIED = 16
"""Keys that one token is checked with."""

_UNKNOWN_KID, _NO_KEY = "is not among the known keys", "has no key that fits it"

_COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True, repr=False)
class VerifiedToken:
    """The protected header and the claims of a token whose signature is good. Claims are not judged yet."""

    header: Mapping[str, Any]
    claims: Mapping[str, Any]

    def __repr__(self) -> str:  # claims may be personal
        return f"<VerifiedToken alg={self.header.get('alg')!r}>"


@hides_locals
def verify(
    token: str,
    keys: object,
    *,
    algorithms: Iterable[str],
    typ: str | Iterable[str] | None = None,
    max_bytes: int = MAX_BYTES,
) -> VerifiedToken:
    """Return the header and claims of a compact JWS once its form, algorithm, type and signature are found
    good.

    `keys` is one key (whatever `import_key` reads), a `Key` or a sequence of them, or a JWK Set; `algorithms`
    are those registered for the token's issuer. `typ`, when given, is the one type or the several types
    that the header must name (RFC 8725 §3.11); the `application/` prefix and case do not matter (RFC 7515
    §4.1.9).

    Raises `VerificationError` for anything wrong with the token, `UsageError` for a key or algorithm of the
    caller's.
    """
    header, payload = verify_bytes(token, keys, algorithms=algorithms, typ=typ, max_bytes=max_bytes)
    return VerifiedToken(header, _parsed(payload, "token"))


@hides_locals
def verify_bytes(
    token: str,
    keys: object,
    *,
    algorithms: Iterable[str],
    typ: str | Iterable[str] | None = None,
    max_bytes: int = MAX_BYTES,
) -> tuple[Mapping[str, Any], bytes]:
    """Return the header and the payload of a compact JWS that need not hold claims, checked as `verify` checks it."""
    named = [algorithms] if isinstance(algorithms, str) else texts(algorithms, "algorithms")
    allowed = tuple(algorithm_named(name).name for name in named)
    candidates = import_keys(keys)
    header = _header(token, max_bytes)
    alg = header.get("alg")
    if not isinstance(alg, str) or alg not in allowed:
        raise UnsupportedAlgorithmError("alg", "is not the registered one", expected=" or ".join(allowed))
    if typ is not None:
        _check_typ(header, [typ] if isinstance(typ, str) else list(texts(typ, "typ")))
    _check_signature(token, alg, _chosen(candidates, header, alg))
    return header, _raw(token.split(".")[1], "token")


def asks_for_other_keys(error: VerificationError) -> bool:
    """Return whether `error` says that no key verified the token: a newer key set may have one that does."""
    return isinstance(error, BadSignatureError) or error.reason.startswith((_UNKNOWN_KID, _NO_KEY))


@hides_locals
def unsafe_header(token: str, max_bytes: int = MAX_BYTES) -> Mapping[str, Any]:
    """Return the header of a token that was not verified: use it to choose a key, and trust nothing in it.

    Raises `VerificationError` if the token is not in the legal compact form.
    """
    return _header(token, max_bytes)


@hides_locals
def unsafe_claims(token: str, max_bytes: int = MAX_BYTES) -> Mapping[str, Any]:
    """Return the claims of a token that was not verified: use them to choose the issuer's keys, and trust
    nothing in them.

    Raises `VerificationError` if the token is not in the legal compact form.
    """
    _header(token, max_bytes)
    return _decoded(token.split(".")[1], "token")


def _header(token: object, max_bytes: int) -> dict[str, Any]:
    if not isinstance(token, str):
        raise UsageError(f"a token is text, not {type(token).__name__}")
    if len(token) > max_bytes:
        raise DecodeError("token", "is too long", expected=f"at most {max_bytes} bytes")
    if not _COMPACT.fullmatch(token):
        raise DecodeError("token", "is not a signed token in the compact form (RFC 7515 §7.1)")
    header = _decoded(token.partition(".")[0], "header")
    if "crit" in header:
        raise DecodeError("crit", "names extensions that are not understood here (RFC 7515 §4.1.11)")
    if header.get("b64", True) is not True:
        raise DecodeError("b64", "is not for JWTs (RFC 7797 §7)")
    return header


def _decoded(segment: str, what: str) -> dict[str, Any]:
    return _parsed(_raw(segment, what), what)


def _raw(segment: str, what: str) -> bytes:
    try:
        return urlsafe_b64decode(segment.encode("ascii"))
    except ValueError as error:
        raise DecodeError(what, "is not base64url") from scrubbed(error)


def _parsed(data: bytes, what: str) -> dict[str, Any]:
    try:
        return parse_object(data)
    except JSONProblem as problem:
        raise DecodeError(what, f"is not acceptable: {problem}") from None


def _check_typ(header: Mapping[str, Any], wanted: list[str]) -> None:
    found = header.get("typ")
    if not isinstance(found, str) or _media_type(found) not in {_media_type(name) for name in wanted}:
        raise VerificationError("typ", "is not the type of token that is wanted here", expected=" or ".join(wanted))


def _media_type(typ: str) -> str:
    return typ.lower().removeprefix("application/")


def _chosen(keys: Iterable[Key], header: Mapping[str, Any], alg: str) -> list[Key]:
    """Return the keys that may have signed: those of the token's `kid`, or any when one side names none."""
    kid = header.get("kid")
    by_kid = [key for key in keys if kid is None or key.kid is None or key.kid == kid]
    if not by_kid:
        raise VerificationError("kid", _UNKNOWN_KID)
    fitting: list[Key] = []
    misfit: UsageError | None = None
    for key in by_kid:
        try:
            key.check(alg, "verify")
        except UsageError as error:
            misfit = error
        else:
            fitting.append(key)
    if len(fitting) > MAX_TRIED:
        raise VerificationError("kid", f"does not choose one key: more than {MAX_TRIED} fit, and each costs a check")
    if not fitting:
        raise VerificationError("alg", _NO_KEY + (f": {misfit.description}" if misfit else ""))
    return fitting


def _check_signature(token: str, alg: str, keys: Iterable[Key]) -> None:
    registry = ExactRegistry((alg,))
    for key in keys:
        try:
            jws.deserialize_compact(token, key.jose, registry=registry)
        except OAuthError:
            raise
        except (*BROKEN, RecursionError):
            continue
        return
    raise BadSignatureError("signature", "is not good")

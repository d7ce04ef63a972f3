"""Generates a key of a given type (RFC 7518 §6, RFC 8037 §2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, cast

from joserfc.jwk import JWKRegistry

from doorkey.arguments import count, text
from doorkey.errors import UsageError, printable
from doorkey.jose.algorithms import MIN_RSA_BITS
from doorkey.jose.key_reading import JoseKey


@dataclass(frozen=True, slots=True)
class _Type:
    """The possible keys of one type: on one of `curves`, or with `least` to `most` bits; `default` is one of these."""

    default: str | int
    curves: tuple[str, ...] = ()
    least: int = 0
    most: int = 0


_TYPES: Final = {
    "RSA": _Type(MIN_RSA_BITS, least=MIN_RSA_BITS, most=8192),
    "EC": _Type("P-256", ("P-256", "P-384", "P-521")),
    "OKP": _Type("Ed25519", ("Ed25519", "Ed448", "X25519", "X448")),
    "oct": _Type(256, least=128, most=8192),
}


def new_key(kty: str, crv_or_size: object, *, private: bool) -> JoseKey:
    """Return a new private key or secret.

    crv_or_size: a curve, or a size in bits; None: the default of the type.
    private: False if the caller wants the public half. A secret has none, so this raises `UsageError` for `oct`.

    Raises `UsageError` for an unknown type, curve or size.
    """
    kind = _TYPES.get(text(kty, "kty"))
    if kind is None:
        raise UsageError(f"kty must be one of {', '.join(_TYPES)}, not {printable(kty, 40)!r}")
    chosen = kind.default if crv_or_size is None else crv_or_size
    if kind.curves and chosen not in kind.curves:
        raise UsageError(f"the curve of an {kty} key must be one of {', '.join(kind.curves)}")
    if not kind.curves:
        chosen = count(chosen, f"the size of an {kty} key in bits", least=kind.least, most=kind.most)
    if kty == "oct" and not private:
        raise UsageError("a shared secret has no public half: give is_private=True")
    return JWKRegistry.generate_key(kty, cast("Any", chosen), private=True)

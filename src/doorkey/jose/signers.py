"""Signatures of assertions: the algorithm that fits a key, and signers with the key in a KMS.

A KMS (AWS KMS, Google Cloud KMS, Azure Key Vault, an HSM) never returns the private key. So a *signer* is a callable
that gets the bytes to sign and returns the signature, in the form of RFC 7518 §3: for ECDSA, the numbers R and S, each
as long as the curve (§3.4). Most KMS return ECDSA signatures in DER, which is illegal in a JWT. A DER signature is
detected, and the error explains how to convert it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, TypeAlias, cast

from joserfc.util import urlsafe_b64encode

from doorkey.errors import OAuthError, TransportError, UsageError, printable
from doorkey.jose.algorithms import ALGORITHMS, ASYMMETRIC, MAX_RSA_BITS, MIN_RSA_BITS
from doorkey.jose.keys import Key
from doorkey.jose.signing import json_of, protected_header, sign
from doorkey.values import hides_locals, without_frames
from doorkey.wire.flow import Flow, maybe_await

Signer: TypeAlias = "Callable[[bytes], bytes | Awaitable[bytes]]"
"""Signs bytes with a private key that it does not disclose. The result may be awaitable in an asynchronous program."""

_BYTES: Final[Mapping[str, tuple[int, ...]]] = {
    "ES256": (64,),
    "ES384": (96,),
    "ES512": (132,),
    "EdDSA": (64, 114),
    "Ed25519": (64,),
    "Ed448": (114,),
}
"""Possible sizes of a signature in bytes (RFC 7518 §3.4, RFC 8032 §5). An RSA signature is as long as the modulus."""
_DER: Final = 0x30


def algorithm_for(key: Key, supported: object = None) -> str:
    """Return the algorithm to sign with `key`: the key's own `alg`, else one that fits its type and curve.

    supported: the server's list of names (RFC 8414 §2). The most preferred fitting algorithm in it is chosen: shorter
        hashes before longer ones, and RS256 before PS256. Without a list, or if none of its names fits, the result is
        ES256 for P-256, ES384 for P-384, ES512 for P-521, EdDSA for Ed25519 and Ed448, RS256 for RSA, and HS256 for a
        secret.

    Raises `UsageError` if no algorithm fits the key.
    """
    own: object = key.jose.get("alg")
    if isinstance(own, str):
        return own
    curve: object = getattr(key.jose, "curve_name", None)
    several = [one for one in ALGORITHMS.values() if one.kty == key.kty and (not one.curves or curve in one.curves)]
    if not several:
        raise UsageError(f"no algorithm signs with a key on {printable(str(curve), 40)}: use P-256, or Ed25519")
    fitting = sorted((one.name for one in several), key=lambda name: name[2:] if key.kty in ("RSA", "oct") else "")
    listed = cast("list[object]", supported) if isinstance(supported, list) else fitting
    return next((name for name in fitting if name in listed), fitting[0])


@hides_locals
def sign_by_key(
    claims: Mapping[str, object],
    key: Key,
    *,
    alg: str | None,
    header: Mapping[str, object],
    supported: object = None,
    is_secret: bool = False,
    thumbprint_kid: bool = False,
    allow_short_secret: bool = False,
) -> str:
    """Return `claims` as a compact JWS that is signed with `key`, as `doorkey.jose.signing.sign` does.

    alg: the signature algorithm; None: `algorithm_for(key, supported)`.
    supported: the server's list of algorithms, for `algorithm_for`.
    is_secret: True to require a shared secret, False to require a private key.
    thumbprint_kid: True to use the thumbprint of a key without a `kid` as its `kid` (RFC 7638).

    The other parameters are those of `sign`. Raises its errors, and `UsageError` for the other kind of key.
    """
    if (key.kty == "oct") is not is_secret:
        needed = "a shared secret" if is_secret else "a private key (PEM, JWK or key object)"
        raise UsageError(f"this signature needs {needed}, and another kind of key was given")
    alg = algorithm_for(key, supported) if alg is None else alg
    if thumbprint_kid and not key.kid:
        header = {"kid": key.jose.thumbprint(), **header}
    return sign(claims, key, alg=alg, header=header, allow_short_secret=allow_short_secret)


def sign_by_signer(
    claims: Mapping[str, object], signer: Signer, *, alg: str, header: Mapping[str, object]
) -> Flow[str]:
    """Return `claims` as a compact JWS that is signed by `signer`, which may be asynchronous.

    Raises `UsageError` for claims that are not JSON, for an `alg` that is not one of `ASYMMETRIC`, and for a signature
    of the wrong type or size. An error of the signer becomes a retryable `TransportError`, without its frames.
    """
    if alg not in ASYMMETRIC:
        raise UsageError(f"the alg of a signer must be one of {', '.join(ASYMMETRIC)}, not {printable(alg, 40)!r}")
    texts = (json_of(protected_header(alg, None, header)), json_of(claims))
    data = b".".join(urlsafe_b64encode(text.encode()) for text in texts)
    failed = None
    try:
        signature = yield from maybe_await(signer(data))
    except OAuthError:
        raise
    except Exception as error:  # noqa: BLE001  # of the program's own callable
        failed = _failure_of(error)
    else:
        return _compact(data, signature, alg)
    raise failed  # after the `except` block, which would set the error with its frames as the context


def _failure_of(error: Exception) -> TransportError:
    """Return the `TransportError` for an error of a signer.

    The error loses its frames and its HTTP messages, because they contain the credentials for the KMS.
    """
    failure = TransportError(f"the signer failed with {type(error).__name__}: nothing was signed", retryable=True)
    failure.__cause__ = without_frames(error)
    for name in ("request", "_request", "response"):  # of requests, httpx2, httpx, and the libraries on them
        if name in vars(error):
            setattr(error, name, None)
    return failure


def _compact(data: bytes, signature: Any, alg: str) -> str:
    if not isinstance(signature, bytes | bytearray | memoryview):
        kind = type(cast("object", signature)).__name__
        raise UsageError(f"a signer must return the signature as bytes, not {kind}: if it is base64, decode it")
    raw = bytes(cast("bytes | bytearray", signature))
    sizes = _BYTES.get(alg, range(MIN_RSA_BITS // 8, MAX_RSA_BITS // 8 + 1))
    if len(raw) in sizes:
        return b".".join((data, urlsafe_b64encode(raw))).decode("ascii")
    if alg.startswith("ES") and raw[:1] == bytes((_DER,)):
        raise UsageError(
            f"the signer returned an ECDSA signature in DER, as most KMS do, and {alg} needs R and S (RFC 7518 §3.4): "
            "convert it with r, s = decode_dss_signature(der) of cryptography, and return "
            f"r.to_bytes({sizes[0] // 2}) + s.to_bytes({sizes[0] // 2})"
        )
    expected = f"{MIN_RSA_BITS // 8} or more" if alg not in _BYTES else " or ".join(map(str, sizes))
    raise UsageError(f"a signature by {alg} has {expected} bytes, but the signer returned {len(raw)}")

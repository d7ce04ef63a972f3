"""Signs JWTs and messages in the compact form (RFC 7515 §7.1, RFC 7519)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from joserfc import jws

from doorkey.errors import OAuthError, UsageError, scrubbed
from doorkey.jose.algorithms import ExactRegistry
from doorkey.jose.key_reading import BROKEN
from doorkey.jose.keys import import_key
from doorkey.values import hides_locals


@hides_locals
def sign(
    claims: Mapping[str, object],
    key: object,
    *,
    alg: str,
    header: Mapping[str, object] | None = None,
    allow_short_secret: bool = False,
) -> str:
    """Return `claims` as a compact JWS that is signed with `key` (RFC 7519 §7.1).

    key: a private key or a secret, as `doorkey.jose.keys.import_key` reads it.
    alg: the signature algorithm.
    header: further members of the protected header. It has `alg`, `typ` (`JWT` by default) and the key's own `kid`.
    allow_short_secret: True to accept a secret that is shorter than the hash, because the server chose it.

    Raises `UsageError` if the key does not fit the algorithm, or the claims are not JSON.
    """
    return sign_bytes(json_of(claims), key, alg=alg, header=header, allow_short_secret=allow_short_secret, typ="JWT")


@hides_locals
def sign_bytes(
    payload: bytes | str,
    key: object,
    *,
    alg: str,
    header: Mapping[str, object] | None = None,
    allow_short_secret: bool = False,
    typ: str | None = None,
) -> str:
    """Return `payload` as a compact JWS. It need not be claims, and may be empty.

    payload: bytes, or a text that is encoded as UTF-8.
    typ: the `typ` of the header unless `header` has one; None: no `typ`.

    The other parameters and the errors are those of `sign`.
    """
    imported = import_key(key)
    imported.check(alg, "sign", allow_short_secret=allow_short_secret)
    protected = protected_header(alg, imported.kid, header, typ=typ)
    given: object = payload
    if not isinstance(given, bytes | str):
        raise UsageError(f"the payload must be bytes or text, not {type(given).__name__}")
    json_of(protected)  # joserfc would write NaN
    try:
        return jws.serialize_compact(protected, payload, imported.jose, registry=ExactRegistry((alg,)))
    except OAuthError:
        raise
    except BROKEN as error:
        raise UsageError(f"the token cannot be signed ({type(error).__name__})") from scrubbed(error)


def protected_header(
    alg: str, kid: str | None, header: Mapping[str, object] | None, *, typ: str | None = "JWT"
) -> dict[str, Any]:
    """Return the protected header of a token: `alg`, `typ`, the `kid` of the key, and the members of `header`.

    Raises `UsageError` for a `header` that names another algorithm, and for `crit` and `b64` (RFC 7797 §7).
    """
    protected: dict[str, Any] = {
        "alg": alg,
        **({"typ": typ} if typ else {}),
        **({"kid": kid} if kid else {}),
        **(header or {}),
    }
    if protected["alg"] != alg:
        raise UsageError("the header names another algorithm than `alg`")
    if "crit" in protected or "b64" in protected:
        raise UsageError("`crit` and `b64` are not supported in the header of a token to sign (RFC 7797 §7)")
    return protected


@hides_locals
def json_of(members: Mapping[str, object]) -> str:
    """Return `members`, a header or claims, as JSON. Raises `UsageError` if they are not JSON (RFC 7519 §7.1)."""
    try:
        return json.dumps(dict(members), separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise UsageError(f"the token cannot be signed ({type(error).__name__})") from scrubbed(error)

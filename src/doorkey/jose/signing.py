"""Making signed JWTs in the compact form (RFC 7515 §7.1, RFC 7519)."""

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
    """Return `claims` as a compact JWS, signed with `key` by `alg` and nothing else.

    `key` is a key as `doorkey.jose.keys.import_key` reads it. `header` adds members to the protected header,
    which holds `alg`, `typ` (`JWT` unless said otherwise) and the key's own `kid` where it has one. Raises
    `UsageError` if the key does not fit the algorithm, or the claims are not JSON (RFC 7519 §7.1).
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
    """Return `payload`, which need not be claims, as a compact JWS; a text is encoded as UTF-8. It may be empty.

    typ: that of the header, unless `header` has one; defaults to none.

    The other parameters are those of `sign`.
    """
    imported = import_key(key)
    imported.check(alg, "sign", allow_short_secret=allow_short_secret)
    protected = protected_header(alg, imported.kid, header, typ=typ)
    given: object = payload
    if not isinstance(given, bytes | str):
        raise UsageError(f"the payload is bytes or text, not {type(given).__name__}")
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
        raise UsageError("`crit` and `b64` have no place in a token made here (RFC 7797 §7)")
    return protected


@hides_locals
def json_of(members: Mapping[str, object]) -> str:
    """Return `members`, a header or claims, as JSON. Raises `UsageError` if they are none (RFC 7519 §7.1)."""
    try:
        return json.dumps(dict(members), separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise UsageError(f"the token cannot be signed ({type(error).__name__})") from scrubbed(error)

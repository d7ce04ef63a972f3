"""The key set that an authorization server publishes: the request, and the choice of usable keys (RFC 7517)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, cast

from doorkey.errors import InvalidResponse, UsageError, printable
from doorkey.jose.keys import MAX_KEYS, Key, import_key
from doorkey.wire.error_context import names_exchange
from doorkey.wire.messages import Request, Response
from doorkey.wire.responses import json_answer

Keys = tuple[Key, ...]

_MAX_KID: Final = 64
_PRIVATE: Final = "it is private or symmetric: its secret has been published, so replace the key at the server"


@dataclass(frozen=True, slots=True)
class KeySet:
    """The usable public keys of a JWK Set.

    keys: the keys.
    skipped: a line with the reason for each skipped member, without key material.
    """

    keys: Keys
    skipped: tuple[str, ...] = ()


def jwks_request(uri: str) -> Request:
    """Return the request for the key set at `uri`."""
    return Request("GET", uri, (("Accept", "application/jwk-set+json, application/json"),))


@names_exchange
def parse_jwks(response: Response, now: float | None = None) -> KeySet:
    """Return the public keys in a response to `jwks_request` (RFC 7517 §5).

    now: seconds since the epoch, for a date in `Retry-After` of `response`.

    Malformed, unsupported, private and symmetric keys are skipped.

    Raises `InvalidResponse` if the response is not a JWK Set or has more than 100 keys, and `ServerError` if it is an
    OAuth error.
    """
    members = json_answer(response, "key set", now)
    found = members.get("keys")
    if not isinstance(found, list):
        raise InvalidResponse(
            "key_set",
            "the response is not a JWK Set: it has no list called keys (RFC 7517 §5); is jwks_uri the right URL?",
            status=response.status,
        )
    listed = cast("list[object]", found)
    if len(listed) > MAX_KEYS:
        raise InvalidResponse(
            "too_many_keys", f"the JWK Set has {len(listed)} keys, more than {MAX_KEYS}", status=response.status
        )
    keys: list[Key] = []
    skipped: list[str] = []
    for number, member in enumerate(listed):
        try:
            keys.append(_public_key(member))
        except UsageError as error:
            skipped.append(f"{_label(number, member)}: {error.description}")
    return KeySet(tuple(keys), tuple(skipped))


def _public_key(member: object) -> Key:
    if not isinstance(member, dict):
        raise UsageError("it is not a JSON object")
    jwk = cast("dict[str, Any]", member)
    if jwk.get("kty") == "oct" or "d" in jwk or "k" in jwk:
        raise UsageError(_PRIVATE)  # checked first, because the secret of a malformed key has been published too
    return import_key(jwk)


def _label(number: int, member: object) -> str:
    """Return the index of a key in the set, and its `kid`, as text for a message."""
    kid = cast("dict[str, object]", member).get("kid") if isinstance(member, dict) else None
    return f"key {number}" + (f" (kid {printable(kid, _MAX_KID)!r})" if isinstance(kid, str) else "")

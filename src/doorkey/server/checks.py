"""Checks of registrations and settings. Each raises a `UsageError` that states the expected value."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, cast
from urllib.parse import urlsplit

from doorkey.arguments import did_you_mean, encodable, instance, mapping, nonempty_text, text, texts
from doorkey.errors import UsageError, printable
from doorkey.values import Secret

OWN_CLAIMS = frozenset({"iss", "sub", "exp", "iat", "jti", "typ", "azp", "client_id", "sid", "gid", "scope", "nonce"})
"""Claims that no registration may set."""


def names(value: object, what: str) -> tuple[str, ...]:
    """Return one text or several as a tuple. Raises `UsageError` for one that is empty or cannot be encoded."""
    return tuple(nonempty_text(one, f"each of {what}") for one in texts(value, what))


def check_secret(value: object, what: str) -> None:
    """Raise `UsageError` unless `value` is None, or a `Secret` that can be encoded."""
    if value is not None and not encodable(instance(value, Secret, f"{what} must be a doorkey.values.Secret").reveal()):
        raise UsageError(f"{what} has a lone surrogate, which cannot be encoded")


def check_json(value: object, what: str) -> None:
    """Raise `UsageError` unless `value` is a mapping of JSON values."""
    try:
        json.dumps(dict(mapping(value, what)), allow_nan=False, ensure_ascii=False).encode()
    except (TypeError, ValueError, RecursionError):
        raise UsageError(f"{what} must be JSON values: strings, numbers, lists, dictionaries") from None


def check_added_claims(registered: object) -> None:
    """Check the three kinds of added claims of a client or a user by `check_claims`."""
    for what in ("access_token_claims", "id_token_claims", "userinfo_claims"):
        check_claims(getattr(registered, what), what)


def check_claims(claims: Mapping[str, Any], what: str) -> None:
    """Raise `UsageError` for claims that are not JSON, and for a claim by which the server recognizes its own tokens.

    An `aud` must be a text or a list of texts, and Keycloak's `resource_access` a mapping, because the server reads
    both.
    """
    check_json(claims, what)
    for name in claims:
        if name in OWN_CLAIMS:
            raise UsageError(
                f"{what} cannot contain {name!r}, because the server sets it. To change it in a test, mint a token"
            )
    if "aud" in claims and not names(claims["aud"], f"aud in {what}"):
        raise UsageError(f"aud in {what} must name an audience: add one, or omit aud")
    mapping(claims.get("resource_access", {}), f"resource_access in {what}")


def check_jwks(value: object, what: str) -> None:
    """Raise `UsageError` for a mapping that is not a JWK Set (RFC 7517 §5). The keys are read when they are used."""
    keys = mapping(value, what).get("keys", [])  # without this member, it may be a single key
    if not isinstance(keys, list | tuple) or not all(isinstance(key, Mapping) for key in cast("list[object]", keys)):
        raise UsageError(f"{what} must be a JWK Set: a mapping whose member `keys` is a list of JWKs (RFC 7517 §5)")


def is_parsable(uri: str) -> bool:
    """Return whether Python can split a URI into its parts. It cannot if brackets contain no IP address."""
    try:
        urlsplit(uri)
    except ValueError:
        return False
    return True


def check_known(value: object, known: tuple[str, ...], what: str) -> None:
    """Raise `UsageError` unless `value` is one of `known`. The message suggests the most similar value."""
    if nonempty_text(value, f"the {what}") not in known:
        raise UsageError(_unknown(str(value), known, what))


def _unknown(name: str, known: tuple[str, ...], what: str) -> str:
    supported = f"; supported: {', '.join(known)}"
    return f"unknown {what} {printable(name, 80)!r}{did_you_mean(name, known, supported)}"


def check_optional(value: object, what: str) -> None:
    """Raise `UsageError` unless `value` is None, or text that can be encoded."""
    if value is not None and not encodable(text(value, what)):
        raise UsageError(f"{what} has a lone surrogate, which cannot be encoded")


def check_texts(value: object, what: str, by: str) -> None:
    """Raise `UsageError` unless `value` maps texts to texts, none empty. `by` names the keys, such as "by scope"."""
    for key, one in mapping(value, what).items():
        nonempty_text(key, f"each key of {what}")
        nonempty_text(one, f"each value of {what} ({by})")

"""Checks of registrations and settings. Each raises a `UsageError` that states the expected value."""

from __future__ import annotations

import json

from doorkey.arguments import did_you_mean, encodable, instance, mapping, named, text, texts
from doorkey.errors import UsageError, printable
from doorkey.values import Secret

OWN_CLAIMS = frozenset({"iss", "sub", "exp", "iat", "jti", "typ", "azp", "client_id", "sid", "gid", "scope", "nonce"})
"""Claims that no registration may set."""


def names(value: object, what: str) -> tuple[str, ...]:
    """Return one text or several as a tuple. Raises `UsageError` for one that is empty or cannot be encoded."""
    return tuple(named(one, f"each of {what}") for one in texts(value, what))


def check_secret(value: object, what: str) -> None:
    """Raise `UsageError` unless `value` is None, or a `Secret` that can be encoded."""
    if value is not None and not encodable(instance(value, Secret, f"{what} is a doorkey.values.Secret").reveal()):
        raise UsageError(f"{what} has a lone surrogate, which cannot be encoded")


def check_json(value: object, what: str) -> None:
    """Raise `UsageError` unless `value` is a mapping of JSON values."""
    try:
        json.dumps(dict(mapping(value, what)), allow_nan=False, ensure_ascii=False).encode()
    except (TypeError, ValueError, RecursionError):
        raise UsageError(f"{what} must be JSON values: strings, numbers, lists, dictionaries") from None


def check_added_claims(registered: object) -> None:
    """Raise `UsageError` for a claim that is not JSON, or by which the server recognizes its own tokens."""
    for what in ("access_token_claims", "id_token_claims", "userinfo_claims"):
        claims = getattr(registered, what)
        check_json(claims, what)
        for name in claims:
            if name in OWN_CLAIMS:
                raise UsageError(
                    f"{what} cannot contain {name!r}, because the server sets it. To change it in a test, mint a token"
                )


def check_known(value: object, known: tuple[str, ...], what: str) -> None:
    """Raise `UsageError` unless `value` is one of `known`. The message suggests the most similar value."""
    if named(value, f"the {what}") not in known:
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
        named(key, f"each key of {what}")
        named(one, f"each value of {what} ({by})")

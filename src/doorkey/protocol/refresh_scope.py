"""The scope of a refresh request, and of the token in its response (RFC 6749 §6)."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from doorkey.tokens import OAuthToken
from doorkey.values import Scope

PROTOCOL_SCOPES: Final = frozenset({"openid", "offline_access", "profile", "email", "address", "phone"})
"""Scopes of OpenID Connect itself (Core §5.4, §11). Servers may omit or rename them in the granted scope."""


def refresh_scope(requested: Scope | None, granted: Scope | None) -> Scope | None:
    """Return the scope for a refresh request, or None to omit the parameter.

    requested: the scope of the original request, or None.
    granted: the scope of its response, or None if the response had no scope.

    The result is the `requested` scope without the scopes that the server did not grant, because a refresh must not
    request more. Scopes of OpenID Connect itself are kept. If the server granted none of the others, it uses other
    names for them (Microsoft's `.default`), and the result is the `requested` scope.
    """
    if not requested:
        return None
    if granted is None:
        return requested
    others = [one for one in requested if one not in PROTOCOL_SCOPES]
    if others and not any(one in granted for one in others):
        return requested
    return Scope(tuple(one for one in requested if one in PROTOCOL_SCOPES or one in granted))


def with_unchanged_scope(renewed: OAuthToken, token: OAuthToken | None) -> OAuthToken:
    """Return the token `renewed` with the scope of the previous `token` if the response has no scope (RFC 6749 §6)."""
    return renewed if token is None or renewed.scope is not None else replace(renewed, scope=token.scope)

"""The scope of a refresh request (RFC 6749 §6)."""

from __future__ import annotations

from typing import Final

from doorkey.values import Scope

PROTOCOL_SCOPES: Final = frozenset({"openid", "offline_access", "profile", "email", "address", "phone"})
"""Scopes of OpenID Connect itself (Core §5.4, §11), which servers omit from the granted scope, or rename there."""


def refresh_scope(requested: Scope | None, granted: Scope | None) -> Scope | None:
    """Return the scope to send with a refresh token, or None to send none.

    It is the `requested` scope without the tokens that the server did not grant: a refresh must not request more.
    Scopes of OpenID Connect itself are kept. A server that grants none of the names that were requested has names of
    its own for them (Microsoft's `.default`): the request is then repeated as it was.
    """
    if not requested:
        return None
    if granted is None:
        return requested
    asked = [one for one in requested if one not in PROTOCOL_SCOPES]
    if asked and not any(one in granted for one in asked):
        return requested
    return Scope(tuple(one for one in requested if one in PROTOCOL_SCOPES or one in granted))

"""Which scope a client gets (RFC 6749 §3.3)."""

from __future__ import annotations

from collections.abc import Iterable

from doorkey.errors import InvalidScope, UsageError
from doorkey.server.model import Client
from doorkey.values import Scope


def granted_scope(client: Client, asked: str | None) -> tuple[str, ...]:
    """Return the scope tokens granted: what was asked for of the optional ones, then the client's defaults.

    Raises `InvalidScope` for a token that the client does not have, or that is not one.
    """
    try:
        wanted = Scope.of(asked).tokens
    except UsageError:
        wanted = ()
        unknown = [asked]
    else:
        unknown = [
            token for token in wanted if token not in (*client.default_scopes, *client.optional_scopes)
        ]
    if unknown:
        raise InvalidScope(description=f"Invalid scopes: {asked}", status=400)
    optional = [token for token in wanted if token in client.optional_scopes]
    return tuple(dict.fromkeys([*optional, *client.default_scopes]))


def narrowed_scope(granted: Iterable[str], client: Client, asked: str | None) -> tuple[str, ...]:
    """Return the scope of a refreshed token: at most what was granted (RFC 6749 §6). Raises
    `InvalidScope`."""
    granted = tuple(granted)
    if asked is None:
        return granted
    wanted = granted_scope(client, asked)
    if not set(wanted) <= set(granted):
        raise InvalidScope(description=f"Invalid scopes: {asked}", status=400)
    return wanted

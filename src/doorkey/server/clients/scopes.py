"""Which scope a client gets (RFC 6749 §3.3)."""

from __future__ import annotations

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
        unknown = [token for token in wanted if token not in (*client.default_scopes, *client.optional_scopes)]
    if unknown:
        raise InvalidScope(description=f"Invalid scopes: {asked}", status=400)
    optional = [token for token in wanted if token in client.optional_scopes]
    return tuple(dict.fromkeys([*optional, *client.default_scopes]))


def narrowed_scope(granted: tuple[str, ...], client: Client, asked: str | None) -> tuple[str, ...]:
    """Return the scope of a refreshed token: what is asked for of what was granted, never more (RFC 6749 §6).

    Like Keycloak, what is asked for beyond the grant is left out rather than refused, and the default scopes
    stay. Raises `InvalidScope` for what the client cannot have at all.
    """
    wanted = granted if asked is None else granted_scope(client, asked)
    return tuple(token for token in granted if token in wanted)

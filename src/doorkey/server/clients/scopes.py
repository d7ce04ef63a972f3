"""The scope that a client is granted (RFC 6749 §3.3)."""

from __future__ import annotations

from doorkey.errors import InvalidScope, UsageError
from doorkey.server.registrations import Client
from doorkey.values import Scope


def granted_scope(client: Client, asked: str | None) -> tuple[str, ...]:
    """Return the granted scope tokens: the optional tokens in the requested scope `asked`, then the client's defaults.

    Raises `InvalidScope` for a scope token that is malformed or that the client does not have.
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
    """Return the scope of a refreshed token: the part of the `granted` scope that was `asked` for (RFC 6749 §6).

    If `asked` is None, return all of it. As in Keycloak, scope tokens beyond the grant are dropped rather than refused,
    and the default scopes stay. Raises `InvalidScope` for a scope token that the client does not have.
    """
    wanted = granted if asked is None else granted_scope(client, asked)
    return tuple(token for token in granted if token in wanted)

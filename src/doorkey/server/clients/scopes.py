"""The scope that a client is granted (RFC 6749 §3.3)."""

from __future__ import annotations

from doorkey.errors import InvalidScope, UsageError
from doorkey.server.registrations import Client
from doorkey.values import Scope


def granted_scope(client: Client, requested_scope: str | None) -> tuple[str, ...]:
    """Return the granted scope tokens: the optional tokens in `requested_scope`, then the client's defaults.

    Raises `InvalidScope` for a scope token that is malformed or that the client does not have.
    """
    try:
        wanted = Scope.of(requested_scope).tokens
    except UsageError:
        wanted = ()
        unknown = [requested_scope]
    else:
        unknown = [token for token in wanted if token not in (*client.default_scopes, *client.optional_scopes)]
    if unknown:
        raise InvalidScope(description=f"Invalid scopes: {requested_scope}", status=400)
    optional = [token for token in wanted if token in client.optional_scopes]
    return tuple(dict.fromkeys([*optional, *client.default_scopes]))


def narrowed_scope(granted: tuple[str, ...], client: Client, requested_scope: str | None) -> tuple[str, ...]:
    """Return the scope of a refreshed token: the part of `granted` that is in `requested_scope` (RFC 6749 §6).

    If `requested_scope` is None, return all of `granted`. As in Keycloak, scope tokens beyond the grant are dropped
    rather than refused, and the default scopes stay. Raises `InvalidScope` for a scope token that the client does not
    have.
    """
    wanted = granted if requested_scope is None else granted_scope(client, requested_scope)
    return tuple(token for token in granted if token in wanted)

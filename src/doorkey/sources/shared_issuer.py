"""`issuer=` of sources, vaults and sessions: a URL, or an `Issuer` whose metadata is shared with its other users."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from doorkey.errors import UsageError
from doorkey.protocol.metadata import ServerMetadata
from doorkey.sources.authorization_server import AuthorizationServer
from doorkey.values import NotPicklable
from doorkey.wire.limits import ExchangePolicy

if TYPE_CHECKING:
    from doorkey.sources.issuer import Issuer
    from doorkey.sources.issuer_core import IssuerCore

__all__: list[str] = []


class SharedIssuer(NotPicklable):
    """The base of `Issuer`, without cryptography: a program that only gets tokens does not import that."""

    _core: IssuerCore
    _server: AuthorizationServer


def server_of(
    issuer: str | Issuer | None,
    token_endpoint: str | None,
    metadata: ServerMetadata | Mapping[str, Any] | None,
    policy: ExchangePolicy,
) -> AuthorizationServer:
    """Return the authorization server that the arguments of a source or a vault mean. Raises `UsageError`."""
    if not isinstance(issuer, SharedIssuer):
        return AuthorizationServer.of_arguments(issuer, token_endpoint, metadata, policy)
    refuse_metadata(metadata)
    server = issuer._server
    if token_endpoint is None:
        return server
    return AuthorizationServer.of_arguments(server.issuer, token_endpoint, server.given, policy)


def refuse_metadata(metadata: object) -> None:
    """Raise `UsageError` for `metadata` that is given beside an `Issuer`."""
    if metadata is not None:
        raise UsageError("an Issuer has its own metadata: give it there, Issuer(…, metadata=…)")

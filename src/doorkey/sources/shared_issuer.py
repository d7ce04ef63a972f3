"""The `issuer=` argument of sources, vaults and sessions: a URL, or an `Issuer` that shares its metadata."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from doorkey.errors import UsageError
from doorkey.protocol.metadata import ServerMetadata
from doorkey.sources.fetched_once.discovery import AuthorizationServer
from doorkey.values import NotPicklable
from doorkey.wire.limits import ExchangePolicy

if TYPE_CHECKING:
    from doorkey.sources.issuer import Issuer
    from doorkey.sources.issuer_core import IssuerCore

__all__: list[str] = []


class SharedIssuer(NotPicklable):
    """The base class of `Issuer`, without the import of cryptography, which only verification needs."""

    _core: IssuerCore
    _server: AuthorizationServer


def server_of(
    issuer: str | Issuer | None,
    token_endpoint: str | None,
    metadata: ServerMetadata | Mapping[str, Any] | None,
    policy: ExchangePolicy,
) -> AuthorizationServer:
    """Return the authorization server that these arguments of a source or a vault describe. Raises `UsageError`."""
    if not isinstance(issuer, SharedIssuer):
        return AuthorizationServer.of_arguments(issuer, token_endpoint, metadata, policy)
    refuse_metadata(metadata)
    server = issuer._server
    if token_endpoint is None:
        return server
    return AuthorizationServer.of_arguments(server.issuer, token_endpoint, server.given, policy)


def refuse_metadata(metadata: object) -> None:
    """Raise `UsageError` if `metadata` is given in addition to an `Issuer`."""
    if metadata is not None:
        raise UsageError("an Issuer has its own metadata: pass it to Issuer(…, metadata=…)")

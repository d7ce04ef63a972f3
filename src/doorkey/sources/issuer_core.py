"""An authorization server and its keys, which all users of an issuer share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from doorkey.errors import UsageError
from doorkey.jose.keys import import_keys
from doorkey.protocol.metadata import ServerMetadata, check_one_issuer
from doorkey.sources.fetched_once.discovery import AuthorizationServer
from doorkey.sources.fetched_once.key_times import KeyTimes
from doorkey.sources.fetched_once.keys import KeyCore
from doorkey.sources.shared_issuer import SharedIssuer, refuse_metadata
from doorkey.wire.limits import ExchangePolicy, policy_of
from doorkey.wire.urls import check_endpoint

if TYPE_CHECKING:
    from doorkey.sources.issuer import Issuer

__all__: list[str] = []


@dataclass(frozen=True, slots=True)
class IssuerCore:
    """An authorization server and its keys. `server` is None if only the keys are configured."""

    server: AuthorizationServer | None
    keys: KeyCore


def core_of(
    issuer: str | Issuer | None = None,
    metadata: ServerMetadata | Mapping[str, Any] | None = None,
    policy: ExchangePolicy | None = None,
    *,
    jwks_uri: str | None = None,
    keys: object = None,
    times: KeyTimes | None = None,
) -> IssuerCore:
    """Return the server and the keys that these arguments describe. An `Issuer` shares its own server and keys.

    Raises `UsageError` for arguments that contradict each other, and for any other argument in addition to an `Issuer`.
    """
    if isinstance(issuer, SharedIssuer):
        refuse_metadata(metadata)
        if (jwks_uri, keys, times) != (None, None, None):
            raise UsageError("an Issuer has its own keys and their options: pass them to Issuer(…, keys=…)")
        return issuer._core
    hosts = policy_of(policy).http_hosts
    known = ServerMetadata.of(metadata, hosts)
    check_one_issuer(issuer, known)
    if jwks_uri is not None:
        if keys is not None:
            raise UsageError("give jwks_uri=, from which keys are fetched, or keys=, which never change: not both")
        known = replace(known, jwks_uri=check_endpoint(jwks_uri, "jwks_uri", hosts))
    if issuer is not None:
        known = replace(known, issuer=check_endpoint(issuer, "issuer", hosts))
    has_server = known.issuer is not None or known.token_endpoint is not None
    server = AuthorizationServer(known.issuer, known) if has_server else None
    fixed = None if keys is None else import_keys(keys)
    return IssuerCore(server, KeyCore(server, jwks_uri=known.jwks_uri, keys=fixed, times=times))

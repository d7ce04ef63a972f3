"""Register a client at an authorization server, and read, update and delete it (RFC 7591, RFC 7592).

Each function has an asynchronous twin, whose name begins with `a`. Both drive the same flow. A registration request is
never repeated: if the server had registered the client and its response was lost, it would register a second client.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from doorkey.arguments import instance, text, texts
from doorkey.errors import UsageError
from doorkey.protocol.registered_client import RegisteredClient
from doorkey.protocol.registration import (
    check_deletion,
    client_metadata,
    delete_request,
    parse_registration,
    read_request,
    registration_request,
    update_request,
)
from doorkey.runtime.clock import wall_time
from doorkey.sources.drivers import AwaitingDriver, BlockingDriver
from doorkey.sources.shared_issuer import SharedIssuer, server_of
from doorkey.values import Secret, clears_locals
from doorkey.wire.flow import Flow
from doorkey.wire.limits import ExchangePolicy, policy_of

if TYPE_CHECKING:
    from doorkey.sources.issuer import Issuer

    AnIssuer: TypeAlias = str | Issuer

T = TypeVar("T")

__all__ = ["RegisteredClient", "adelete_client", "aread_client", "aregister_client", "aupdate_client", "delete_client"]
__all__ += ["read_client", "register_client", "update_client"]


@clears_locals
def register_client(
    issuer: AnIssuer,
    *,
    redirect_uris: Iterable[str] | None = None,
    client_name: str | None = None,
    grant_types: Iterable[str] | None = None,
    token_endpoint_auth_method: str | None = None,
    initial_access_token: str | Secret | None = None,
    http_client: Any = None,
    exchange: ExchangePolicy | None = None,
    **metadata: Any,
) -> RegisteredClient:
    """Register a client at an authorization server, and return it with its credentials (RFC 7591 §3).

    issuer: the issuer's URL, exactly as its metadata names it, or an `Issuer`.
    redirect_uris: the redirect URIs of the client; for a native application `http://127.0.0.1/callback`, any port.
    client_name: the name that users see.
    grant_types: the grant types that the client will use; the server's default is `authorization_code`.
    token_endpoint_auth_method: `none` for a public client; the server's default is `client_secret_basic`.
    initial_access_token: the token that the server requires for a registration, or None.
    http_client: a `requests.Session` or a `Client` of httpx2 or httpx; None uses the client of the `Issuer`, or creates
        one.
    exchange: the bounds of each request; use `addresses=public_address` for an issuer that another party names.
    metadata: further members of RFC 7591 §2 and of its registry (`scope`, `jwks`, `contacts`, …), as JSON values.

    Raises `UsageError`, `TransportError`, `InvalidResponse`, `VerificationError` for another issuer's metadata, and
    `ServerError` for an error of the server: `invalid_redirect_uri`, `invalid_client_metadata`, …
    """
    known = _checked_metadata(redirect_uris, client_name, grant_types, token_endpoint_auth_method)
    flow = _registered(issuer, {**known, **metadata}, _secret(initial_access_token), policy_of(exchange))
    return _blocking(issuer, flow, http_client, exchange)


@clears_locals
async def aregister_client(
    issuer: AnIssuer,
    *,
    redirect_uris: Iterable[str] | None = None,
    client_name: str | None = None,
    grant_types: Iterable[str] | None = None,
    token_endpoint_auth_method: str | None = None,
    initial_access_token: str | Secret | None = None,
    http_client: Any = None,
    exchange: ExchangePolicy | None = None,
    **metadata: Any,
) -> RegisteredClient:
    """Register a client at an authorization server (RFC 7591 §3).

    http_client: an `AsyncClient` of httpx2 or httpx; None uses the client of the `Issuer`, or creates one.

    The other parameters and the errors are those of `register_client`.
    """
    known = _checked_metadata(redirect_uris, client_name, grant_types, token_endpoint_auth_method)
    flow = _registered(issuer, {**known, **metadata}, _secret(initial_access_token), policy_of(exchange))
    return await _awaiting(issuer, flow, http_client, exchange)


@clears_locals
def read_client(
    client: RegisteredClient, *, http_client: Any = None, exchange: ExchangePolicy | None = None
) -> RegisteredClient:
    """Return the current registration of `client` at its server (RFC 7592 §2.1).

    client: the registration, as `register_client` or `RegisteredClient.from_dict` returns it.

    Keep the result in place of `client`: the server may have issued a new secret and a new registration access token.
    The other parameters and the errors are those of `register_client`. A server that has deleted the client responds
    with `invalid_token`.
    """
    return _blocking(None, _managed(client, None, policy_of(exchange)), http_client, exchange)


@clears_locals
async def aread_client(
    client: RegisteredClient, *, http_client: Any = None, exchange: ExchangePolicy | None = None
) -> RegisteredClient:
    """Return the current registration of `client`. Its parameters and errors are those of `read_client`.

    http_client: an `AsyncClient` of httpx2 or httpx; None creates one.
    """
    return await _awaiting(None, _managed(client, None, policy_of(exchange)), http_client, exchange)


@clears_locals
def update_client(
    client: RegisteredClient, *, http_client: Any = None, exchange: ExchangePolicy | None = None, **metadata: Any
) -> RegisteredClient:
    """Change the metadata of `client` at its server, and return the new registration (RFC 7592 §2.2).

    client: the registration, as `register_client` or `RegisteredClient.from_dict` returns it.
    metadata: the members to change; None removes a member. All others are sent as they are in `client.metadata`.

    Keep the result in place of `client`. The other parameters and the errors are those of `read_client`.
    """
    return _blocking(None, _managed(client, metadata, policy_of(exchange)), http_client, exchange)


@clears_locals
async def aupdate_client(
    client: RegisteredClient, *, http_client: Any = None, exchange: ExchangePolicy | None = None, **metadata: Any
) -> RegisteredClient:
    """Change the metadata of `client`. The parameters and the errors are those of `update_client`.

    http_client: an `AsyncClient` of httpx2 or httpx; None creates one.
    """
    return await _awaiting(None, _managed(client, metadata, policy_of(exchange)), http_client, exchange)


@clears_locals
def delete_client(client: RegisteredClient, *, http_client: Any = None, exchange: ExchangePolicy | None = None) -> None:
    """Delete `client` at its server, which ends its grants and tokens (RFC 7592 §2.3).

    The parameters and the errors are those of `read_client`.
    """
    _blocking(None, _deleted(client, policy_of(exchange)), http_client, exchange)


@clears_locals
async def adelete_client(
    client: RegisteredClient, *, http_client: Any = None, exchange: ExchangePolicy | None = None
) -> None:
    """Delete `client`. The parameters and the errors are those of `delete_client`.

    http_client: an `AsyncClient` of httpx2 or httpx; None creates one.
    """
    await _awaiting(None, _deleted(client, policy_of(exchange)), http_client, exchange)


def _checked_metadata(
    redirect_uris: Iterable[str] | None, client_name: str | None, grant_types: Iterable[str] | None, method: str | None
) -> dict[str, Any]:
    return {
        "redirect_uris": None if redirect_uris is None else list(texts(redirect_uris, "redirect_uris")),
        "client_name": None if client_name is None else text(client_name, "client_name"),
        "grant_types": None if grant_types is None else list(texts(grant_types, "grant_types")),
        "token_endpoint_auth_method": None if method is None else text(method, "token_endpoint_auth_method"),
    }


def _registered(
    issuer: AnIssuer, metadata: Mapping[str, Any], token: Secret | None, policy: ExchangePolicy
) -> Flow[RegisteredClient]:
    server = server_of(issuer, None, None, policy)
    members = client_metadata(metadata)  # raises for a wrong argument before any request is sent
    found = yield from server.naming("registration_endpoint", wall_time)
    if found.registration_endpoint is None:
        raise UsageError("the metadata of this issuer names no registration_endpoint: its administrator adds clients")
    request = registration_request(
        found.registration_endpoint, members, initial_access_token=token, http_hosts=server.http_hosts
    )
    response = yield from request
    return parse_registration(response, issuer=server.issuer, http_hosts=server.http_hosts, now=wall_time())


def _managed(
    client: RegisteredClient, changes: Mapping[str, Any] | None, policy: ExchangePolicy
) -> Flow[RegisteredClient]:
    hosts, known = policy.http_hosts, _client(client)
    if changes is None:
        request = read_request(known, hosts)
    else:
        request = update_request(known, client_metadata({**known.metadata, **changes}), hosts)
    response = yield from request
    return parse_registration(response, issuer=known.issuer, known=known, http_hosts=hosts, now=wall_time())


def _deleted(client: RegisteredClient, policy: ExchangePolicy) -> Flow[None]:
    response = yield from delete_request(_client(client), policy.http_hosts)
    check_deletion(response, wall_time())


def _client(given: object) -> RegisteredClient:
    return instance(given, RegisteredClient, "client is what register_client returned, or RegisteredClient.from_dict")


def _secret(given: str | Secret | None) -> Secret | None:
    return None if given is None else Secret(given)


def _shares_client(issuer: object, http_client: Any, exchange: ExchangePolicy | None) -> bool:
    """Return whether the requests use the HTTP client and the bounds of an `Issuer`."""
    return isinstance(issuer, SharedIssuer) and http_client is None and exchange is None


def _blocking(issuer: Any, flow: Flow[T], http_client: Any, exchange: ExchangePolicy | None) -> T:
    if _shares_client(issuer, http_client, exchange):
        shared: BlockingDriver = issuer._blocking
        return shared.run(flow)
    driver = BlockingDriver(http_client, policy_of(exchange))
    try:
        return driver.run(flow)
    finally:
        driver.close()


async def _awaiting(issuer: Any, flow: Flow[T], http_client: Any, exchange: ExchangePolicy | None) -> T:
    if _shares_client(issuer, http_client, exchange):
        shared: AwaitingDriver = issuer._awaiting
        return await shared.run(flow)
    driver = AwaitingDriver(http_client, policy_of(exchange))
    try:
        return await driver.run(flow)
    finally:
        await driver.aclose()

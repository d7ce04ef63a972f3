"""`discover` and `adiscover`: fetch the metadata of an authorization server, with any installed HTTP library."""

from __future__ import annotations

from typing import Any

from doorkey.protocol.discovery import discover_flow
from doorkey.protocol.metadata import ServerMetadata
from doorkey.runtime.clock import wall_time
from doorkey.values import clears_locals
from doorkey.wire.flow import arun, run
from doorkey.wire.limits import ExchangePolicy, policy_of


@clears_locals
def discover(issuer: str, *, http_client: Any = None, exchange: ExchangePolicy | None = None) -> ServerMetadata:
    """Return the metadata of `issuer`, at both well-known places (RFC 8414 §3, OpenID Connect Discovery 1.0 §4).

    `http_client` is a `requests.Session` or a `Client` of httpx2 or httpx whose proxies and TLS settings are used; left
    out, one is made. `exchange` bounds each request. The issuer in the metadata must equal `issuer` exactly. Raises
    `UsageError`, `TransportError`, `InvalidResponse`, `ServerError`, or `VerificationError` for another issuer's.
    """
    from doorkey.transport.senders import sender

    policy = policy_of(exchange)
    with sender(http_client, policy) as send:
        return run(discover_flow(issuer, wall_time(), policy.http_hosts), send)


@clears_locals
async def adiscover(issuer: str, *, http_client: Any = None, exchange: ExchangePolicy | None = None) -> ServerMetadata:
    """Return the metadata of `issuer`, as `discover` does; `http_client` is an `AsyncClient` of httpx2 or httpx."""
    from doorkey.transport.senders import asender

    policy = policy_of(exchange)
    async with asender(http_client, policy) as send:
        return await arun(discover_flow(issuer, wall_time(), policy.http_hosts), send)

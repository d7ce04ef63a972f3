"""Discovery: the metadata of an issuer, and the issuer of a user, requested with any installed HTTP library."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final, TypeAlias
from weakref import WeakKeyDictionary

from doorkey.arguments import clock as check_clock
from doorkey.arguments import seconds, text
from doorkey.protocol.discovery import LIFETIME, fetch_metadata
from doorkey.protocol.http_caching import CacheEntry
from doorkey.protocol.metadata import ServerMetadata
from doorkey.protocol.webfinger import issuer_request, parse_issuer, resource_of
from doorkey.runtime.clock import wall_time
from doorkey.runtime.forks import ForkSafeLock
from doorkey.values import clears_locals
from doorkey.wire.flow import Flow, arun, run
from doorkey.wire.limits import ExchangePolicy, policy_of
from doorkey.wire.messages import Request

_MAX_ISSUERS: Final = 100
"""The number of issuers whose metadata is cached for each client."""


@clears_locals
def discover(
    issuer: str,
    *,
    http_client: Any = None,
    exchange: ExchangePolicy | None = None,
    max_age: float = LIFETIME.default,
    clock: Callable[[], float] | None = None,
) -> ServerMetadata:
    """Return the metadata of `issuer`: cached metadata if it is fresh, else that of a new request.

    The three well-known URLs are tried in turn: OpenID Connect Discovery 1.0 §4, and RFC 8414 §3.1 and §5.

    issuer: the issuer's URL, exactly as its metadata names it.
    http_client: a `requests.Session` or a `Client` of httpx2 or httpx, whose proxies and TLS settings are used; None
        creates one.
    exchange: the bounds of each request; None means the defaults of `ExchangePolicy`.
    max_age: maximum age of cached metadata in seconds; 0 for a new request. The server's HTTP caching headers can name
        a shorter time. There is a cache for each `http_client` and `exchange`.
    clock: a callable that returns seconds since the epoch; None means `time.time`.

    Raises `UsageError`, `TransportError`, `InvalidResponse`, `ServerError`, or `VerificationError` for another
    issuer's metadata.
    """
    from doorkey.transport.senders import sender

    lookup = _Lookup(issuer, http_client, exchange, max_age, clock)
    if (found := lookup.remembered()) is not None:
        return found
    with sender(http_client, lookup.policy) as send:
        return lookup.remember(run(lookup.request(), send))


@clears_locals
async def adiscover(
    issuer: str,
    *,
    http_client: Any = None,
    exchange: ExchangePolicy | None = None,
    max_age: float = LIFETIME.default,
    clock: Callable[[], float] | None = None,
) -> ServerMetadata:
    """Return the metadata of `issuer`.

    http_client: an `AsyncClient` of httpx2 or httpx; None creates one.

    The other parameters and the errors are those of `discover`.
    """
    from doorkey.transport.senders import asender

    lookup = _Lookup(issuer, http_client, exchange, max_age, clock)
    if (found := lookup.remembered()) is not None:
        return found
    async with asender(http_client, lookup.policy) as send:
        return lookup.remember(await arun(lookup.request(), send))


@clears_locals
def discover_issuer(identifier: str, *, http_client: Any = None, exchange: ExchangePolicy | None = None) -> str:
    """Return the issuer at which a user logs in, by a WebFinger request to the host in the user's identifier.

    OpenID Connect Discovery 1.0 §2. Pass the result as `issuer=` to a session, a source or a vault. Its metadata is not
    fetched here.

    identifier: the input of the user: an email address, an `acct:` URI, a host or a URL.
    http_client: a `requests.Session` or a `Client` of httpx2 or httpx; None creates one.
    exchange: the bounds of the request; None means the defaults of `ExchangePolicy`. The user names the host, so pass
        `ExchangePolicy(addresses=public_address)`, here and with the issuer.

    Raises `UsageError` for an invalid identifier, `TransportError`, `ServerError`, `VerificationError` for an address
    that `exchange` does not permit, and `InvalidResponse` if the response contains no issuer.
    """
    from doorkey.transport.senders import sender

    policy = policy_of(exchange)
    flow = _issuer_of(identifier, policy)
    with sender(http_client, policy) as send:
        return run(flow, send)


@clears_locals
async def adiscover_issuer(identifier: str, *, http_client: Any = None, exchange: ExchangePolicy | None = None) -> str:
    """Return the issuer at which a user logs in.

    http_client: an `AsyncClient` of httpx2 or httpx; None creates one.

    The other parameters and the errors are those of `discover_issuer`.
    """
    from doorkey.transport.senders import asender

    policy = policy_of(exchange)
    flow = _issuer_of(identifier, policy)
    async with asender(http_client, policy) as send:
        return await arun(flow, send)


def _issuer_of(identifier: str, policy: ExchangePolicy) -> Flow[str]:
    request = issuer_request(resource_of(identifier, policy.http_hosts))
    return _named_by(request, policy)


def _named_by(request: Request, policy: ExchangePolicy) -> Flow[str]:
    response = yield from request
    return parse_issuer(response, policy.http_hosts, wall_time())


class _OwnClients:
    """The cache key of all clients that are created here, because these have the same settings."""


_Key: TypeAlias = tuple[str, ExchangePolicy]
_OWN_CLIENTS: Final = _OwnClients()
_cache: Final[WeakKeyDictionary[Any, dict[_Key, CacheEntry[ServerMetadata]]]] = WeakKeyDictionary()
"""The cached metadata of each client. Clients share none of it, because a client may have a proxy of its own, or a mock
transport in a test."""
_lock: Final = ForkSafeLock()


class _Lookup:
    """One call of `discover`: its checked arguments, and access to the cache."""

    def __init__(self, issuer: str, client: Any, exchange: ExchangePolicy | None, max_age: float, clock: Any) -> None:
        self.policy = policy_of(exchange)
        self._max_age = seconds(max_age, "max_age")
        self._clock: Callable[[], float] = wall_time if clock is None else clock
        check_clock(self._clock)
        self._key: _Key = (text(issuer, "the issuer"), self.policy)
        self._client = _OWN_CLIENTS if client is None else client

    def remembered(self) -> ServerMetadata | None:
        """Return the cached metadata, or None if there is none or it is too old."""
        now = self._clock()
        with suppress(TypeError), _lock:  # an object that cannot be a key is rejected as a client later
            entry = _cache.get(self._client, {}).get(self._key)
            if entry is not None and entry.is_fresh(now) and now < entry.fetched_at + self._max_age:
                return entry.value
        return None

    def request(self) -> Flow[CacheEntry[ServerMetadata]]:
        """Return the flow that requests the metadata."""
        return fetch_metadata(self._key[0], self._clock(), self.policy.http_hosts)

    def remember(self, entry: CacheEntry[ServerMetadata]) -> ServerMetadata:
        """Store the metadata in the cache, and return it."""
        with suppress(TypeError), _lock:  # a client that does not support weak references
            entries = _cache.setdefault(self._client, {})
            entries[self._key] = entry
            if len(entries) > _MAX_ISSUERS:
                del entries[next(iter(entries))]
        return entry.value

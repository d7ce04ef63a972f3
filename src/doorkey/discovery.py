"""The issuer of a user and the metadata of an issuer, fetched with any installed HTTP library."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final, TypeAlias
from weakref import WeakKeyDictionary

from doorkey.arguments import clock as check_clock
from doorkey.arguments import seconds, text
from doorkey.protocol.discovery import LIFETIME, kept_metadata
from doorkey.protocol.http_caching import Kept
from doorkey.protocol.metadata import ServerMetadata
from doorkey.protocol.webfinger import issuer_request, parse_issuer, resource_of
from doorkey.runtime.clock import wall_time
from doorkey.runtime.forks import ForkSafeLock
from doorkey.values import clears_locals
from doorkey.wire.flow import Flow, arun, run
from doorkey.wire.limits import ExchangePolicy, policy_of
from doorkey.wire.messages import Request

_MAX_ISSUERS: Final = 100
"""Issuers whose metadata is remembered for each client."""


@clears_locals
def discover(
    issuer: str,
    *,
    http_client: Any = None,
    exchange: ExchangePolicy | None = None,
    max_age: float = LIFETIME.usual,
    clock: Callable[[], float] | None = None,
) -> ServerMetadata:
    """Return the metadata of `issuer`, which is requested unless it has been a short time ago.

    The three well-known URLs are tried in turn: OpenID Connect Discovery 1.0 §4, and RFC 8414 §3.1 and §5.

    issuer: the issuer's URL, exactly as its metadata names it.
    http_client: a `requests.Session` or a `Client` of httpx2 or httpx, whose proxies and TLS settings are used; None
        makes one.
    exchange: the bounds of each request.
    max_age: seconds for which metadata is used that was requested with the same `http_client` and `exchange`, unless
        the server's HTTP caching headers name a shorter time; 0 for a new request.
    clock: returns seconds since the epoch (None: time.time).

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
    max_age: float = LIFETIME.usual,
    clock: Callable[[], float] | None = None,
) -> ServerMetadata:
    """Return the metadata of `issuer`.

    http_client: an `AsyncClient` of httpx2 or httpx; None makes one.

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
    """Return the issuer that a user logs in at, which the host of the user's identifier names by WebFinger.

    OpenID Connect Discovery 1.0 §2. Pass the result as `issuer=` to a session, a source or a vault. Its metadata is not
    fetched here.

    identifier: the input of the user: an email address, an `acct:` URI, a host or a URL.
    http_client: a `requests.Session` or a `Client` of httpx2 or httpx; None makes one.
    exchange: the bounds of each request. The user names the host, so pass `ExchangePolicy(addresses=public_address)`,
        here and with the issuer.

    Raises `UsageError` for an identifier that is none, `TransportError`, `ServerError`, and `InvalidResponse` if the
    host names no issuer.
    """
    from doorkey.transport.senders import sender

    policy = policy_of(exchange)
    flow = _issuer_of(identifier, policy)
    with sender(http_client, policy) as send:
        return run(flow, send)


@clears_locals
async def adiscover_issuer(identifier: str, *, http_client: Any = None, exchange: ExchangePolicy | None = None) -> str:
    """Return the issuer that a user logs in at.

    http_client: an `AsyncClient` of httpx2 or httpx; None makes one.

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


class _MadeHere:
    """Stands for the clients that are made here, which are all alike."""


_Key: TypeAlias = tuple[str, ExchangePolicy]
_MADE_HERE: Final = _MadeHere()
_found: Final[WeakKeyDictionary[Any, dict[_Key, Kept[ServerMetadata]]]] = WeakKeyDictionary()
"""The metadata found through each client. Clients are kept apart, because a client may have a proxy of its own, or a
mock transport in a test."""
_lock: Final = ForkSafeLock()


class _Lookup:
    """One call of `discover`: its arguments, checked, and what is known from an earlier one."""

    def __init__(self, issuer: str, client: Any, exchange: ExchangePolicy | None, max_age: float, clock: Any) -> None:
        self.policy = policy_of(exchange)
        self._max_age = seconds(max_age, "max_age")
        self._clock: Callable[[], float] = wall_time if clock is None else clock
        check_clock(self._clock)
        self._key: _Key = (text(issuer, "the issuer"), self.policy)
        self._client = _MADE_HERE if client is None else client

    def remembered(self) -> ServerMetadata | None:
        """Return the metadata, if it was requested a short time ago."""
        now = self._clock()
        with suppress(TypeError), _lock:  # an object that cannot be a key is refused as a client later
            kept = _found.get(self._client, {}).get(self._key)
            if kept is not None and kept.is_fresh(now) and now < kept.fetched_at + self._max_age:
                return kept.value
        return None

    def request(self) -> Flow[Kept[ServerMetadata]]:
        """Request the metadata."""
        return kept_metadata(self._key[0], self._clock(), self.policy.http_hosts)

    def remember(self, kept: Kept[ServerMetadata]) -> ServerMetadata:
        """Return the metadata, and keep it for later calls."""
        with suppress(TypeError), _lock:  # a client without weak references
            ours = _found.setdefault(self._client, {})
            ours[self._key] = kept
            if len(ours) > _MAX_ISSUERS:
                del ours[next(iter(ours))]
        return kept.value

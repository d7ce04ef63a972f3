"""One connection pool for many clients of a program. Each client has its own cookies, and does not close the pool."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

_COPIED: Final = ("headers", "proxies", "hooks", "params", "adapters")
"""The settings of a session of requests that a program may change in place, so they are copied."""


class NoTransport:
    """The placeholder transport of an httpx2 or httpx client that uses the transports of another client."""

    def close(self) -> None:
        """Close nothing: the transports belong to the other client."""

    async def aclose(self) -> None:
        """Close nothing: the transports belong to the other client."""

    def __enter__(self) -> NoTransport:
        return self

    def __exit__(self, *_: object) -> None:
        return

    async def __aenter__(self) -> NoTransport:
        return self

    async def __aexit__(self, *_: object) -> None:
        return


POOL_SIZE: Final = 100
"""The number of idle connections that a shared pool keeps (on requests, for each host). So the connections of as many
simultaneous requests are reused."""

NO_TRANSPORT: Final = NoTransport()
"""The `transport=` of a client without connections of its own."""


def widen_adapters(session: Any) -> None:
    """Enlarge the pools of a session of requests to `POOL_SIZE`, unless the program has set its own adapters."""
    from requests.adapters import DEFAULT_POOLSIZE, HTTPAdapter

    for prefix, adapter in list(session.adapters.items()):
        if type(adapter) is HTTPAdapter and vars(adapter).get("_pool_maxsize") == DEFAULT_POOLSIZE:
            session.mount(prefix, HTTPAdapter(pool_maxsize=POOL_SIZE, max_retries=adapter.max_retries))


def wide_pool(lib: Any, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the `options` of a client of httpx2 or httpx, with limits of `POOL_SIZE` unless they contain limits."""
    limits = lib.Limits(max_connections=POOL_SIZE, max_keepalive_connections=POOL_SIZE)
    return {"limits": limits, **options}


def share_adapters(session: Any, other: Any) -> None:
    """Give `session` the settings and the transport adapters of `other`, both of requests, and its own cookies."""
    from requests.cookies import RequestsCookieJar

    own: dict[str, Any] = session.__dict__
    settings: dict[str, Any] = dict(other.__dict__)
    if not isinstance(other, type(session)):
        settings = {name: settings[name] for name in other.__attrs__ if name in settings}
    own.update(settings)
    for name in _COPIED:
        value = own[name]
        own[name] = {kind: list(one) for kind, one in value.items()} if name == "hooks" else value.copy()
    own["auth"] = None
    own["cookies"] = RequestsCookieJar()
    own["close"] = _keep_open  # the session's own method closes its adapters
    own["_pool_of"] = other  # keeps `other` alive, which empties the pools in a forked child


def use_connections_of(session: Any, other: Any) -> None:
    """Make `session` send its requests through the connections of `other`, of the same library, and not close them."""
    own: dict[str, Any] = session.__dict__
    if hasattr(other, "_transport_for_url"):
        own["_transport_for_url"] = other._transport_for_url
        return
    own["adapters"] = other.adapters.copy()
    own["close"] = _keep_open
    own["_pool_of"] = other


def _keep_open() -> None:
    return None


def share_transports(lib: Any, session: Any, other: Any) -> None:
    """Give `session` the settings and the transports of `other`, both of httpx2 or httpx, and its own cookies."""
    native = lib.Client if isinstance(session, lib.Client) else lib.AsyncClient
    native.__init__(
        session,
        transport=NO_TRANSPORT,
        headers=other.headers,
        params=other.params,
        timeout=other.timeout,
        follow_redirects=other.follow_redirects,
        max_redirects=other.max_redirects,
        event_hooks=other.event_hooks,
        base_url=other.base_url,
        trust_env=other.trust_env,
        default_encoding=other._default_encoding,
    )
    own: dict[str, Any] = session.__dict__
    theirs: dict[str, Any] = other.__dict__
    if isinstance(other, type(session)):
        for name, value in theirs.items():  # the attributes of a program's own subclass
            own.setdefault(name, value)
    own["_transport_for_url"] = other._transport_for_url

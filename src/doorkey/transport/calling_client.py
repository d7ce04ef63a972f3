"""The HTTP client whose call needs a token: a token request uses the proxy of that client, or one warning is issued.

No HTTP library passes its client to an auth object. So the client is looked up on the stack, and only when a token is
requested.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import FrameType
from typing import Any, Final, TypeAlias
from urllib.parse import urlsplit
from weakref import ref

from doorkey.wire.urls import origin_of

Proxied: TypeAlias = Callable[[str], bool]
"""Returns whether a client would send a request to this URL through a proxy that the environment does not name."""

_REQUESTS_ADAPTER: Final = "doorkey.auth.on_requests"
_HTTPX_ADAPTER: Final = "doorkey.auth.on_httpx"
_NEAR: Final = 16
"""The maximum number of frames between an adapter and the client that calls it."""


@dataclass(frozen=True, slots=True, repr=False)
class RequestsCaller:
    """The settings of a calling session of requests that its token request uses.

    proxies: the proxies of the session.
    of_call: the proxies of the call.
    trust_env: whether variables of the environment count.
    cert: the client certificate of the call or the session.
    """

    proxies: dict[str, Any]
    of_call: dict[str, Any]
    trust_env: bool
    cert: Any = None


def calling_client() -> RequestsCaller | Proxied | None:
    """Return the client whose call is in progress in this thread, or None if no auth object of ours is on the stack."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        adapter = frame.f_globals.get("__name__")
        if adapter == _REQUESTS_ADAPTER:
            return _session_above(frame)
        if adapter == _HTTPX_ADAPTER:
            return httpx_client_above(frame)
        frame = frame.f_back
    return None


def httpx_client_above(frame: FrameType) -> Proxied:
    """Return a function that returns whether the httpx2 or httpx client that called `frame` has a proxy for a URL."""
    found = next((one for one, _ in _owners(frame) if hasattr(one, "_transport_for_url")), None)
    return _direct if found is None else _HttpxProxy(found)


def aiohttp_request(request: Any) -> Proxied:
    """Return a function that returns whether `request` of aiohttp uses a proxy, for any URL of its session."""
    proxy = getattr(request, "proxy", None)
    return _direct if proxy is None or _is_of_environment(proxy.host, proxy.port) else _always


def warn_of_proxy(url: str) -> None:
    """Warn that a token request to `url` does not go through the proxy of the calling client."""
    server = origin_of(url)  # without the query, which may hold a secret
    warnings.warn(
        f"the calling client has a proxy, which the token request to {server} does not use: give OAuth2Auth or "
        "its token source http_client=, a client that has the proxy (or one without it, if that is intended)",
        RuntimeWarning,
        stacklevel=2,
    )


def _owners(frame: FrameType) -> Iterator[tuple[Any, FrameType]]:
    """Yield `self` and the frame of each method that led to `frame`, the nearest first."""
    above = frame.f_back
    for _ in range(_NEAR):
        if above is None:
            return
        if above.f_code.co_varnames[:1] == ("self",):
            yield above.f_locals.get("self"), above
        above = above.f_back


def _session_above(frame: FrameType) -> RequestsCaller | Proxied:
    """Return the settings of the session that called `frame`.

    A session of niquests cannot send a token request, so only the presence of a proxy is returned for it.
    """
    session, of_call, cert = None, None, None
    for owner, above in _owners(frame):
        if session is None and _is_session(owner):
            session = owner
        if session is not None and owner is session and above.f_code.co_name == "request":
            of_call, cert = above.f_locals.get("proxies"), above.f_locals.get("cert")
    proxies = dict(getattr(session, "proxies", None) or {})
    called_with = {scheme: proxy or "" for scheme, proxy in dict(of_call or {}).items()}  # None: without a proxy
    if "requests" in sys.modules and (session is None or _is_of("requests", session)):
        cert = cert or getattr(session, "cert", None)
        return RequestsCaller(proxies, called_with, bool(getattr(session, "trust_env", True)), cert)
    return _always if any(proxies.values()) or any(called_with.values()) else _direct


def _is_session(owner: Any) -> bool:
    return _is_of("requests", owner) or _is_of("niquests", owner)


def _is_of(library: str, owner: Any) -> bool:
    return any(base.__module__ == f"{library}.sessions" for base in type(owner).__mro__)


class _HttpxProxy:
    """Returns whether a client of httpx2 or httpx has a proxy for a URL. The client is referenced weakly."""

    def __init__(self, client: Any) -> None:
        self._client = ref(client)

    def __call__(self, url: str) -> bool:
        client = self._client()
        if client is None:
            return False
        transport = client._transport_for_url(type(client.base_url)(url))
        proxy = getattr(getattr(transport, "_pool", None), "_proxy_url", None)  # of httpcore's pools with a proxy
        return proxy is not None and not _is_of_environment(proxy.host.decode("ascii"), proxy.port)


def _is_of_environment(host: str | None, port: int | None) -> bool:
    """Return whether the environment names this proxy. The clients that doorkey creates then use it too."""
    from urllib.request import getproxies

    named = getproxies().values()
    found = [urlsplit(one if "://" in one else f"http://{one}") for one in named]
    return any((one.hostname, one.port) == (host, port) for one in found)


def _direct(_: str) -> bool:
    return False


def _always(_: str) -> bool:
    return True

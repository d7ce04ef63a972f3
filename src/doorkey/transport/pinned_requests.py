"""A request of requests to an address that was checked, and to no other address.

The URL contains the address and `Host` contains the name. The server's certificate is checked for the name. urllib3
pools connections by the address and that name, so it does not reuse a connection for another name.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast
from urllib.parse import urlsplit, urlunsplit

import requests
from requests.adapters import BaseAdapter, HTTPAdapter
from requests.utils import select_proxy

from doorkey.errors import UsageError
from doorkey.transport.name_resolution import THROUGH_A_PROXY, resolve
from doorkey.wire.addresses import Address, Permission
from doorkey.wire.messages import Response
from doorkey.wire.urls import origin_of


def checked(
    adapter: BaseAdapter,
    prepared: requests.PreparedRequest,
    proxies: Any,
    permission: Permission,
    receive: Callable[[BaseAdapter, requests.PreparedRequest], Response],
) -> Response:
    """Return the result of `receive` for `prepared`, sent to a permitted address.

    If it cannot connect to one address, it tries the next.

    adapter: the transport adapter of the session.
    prepared: the request.
    proxies: the proxies of requests for this exchange.
    permission: returns whether a connection to an address is permitted.
    receive: called with an adapter and a request.

    Raises the errors of `resolve` and `receive`, and `UsageError` if a proxy is configured for this URL.
    """
    url = prepared.url or ""
    if select_proxy(url, proxies):
        raise UsageError(THROUGH_A_PROXY)
    origin = origin_of(url)
    twin = _naming(adapter, origin.host)
    *others, last = resolve(origin.host, origin.port, permission)
    for address in others:
        try:
            return receive(twin, _pinned(prepared, address))
        except requests.ConnectionError as error:
            if not never_left(error):
                raise
    return receive(twin, _pinned(prepared, last))


def never_left(error: Exception) -> bool:
    """Return whether `error` states that no connection was made, so that nothing was sent."""
    return isinstance(error, requests.ConnectTimeout) or "NewConnectionError" in repr(error)


def _pinned(prepared: requests.PreparedRequest, address: Address) -> requests.PreparedRequest:
    parts = urlsplit(prepared.url or "")
    there = f"[{address}]" if address.version == 6 else str(address)
    port = "" if parts.port is None else f":{parts.port}"
    pinned = prepared.copy()
    pinned.url = urlunsplit(parts._replace(netloc=there + port))
    pinned.headers["Host"] = parts.netloc
    return pinned


def _naming(adapter: BaseAdapter, name: str) -> BaseAdapter:
    """Return a twin of `adapter` that verifies the server's certificate for `name`. It shares the adapter's state.

    An adapter of another kind is returned unchanged.
    """
    kind = type(adapter)
    if not issubclass(kind, HTTPAdapter):
        return adapter

    def attributes(self: Any, request: Any, verify: Any, cert: Any = None) -> Any:
        place, settings = kind.build_connection_pool_key_attributes(self, request, verify, cert)
        return place, {**settings, "server_hostname": name} if place["scheme"] == "https" else settings

    twin_kind = type(kind.__name__, (kind,), {"build_connection_pool_key_attributes": attributes})
    twin = cast("HTTPAdapter", object.__new__(twin_kind))
    twin.__dict__ = adapter.__dict__
    return twin

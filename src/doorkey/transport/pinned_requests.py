"""A request of requests that goes to an address that was checked, and nowhere else.

The URL gets the address; `Host` stays, and the server's certificate is checked for the name. urllib3 keeps connections
by address and by that name, so none that was made for another name is used.
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
    """Return what `receive(adapter, request)` does with `prepared` on its way to an address that has `permission`.

    Where it cannot connect to one, it goes to the next. Raises what `resolve` does, and `UsageError` where one of
    `proxies` is for this URL.
    """
    url = prepared.url or ""
    if select_proxy(url, proxies):
        raise UsageError(THROUGH_A_PROXY)
    origin = origin_of(url)
    carrier = _naming(adapter, origin.host)
    *others, last = resolve(origin.host, origin.port, permission)
    for address in others:
        try:
            return receive(carrier, _pinned(prepared, address))
        except requests.ConnectionError as error:
            if not never_left(error):
                raise
    return receive(carrier, _pinned(prepared, last))


def never_left(error: Exception) -> bool:
    """Say whether the error is that no connection was made."""
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
    """Return `adapter` for a server that proves to be `name`; a twin that shares its state, pools and settings."""
    kind = type(adapter)
    if not issubclass(kind, HTTPAdapter):
        return adapter

    def attributes(self: Any, request: Any, verify: Any, cert: Any = None) -> Any:
        place, how = kind.build_connection_pool_key_attributes(self, request, verify, cert)
        return place, {**how, "server_hostname": name} if place["scheme"] == "https" else how

    twin_kind = type(kind.__name__, (kind,), {"build_connection_pool_key_attributes": attributes})
    twin = cast("HTTPAdapter", object.__new__(twin_kind))
    twin.__dict__ = adapter.__dict__
    return twin

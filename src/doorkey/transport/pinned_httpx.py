"""A request of httpx2 or httpx to an address that was checked, and to no other address.

The URL contains the address and `Host` contains the name. The server's certificate is checked for the name (the
documented extension `sni_hostname`). A pool may already have a connection to the same address for another name, with
another certificate. So for a transport of the library, this exchange gets a pool of its own with the same settings. Any
other transport is used unchanged, and the documented extension `trace` reports its connections.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from copy import copy
from typing import Any

from doorkey.errors import UsageError
from doorkey.transport.name_resolution import THROUGH_A_PROXY, aresolve, resolve
from doorkey.wire.addresses import Address, Permission
from doorkey.wire.messages import Response


def checked(
    lib: Any, transport: Any, native: Any, permission: Permission, receive: Callable[[Any, Any], Response]
) -> Response:
    """Return the result of `receive` for `native`, sent to a permitted address.

    If it cannot connect to one address, it tries the next.

    lib: httpx2 or httpx.
    transport: the transport of the client.
    native: the request.
    permission: returns whether a connection to an address is permitted.
    receive: called with a transport and a request.

    Raises the errors of `resolve` and `receive`, and `UsageError` for a proxy.
    """
    single_use = _for_one_exchange(lib, transport)
    try:
        host, port = _place(native)
        *others, last = resolve(host, port, permission)
        for address in others:
            with suppress(lib.ConnectError, lib.ConnectTimeout):
                return receive(single_use, _pinned(lib, native, address, _Watch(address, port).seen))
        return receive(single_use, _pinned(lib, native, last, _Watch(last, port).seen))
    finally:
        if single_use is not transport:
            single_use.close()


async def achecked(
    lib: Any, transport: Any, native: Any, permission: Permission, receive: Callable[[Any, Any], Awaitable[Response]]
) -> Response:
    """Return the result of the coroutine function `receive` for `native`, sent to a permitted address.

    The other parameters and the errors are those of `checked`.
    """
    single_use = _for_one_exchange(lib, transport)
    try:
        host, port = _place(native)
        *others, last = await aresolve(host, port, permission)
        for address in others:
            with suppress(lib.ConnectError, lib.ConnectTimeout):
                return await receive(single_use, _pinned(lib, native, address, _Watch(address, port).aseen))
        return await receive(single_use, _pinned(lib, native, last, _Watch(last, port).aseen))
    finally:
        if single_use is not transport:
            await single_use.aclose()


def _for_one_exchange(lib: Any, transport: Any) -> Any:
    """Return a twin of a transport of the library, with its own pool, which the caller must close.

    Any other transport is returned unchanged.
    """
    if type(transport) not in (lib.HTTPTransport, lib.AsyncHTTPTransport):
        return transport
    twin, pool = copy(transport), copy(transport._pool)
    if "Proxy" in type(pool).__name__:
        raise UsageError(THROUGH_A_PROXY)
    pool._connections, pool._requests = [], []
    twin._pool = pool
    return twin


def _place(native: Any) -> tuple[str, int]:
    url = native.url
    return url.raw_host.decode("ascii"), url.port or (443 if url.scheme == "https" else 80)


def _pinned(lib: Any, native: Any, address: Address, trace: Callable[..., Any]) -> Any:
    return lib.Request(
        native.method,
        native.url.copy_with(host=str(address)),
        headers=[*native.headers.multi_items(), ("Connection", "close")],
        stream=native.stream,
        extensions={**native.extensions, "sni_hostname": _place(native)[0], "trace": trace},
    )


class _Watch:
    """Stops a transport before it uses a connection of another request, or connects to another address."""

    def __init__(self, address: Address, port: int) -> None:
        self._place = (str(address), port)
        self._connected = False

    def seen(self, event: str, info: Mapping[str, Any]) -> None:
        """Handle a `trace` event of httpcore. Raises `UsageError` if the transport must not do this."""
        if event.endswith("connect_tcp.started"):
            if (info["host"], info["port"]) != self._place:
                raise UsageError(THROUGH_A_PROXY)
            self._connected = True
        elif event.endswith("connect_unix_socket.started"):
            raise UsageError("this client connects to a Unix socket, which ExchangePolicy.addresses cannot check")
        elif event.endswith("send_request_headers.started") and not self._connected:
            raise UsageError(
                "the client's own transport would reuse a connection of another request: with "
                "ExchangePolicy.addresses, it must keep no idle connections (and use no HTTP/2)"
            )

    async def aseen(self, event: str, info: Mapping[str, Any]) -> None:
        """Handle a `trace` event of httpcore. Raises the errors of `seen`."""
        self.seen(event, info)

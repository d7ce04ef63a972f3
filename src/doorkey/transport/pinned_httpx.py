"""A request of httpx2 or httpx that goes to an address that was checked, and nowhere else.

The URL gets the address; `Host` stays, and the server's certificate is checked for the name (the documented extension
`sni_hostname`). Transports keep connections, and one to the same address may have been made for another name, whose
certificate was checked then. So a transport of the library's own lends its settings to a pool for this exchange alone.
Any other is used as it is: the documented extension `trace` tells what it is about to do.
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
    """Return what `receive(transport, request)` does with `native` on its way to an address that has `permission`.

    Where it cannot connect to one, it goes to the next. `lib`: httpx2 or httpx. `transport`: the client's. Raises what
    `resolve` does, and `UsageError` for a proxy.
    """
    carrier = _for_one_exchange(lib, transport)
    try:
        host, port = _place(native)
        *others, last = resolve(host, port, permission)
        for address in others:
            with suppress(lib.ConnectError, lib.ConnectTimeout):
                return receive(carrier, _pinned(lib, native, address, _Watch(address, port).seen))
        return receive(carrier, _pinned(lib, native, last, _Watch(last, port).seen))
    finally:
        if carrier is not transport:
            carrier.close()


async def achecked(
    lib: Any, transport: Any, native: Any, permission: Permission, receive: Callable[[Any, Any], Awaitable[Response]]
) -> Response:
    """Return what `receive` does, as `checked` does.

    lib, transport, native, permission: as for `checked`, whose errors it raises.
    """
    carrier = _for_one_exchange(lib, transport)
    try:
        host, port = _place(native)
        *others, last = await aresolve(host, port, permission)
        for address in others:
            with suppress(lib.ConnectError, lib.ConnectTimeout):
                return await receive(carrier, _pinned(lib, native, address, _Watch(address, port).aseen))
        return await receive(carrier, _pinned(lib, native, last, _Watch(last, port).aseen))
    finally:
        if carrier is not transport:
            await carrier.aclose()


def _for_one_exchange(lib: Any, transport: Any) -> Any:
    """Return the twin of `transport` with a pool of its own where it is the library's, to be closed; else itself."""
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
    """Stops a transport before it uses a connection that was not made for this request, or that leads elsewhere."""

    def __init__(self, address: Address, port: int) -> None:
        self._place = (str(address), port)
        self._connected = False

    def seen(self, event: str, info: Mapping[str, Any]) -> None:
        """Take what httpcore does next. Raises `UsageError` where it must not."""
        if event.endswith("connect_tcp.started"):
            if (info["host"], info["port"]) != self._place:
                raise UsageError(THROUGH_A_PROXY)
            self._connected = True
        elif event.endswith("connect_unix_socket.started"):
            raise UsageError("this client connects to a Unix socket, where ExchangePolicy.addresses means nothing")
        elif event.endswith("send_request_headers.started") and not self._connected:
            raise UsageError(
                "the client's own transport would use a connection that was made for another request: where "
                "ExchangePolicy.addresses is given, let it keep none (and speak no HTTP/2)"
            )

    async def aseen(self, event: str, info: Mapping[str, Any]) -> None:
        """Take what httpcore does next, as `seen` does."""
        self.seen(event, info)

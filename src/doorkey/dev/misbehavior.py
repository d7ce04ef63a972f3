"""Faults on a connection: a request that waits, a body that is sent byte by byte, a reset."""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from collections.abc import AsyncIterator
from contextlib import suppress

from starlette.types import Scope

from doorkey.dev.connections import transport_of
from doorkey.dev.faults import HOLD_SECONDS, Fault

_NO_LINGER = struct.pack("ii", 1, 0)


async def held(fault: Fault) -> None:
    """Set `arrived`, and return when the request may continue."""
    fault.arrived.set()
    if fault.hold is None:
        return
    loop = asyncio.get_running_loop()
    released = asyncio.Event()

    def wait(hold: threading.Event) -> None:
        hold.wait(HOLD_SECONDS)
        with suppress(RuntimeError):  # the provider has stopped meanwhile
            loop.call_soon_threadsafe(released.set)

    # A daemon thread and not the executor, which has few threads, and would delay the stop of the provider.
    threading.Thread(target=wait, args=(fault.hold,), daemon=True).start()
    await released.wait()


async def dripping(body: bytes, seconds: float, scope: Scope) -> AsyncIterator[bytes]:
    """Yield `body` byte by byte, with a pause of `seconds` after each, until the connection is closed."""
    for byte in body:
        if transport_of(scope).is_closing():
            return
        yield bytes([byte])
        await asyncio.sleep(seconds)


def reset(scope: Scope) -> None:
    """Reset the connection of a request, so that the peer sees a reset and not an orderly close."""
    transport = transport_of(scope)
    connection: socket.socket = transport.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
    transport.abort()

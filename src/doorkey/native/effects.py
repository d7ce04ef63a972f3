"""The effects of a native login's flow: a client at the provider, and sockets that are ready."""

from __future__ import annotations

import selectors
from collections.abc import Mapping
from dataclasses import dataclass, field
from socket import socket
from typing import Any, Final

from doorkey.login.client import AsyncLoginClient, LoginClient
from doorkey.wire.flow import Effect

LOOK: Final = 0.5
"""Seconds of one wait. After it the flow reads its clock again; and on Windows, a Ctrl-C does not end a wait."""


@dataclass(frozen=True, slots=True)
class OpenClient(Effect[Any]):
    """Ask for a login client with these `options`, blocking or awaiting; it is closed at the end of the login."""

    options: Mapping[str, Any] = field(repr=False)

    def blocking(self) -> LoginClient:
        """Return the client for code that blocks."""
        return LoginClient(**self.options)

    def awaiting(self) -> AsyncLoginClient:
        """Return the client for code that awaits."""
        return AsyncLoginClient(**self.options)


@dataclass(frozen=True, slots=True)
class WaitForSockets(Effect["frozenset[socket | int]"]):
    """Ask for the sockets or file descriptors of these that can be used now; the result is empty after `seconds`."""

    reading: tuple[socket | int, ...]
    writing: tuple[socket | int, ...] = ()
    seconds: float = LOOK

    def wait(self) -> frozenset[socket | int]:
        """Block until one of them is ready."""
        with selectors.DefaultSelector() as selector:
            for one in self.reading:
                selector.register(one, selectors.EVENT_READ, one)
            for one in self.writing:
                selector.register(one, selectors.EVENT_WRITE, one)
            return frozenset(key.data for key, _ in selector.select(min(self.seconds, LOOK)))

    async def wait_async(self) -> frozenset[socket | int]:
        """Await until one of them is ready."""
        from anyio import create_task_group, move_on_after, wait_readable, wait_writable

        ready: set[socket | int] = set()

        async def wait_for(one: socket | int, wait: Any) -> None:
            await wait(one)
            ready.add(one)
            group.cancel_scope.cancel()

        with move_on_after(min(self.seconds, LOOK)):
            async with create_task_group() as group:
                for one in self.reading:
                    group.start_soon(wait_for, one, wait_readable)
                for one in self.writing:
                    group.start_soon(wait_for, one, wait_writable)
        return frozenset(ready)

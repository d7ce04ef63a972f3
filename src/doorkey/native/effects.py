"""The effects of a native login's flow: create a client, wait for sockets, and make a blocking call."""

from __future__ import annotations

import selectors
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from socket import socket
from typing import Any, Final, TypeVar, cast

from doorkey.login.client import AsyncLoginClient, LoginClient
from doorkey.wire.flow import Effect

T = TypeVar("T")

POLL_INTERVAL: Final = 0.5
"""The maximum seconds of one wait. Then the flow reads its clock again, and on Windows a Ctrl-C takes effect."""


@dataclass(frozen=True, slots=True)
class OpenClient(Effect[Any]):
    """Create a synchronous or asynchronous login client with `options`. It is closed at the end of the login."""

    options: Mapping[str, Any] = field(repr=False)

    def blocking(self) -> LoginClient:
        """Return the synchronous client."""
        return LoginClient(**self.options)

    def awaiting(self) -> AsyncLoginClient:
        """Return the asynchronous client."""
        return AsyncLoginClient(**self.options)


@dataclass(frozen=True, slots=True)
class WaitForSockets(Effect["frozenset[socket | int]"]):
    """Wait until some sockets or file descriptors are ready, and return them; nothing after at most `seconds`."""

    reading: tuple[socket | int, ...]
    writing: tuple[socket | int, ...] = ()
    seconds: float = POLL_INTERVAL

    def wait(self) -> frozenset[socket | int]:
        """Block until one of them is ready."""
        with selectors.DefaultSelector() as selector:
            for one in self.reading:
                selector.register(one, selectors.EVENT_READ, one)
            for one in self.writing:
                selector.register(one, selectors.EVENT_WRITE, one)
            return frozenset(key.data for key, _ in selector.select(min(self.seconds, POLL_INTERVAL)))

    async def wait_async(self) -> frozenset[socket | int]:
        """Wait until one of them is ready, without blocking the event loop."""
        from anyio import create_task_group, move_on_after, wait_readable, wait_writable

        ready: set[socket | int] = set()

        async def wait_for(one: socket | int, wait: Any) -> None:
            await wait(one)
            ready.add(one)
            group.cancel_scope.cancel()

        try:
            with move_on_after(min(self.seconds, POLL_INTERVAL)):
                async with create_task_group() as group:
                    for one in self.reading:
                        group.start_soon(wait_for, one, wait_readable)
                    for one in self.writing:
                        group.start_soon(wait_for, one, wait_writable)
        except BaseExceptionGroup as several:
            error = _first(several)
        else:
            return frozenset(ready)
        raise error


def _first(several: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return the `KeyboardInterrupt` of one of several waits (on trio), or else the first error."""
    error: BaseException = several.subgroup(KeyboardInterrupt) or several
    while isinstance(error, BaseExceptionGroup):
        error = cast("BaseExceptionGroup[BaseException]", error).exceptions[0]
    return error


@dataclass(frozen=True, slots=True)
class CallBlocking(Effect[T]):
    """Make a blocking call, in a thread if the program is asynchronous. The outcome is its result."""

    call: Callable[[], T] = field(repr=False)

    def blocking(self) -> Any:
        """Return the result."""
        return self.call()

    async def in_thread(self) -> Any:
        """Await the result. A cancellation abandons the thread."""
        from anyio.to_thread import run_sync

        return await run_sync(self.call, abandon_on_cancel=True)

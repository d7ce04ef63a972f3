"""The effects of a native login's flow: a client at the provider, sockets that are ready, and a call that blocks."""

from __future__ import annotations

import selectors
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from socket import socket
from typing import Any, Final, TypeVar, cast

from doorkey.login.client import AsyncLoginClient, LoginClient
from doorkey.wire.flow import Effect

T = TypeVar("T")

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

        try:
            with move_on_after(min(self.seconds, LOOK)):
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
    """Return the Ctrl-C that struck in one of several waits (on trio), else the first of their errors."""
    error: BaseException = several.subgroup(KeyboardInterrupt) or several
    while isinstance(error, BaseExceptionGroup):
        error = cast("BaseExceptionGroup[BaseException]", error).exceptions[0]
    return error


@dataclass(frozen=True, slots=True)
class CallBlocking(Effect[T]):
    """Ask for the result of a call that blocks: of a program that awaits, in a thread."""

    call: Callable[[], T] = field(repr=False)

    def blocking(self) -> Any:
        """Return the result."""
        return self.call()

    async def in_thread(self) -> Any:
        """Await the result; a cancellation leaves the thread."""
        from anyio.to_thread import run_sync

        return await run_sync(self.call, abandon_on_cancel=True)

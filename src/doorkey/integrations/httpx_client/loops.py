"""One client in several event loops: the transports of each loop, and how they are closed when the loop ends.

Theory of operation. A pooled connection belongs to the loop that opened it. The first loop uses the client's own pool.
Each other loop gets a pool with the same options that keeps no idle connection. When the first loop ends, its pool must
be closed, but the client must stay open for the other loops. When an asyncio loop ends, it closes its asynchronous
generators. So a generator that closes the pool is left open in the loop. Trio warns about such generators, but it
cancels its system tasks when a run ends. So one system task closes the pools of all clients of the run.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import suppress
from typing import Any
from weakref import WeakKeyDictionary, WeakSet, ref

from doorkey.runtime.loops import running_trio


class LoopTransports:
    """The transports of a client, by event loop. `options` are the constructor options of the client."""

    def __init__(self, lib: Any, options: Mapping[str, Any]) -> None:
        self._lib, self._options = lib, options
        self.first_loop: Callable[[], Any] = _no_loop
        """Returns the first loop, or None if it is unknown or gone. Called on each request."""
        self.handled: dict[int, AsyncGenerator[None] | None] = {}
        """The client's own transports, by id, that are handled: closed with the first loop, or by their owner."""
        self._others: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()

    def is_first(self, loop: Any) -> bool:
        """Return whether `loop` is the first loop, which uses the client's own transports. The first caller sets it."""
        if self.first_loop is _no_loop:
            self.first_loop = ref(loop)
        return self.first_loop() is loop

    def close_with_loop(self, transport: Any) -> None:
        """Close `transport`, one of the client's own, when this loop ends, unless the user passed it to the client."""
        if self._was_given(transport):
            self.handled[id(transport)] = None
            return
        trio = running_trio()
        if trio is not None:
            self.handled[id(transport)] = None
            _close_with_run(trio, transport)
            return
        self.handled[id(transport)] = closing = _closing(transport)
        with suppress(StopIteration):
            closing.asend(None).send(None)  # run it to its yield, so that this loop tracks it

    def transport_for(self, url: Any, loop: Any) -> Any:
        """Return the transport for `url` in `loop`, which is not the first."""
        if loop not in self._others:
            limits = self._options.get("limits") or self._lib.Limits()
            no_idle = self._lib.Limits(
                max_connections=limits.max_connections,
                max_keepalive_connections=0,
                keepalive_expiry=limits.keepalive_expiry,
            )
            self._others[loop] = self._lib.AsyncClient(**{**self._options, "limits": no_idle})
        return self._others[loop]._transport_for_url(url)

    def _was_given(self, transport: Any) -> bool:
        mounts: Mapping[str, Any] = self._options.get("mounts") or {}
        return transport is self._options.get("transport") or any(transport is mounted for mounted in mounts.values())


def _no_loop() -> None:
    return None


async def _closing(transport: Any) -> AsyncGenerator[None]:
    try:
        yield
    finally:
        await transport.aclose()


_in_runs: WeakKeyDictionary[Any, WeakSet[Any]] = WeakKeyDictionary()


def _close_with_run(trio: Any, transport: Any) -> None:
    """Close `transport` at the end of this run of trio, unless it is garbage-collected before."""
    token = trio.lowlevel.current_trio_token()
    transports = _in_runs.get(token)
    if transports is None:
        transports = _in_runs[token] = WeakSet()
        with suppress(RuntimeError):  # the run is already ending
            trio.lowlevel.spawn_system_task(_closing_at_the_end, trio, transports)
    transports.add(transport)


async def _closing_at_the_end(trio: Any, transports: WeakSet[Any]) -> None:
    try:
        await trio.sleep_forever()
    finally:
        with trio.move_on_after(1, shield=True):
            for transport in list(transports):
                await transport.aclose()

"""One client in several event loops: the transports of each loop, and how they are closed when the loop ends.

Theory of operation. A pooled connection belongs to the loop that opened it. The first loop has the client's own pool;
each other loop has a pool with the same options that keeps no idle connection. When the first loop ends, its pool must
be closed, but the client must stay open for the other loops. asyncio closes the asynchronous generators of a loop that
ends: one of ours stays open in it, and closes the pool. Trio warns about such generators, but it cancels its system
tasks when a run ends: one of ours, for all clients of the run, closes their pools.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import suppress
from typing import Any
from weakref import WeakKeyDictionary, WeakSet, ref

from doorkey.runtime.loops import running_trio


class Siblings:
    """The transports of a client's event loops; `options` are those that the client was made with."""

    def __init__(self, lib: Any, options: Mapping[str, Any]) -> None:
        self._lib, self._options = lib, options
        self.home: Callable[[], Any] = _nowhere
        """Returns the first loop, while it lives; asked at each request, as `arranged` is."""
        self.arranged: dict[int, AsyncGenerator[None] | None] = {}
        """The client's own transports, by id, that are closed with the first loop or need not be."""
        self._others: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()

    def at_home(self, loop: Any) -> bool:
        """Say whether `loop` is the first, which has the client's own transports."""
        if self.home is _nowhere:
            self.home = ref(loop)
        return self.home() is loop

    def close_with_loop(self, transport: Any) -> None:
        """Have `transport`, one of the client's own, closed when this loop ends; one that was given is its owner's."""
        if self._was_given(transport):
            self.arranged[id(transport)] = None
            return
        trio = running_trio()
        if trio is not None:
            self.arranged[id(transport)] = None
            _close_with_run(trio, transport)
            return
        self.arranged[id(transport)] = closing = _closing(transport)
        with suppress(StopIteration):
            closing.asend(None).send(None)  # up to its yield, where this loop knows of it

    def transport_for(self, url: Any, loop: Any) -> Any:
        """Return the transport for `url` in another loop than the first."""
        if loop not in self._others:
            limits = self._options.get("limits") or self._lib.Limits()
            none_kept = self._lib.Limits(
                max_connections=limits.max_connections,
                max_keepalive_connections=0,
                keepalive_expiry=limits.keepalive_expiry,
            )
            self._others[loop] = self._lib.AsyncClient(**{**self._options, "limits": none_kept})
        return self._others[loop]._transport_for_url(url)

    def _was_given(self, transport: Any) -> bool:
        mounts: Mapping[str, Any] = self._options.get("mounts") or {}
        return transport is self._options.get("transport") or any(transport is one for one in mounts.values())


def _nowhere() -> None:
    return None


async def _closing(transport: Any) -> AsyncGenerator[None]:
    try:
        yield
    finally:
        await transport.aclose()


_in_runs: WeakKeyDictionary[Any, WeakSet[Any]] = WeakKeyDictionary()


def _close_with_run(trio: Any, transport: Any) -> None:
    """Have `transport` closed at the end of this run of trio, unless it is garbage by then."""
    token = trio.lowlevel.current_trio_token()
    transports = _in_runs.get(token)
    if transports is None:
        transports = _in_runs[token] = WeakSet()
        with suppress(RuntimeError):  # the run is ending already
            trio.lowlevel.spawn_system_task(_closing_at_the_end, trio, transports)
    transports.add(transport)


async def _closing_at_the_end(trio: Any, transports: WeakSet[Any]) -> None:
    try:
        await trio.sleep_forever()
    finally:
        with trio.move_on_after(1, shield=True):
            for transport in list(transports):
                await transport.aclose()

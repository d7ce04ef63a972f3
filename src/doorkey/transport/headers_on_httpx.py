"""The limit on header bytes on httpx2 and httpx, applied while headers are read. h11 would allow 100 KiB.

httpcore's documented extension `trace` reports when a connection begins and ends to read the head of a response. In
between, the connection reads through a stream that counts. The connection of another transport is unknown here, so its
headers are counted when it returns them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from doorkey.wire.limits import HEAD_OVERHEAD, headers_too_large


class HeaderCount:
    """Limits the header bytes that a connection reads for each response to one request.

    transport: the transport that sends the request.
    max_headers: the limit in bytes.
    watching: the original `trace` callable of the request, which is still called with every event, or None.
    """

    def __init__(self, transport: Any, max_headers: int, watching: Callable[..., Any] | None = None) -> None:
        self._pool: Any = getattr(transport, "_pool", None)
        self._max_headers, self._watching = max_headers, watching
        self._connection: Any = None

    def blocking(self, event: str, info: Mapping[str, Any]) -> None:
        """Handle an event of a blocking transport. Raises the errors of `watching`."""
        if self._watching is not None:
            self._watching(event, info)
        self._follow(event, self.blocking, _Stream)

    async def awaiting(self, event: str, info: Mapping[str, Any]) -> None:
        """Handle an event of an asynchronous transport. Raises the errors of `watching`."""
        if self._watching is not None:
            await self._watching(event, info)
        self._follow(event, self.awaiting, _AsyncStream)

    def _follow(self, event: str, trace: Callable[..., Any], kind: type[_Counting]) -> None:
        if event == "http11.receive_response_headers.started":
            self._connection = connection = self._serving(trace)
            if connection is not None:
                connection._network_stream = kind(connection._network_stream, self._max_headers)
        elif event.startswith("http11.receive_response_headers.") and self._connection is not None:
            connection, self._connection = self._connection, None
            connection._network_stream = connection._network_stream.stream

    def _serving(self, trace: Callable[..., Any]) -> Any:
        """Return the HTTP/1.1 connection of the request that has the extension `trace`, or None if it is unknown."""
        for waiting in tuple(getattr(self._pool, "_requests", ())):
            if waiting.request.extensions.get("trace") == trace:
                connection = waiting.connection
                while (inner := getattr(connection, "_connection", None)) is not None:  # of a proxy, of a pool
                    connection = inner
                return connection if hasattr(connection, "_network_stream") else None
        return None


class _Counting:
    """A network stream whose reads are limited to the remaining bytes of the limit."""

    def __init__(self, stream: Any, max_headers: int) -> None:
        self.stream = stream
        self._max_headers = max_headers
        self._left = max_headers + HEAD_OVERHEAD

    def _allowed(self, most: int) -> int:
        """Return the maximum size of the next read. Raises `InvalidResponse` if the head exceeds the limit."""
        if self._left <= 0:
            raise headers_too_large(self._max_headers, None)
        return min(most, self._left)

    def _counted(self, data: bytes) -> bytes:
        self._left -= len(data)
        return data

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


class _Stream(_Counting):
    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._counted(self.stream.read(self._allowed(max_bytes), timeout))


class _AsyncStream(_Counting):
    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109  # httpcore's signature
        return self._counted(await self.stream.read(self._allowed(max_bytes), timeout))

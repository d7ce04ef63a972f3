"""The limit on header bytes on aiohttp, applied while headers are read. aiohttp's own limits allow 128 lines of 8 KiB.

The protocol of a connection gets a parser for each request. This module puts a counter before that parser. The next
request on the connection has another parser.
"""

from __future__ import annotations

from typing import Any

from doorkey.wire.limits import HEAD_OVERHEAD, headers_too_large


class HeaderCount:
    """Counts the header bytes of the response to one request. `is_exceeded` is True if there were too many."""

    def __init__(self, max_headers: int) -> None:
        self.max_headers = max_headers
        self.is_exceeded = False

    def watch(self, protocol: Any) -> None:
        """Count the bytes that `protocol` reads from now on, until the body of the final response begins."""
        if (parser := getattr(protocol, "_parser", None)) is not None:
            protocol._parser = _CountingParser(parser, self)

    def request_class(self) -> Any:
        """Return an aiohttp request class whose responses this object counts."""
        import aiohttp

        watch = self.watch

        class Watched(aiohttp.ClientRequest):
            async def send(self, conn: Any) -> aiohttp.ClientResponse:
                watch(conn.protocol)
                return await super().send(conn)

        return Watched


class _CountingParser:
    """The parser of a connection, which raises before it would hold more header bytes than the limit."""

    def __init__(self, parser: Any, count: HeaderCount) -> None:
        self._parser, self._count = parser, count
        self._left: int | None = count.max_headers + HEAD_OVERHEAD

    def feed_data(self, data: bytes, *more: Any) -> Any:
        """Feed `data` to the parser. Raises `InvalidResponse` if the headers up to here exceed the limit."""
        result = self._parser.feed_data(data, *more)
        if self._left is None:
            return result
        if any(not 100 <= message.code < 200 or message.code == 101 for message, _ in result[0]):
            self._left = None  # the rest is the body
            return result
        self._left -= len(data)
        if self._left < 0:
            self._count.is_exceeded = True
            raise headers_too_large(self._count.max_headers)
        return result

    def __getattr__(self, name: str) -> Any:
        return getattr(self._parser, name)

"""The limit on header bytes on requests, applied while headers are read: http.client first parses all of them.

http.client accepts 100 lines of 64 KiB, and any number of interim responses before them. So for one exchange, a
connection of the user's pool reads its response through a file object that counts. The twin of the pool shares the
pool's state. A connection that is returned to the pool reads as before.
"""

from __future__ import annotations

import http.client
from functools import cache
from typing import Any

from doorkey.wire.limits import HEAD_OVERHEAD, headers_too_large


def reading_headers_within(pool: object, max_headers: int) -> Any:
    """Return a twin of a pool of urllib3 whose connections read at most `max_headers` bytes of headers.

    A pool of another library is returned unchanged.
    """
    kind: Any = type(pool)
    if not (hasattr(kind, "_get_conn") and hasattr(kind, "_put_conn")) or hasattr(kind, "bounds_headers"):
        return pool
    twin: Any = object.__new__(_bounded_pool(kind, max_headers))
    twin.__dict__ = pool.__dict__
    twin.original = pool
    return twin


class _Counting:
    """The head of a response as a file: `readline` raises `InvalidResponse` for a line beyond the limit."""

    def __init__(self, response: http.client.HTTPResponse, max_headers: int) -> None:
        self._response, self._max_headers = response, max_headers
        self.file: Any = response.fp
        self._left = max_headers + HEAD_OVERHEAD

    def readline(self, limit: int = -1) -> bytes:
        """Return the next line. Raises `InvalidResponse` if it exceeds the remaining bytes of the limit."""
        most = self._left + 1
        line: bytes = self.file.readline(most if limit < 0 else min(limit, most))
        self._left -= len(line)
        if self._left < 0:
            status: object = self._response.status
            raise headers_too_large(self._max_headers, status if isinstance(status, int) else None)
        return line

    def __getattr__(self, name: str) -> Any:
        return getattr(self.file, name)


@cache
def _bounded_response(kind: Any, max_headers: int) -> Any:
    """Return a subclass of `kind`, a response of http.client, that counts until its headers have been read."""

    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:  # noqa: N807
        kind.__init__(self, *args, **kwargs)
        self.fp = _Counting(self, max_headers)

    def begin(self: Any) -> None:
        kind.begin(self)
        if isinstance(self.fp, _Counting):
            self.fp = self.fp.file

    return type(kind.__name__, (kind,), {"__init__": __init__, "begin": begin})


@cache
def _bounded_pool(kind: Any, max_headers: int) -> Any:
    def _get_conn(self: Any, timeout: Any = None) -> Any:
        connection = kind._get_conn(self, timeout)
        if isinstance(connection, http.client.HTTPConnection):  # also for the response of a proxy to CONNECT
            connection.response_class = _bounded_response(type(connection).response_class, max_headers)
        return connection

    def _put_conn(self: Any, conn: Any) -> None:
        getattr(conn, "__dict__", {}).pop("response_class", None)
        kind._put_conn(self, conn)

    # `original` keeps the pool alive. A closed session drops its pools, and urllib3 closes the idle connections of a
    # pool when it is freed, which must not happen before the exchange has returned its connection.
    members = {"__slots__": ("original",), "_get_conn": _get_conn, "_put_conn": _put_conn, "bounds_headers": True}
    return type(kind.__name__, (kind,), members)

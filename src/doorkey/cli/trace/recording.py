"""An HTTP client that reports each exchange: a client of httpx2 or httpx with a recorder before its transports."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, Final

from doorkey.errors import OAuthError
from doorkey.transport.httpx_or_httpx2 import library
from doorkey.transport.made_clients import new_client
from doorkey.wire.limits import BoundedReader, ExchangePolicy
from doorkey.wire.messages import Request, Response

Report = Callable[[Request, Response | None, float], None]
"""A function that is called with a request, its response (None if there is none), and its duration in seconds."""

_POLICY: Final = ExchangePolicy()


def recording_client(report: Report) -> Any:
    """Return a client of httpx2 or httpx that calls `report` after each exchange. Raises as `new_client` does."""
    client = new_client()
    client._transport = _Recorder(client._transport, report)
    client._mounts = {
        pattern: None if transport is None else _Recorder(transport, report)
        for pattern, transport in client._mounts.items()
    }
    return client


class _Recorder:
    """A transport that sends requests by another one, and reports each exchange when its response has been read."""

    def __init__(self, inner: Any, report: Report) -> None:
        self._inner, self._report = inner, report
        self._pool = getattr(inner, "_pool", None)  # where the cap on headers finds the connection

    def handle_request(self, request: Any) -> Any:
        """Send `request`, and return a response whose stream reports the exchange at its end."""
        began = time.perf_counter()
        body = request.read()
        asked = Request(request.method, str(request.url), tuple(request.headers.multi_items()), body=body)
        try:
            response = self._inner.handle_request(request)
        except BaseException:
            self._report(asked, None, time.perf_counter() - began)
            raise

        def ended(data: bytes) -> None:
            took = time.perf_counter() - began
            self._report(asked, _response(response, data, asked), took)

        response.stream = _tee_class()(response.stream, ended)
        return response

    def close(self) -> None:
        """Close the transport."""
        self._inner.close()

    def __enter__(self) -> _Recorder:
        self._inner.__enter__()
        return self

    def __exit__(self, *given: Any) -> None:
        self._inner.__exit__(*given)


class _Tee:
    """The stream of a response, which calls `ended` once with what was read of it, within the usual bounds."""

    def __init__(self, stream: Any, ended: Callable[[bytes], None]) -> None:
        self._stream, self._ended = stream, ended
        self._data = bytearray()
        self._has_ended = False

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._stream:
            if len(self._data) <= _POLICY.max_body:
                self._data += chunk
            yield chunk

    def close(self) -> None:
        """Close the stream, and report."""
        self._stream.close()
        if not self._has_ended:
            self._has_ended = True
            self._ended(bytes(self._data))


@cache
def _tee_class() -> type[Any]:
    """Return the class of streams that a response of the installed library accepts."""
    return type("_LibraryTee", (_Tee, library().SyncByteStream), {})


def _response(native: Any, data: bytes, asked: Request) -> Response:
    """Return the response that was read; one that breaks the bounds has no body."""
    headers = tuple(native.headers.multi_items())
    try:
        reader = BoundedReader(native.status_code, headers, _POLICY)
        reader.feed(data)
        response = reader.response()
    except OAuthError:
        response = Response(native.status_code, headers)
    return Response(response.status, response.headers, response.body, asked)

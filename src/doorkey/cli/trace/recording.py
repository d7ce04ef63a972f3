"""An HTTP client that reports each exchange: a client of httpx2 or httpx whose transports are wrapped in recorders."""

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
"""A function that gets a request, its response (None if the request failed), and the duration in seconds."""

_POLICY: Final = ExchangePolicy()


def recording_client(report: Report) -> Any:
    """Return a client of httpx2 or httpx that calls `report` after each exchange. Raises the errors of `new_client`."""
    client = new_client()
    client._transport = _Recorder(client._transport, report)
    client._mounts = {
        pattern: None if transport is None else _Recorder(transport, report)
        for pattern, transport in client._mounts.items()
    }
    return client


class _Recorder:
    """A transport that sends requests through `inner`, and reports each exchange: at the end, or at a failure."""

    def __init__(self, inner: Any, report: Report) -> None:
        self._inner, self._report = inner, report
        self._pool = getattr(inner, "_pool", None)  # the limit for headers finds the connection there

    def handle_request(self, request: Any) -> Any:
        """Send `request`, and return a response whose stream reports the exchange at its end."""
        began = time.perf_counter()
        body = request.read()
        recorded = Request(request.method, str(request.url), tuple(request.headers.multi_items()), body=body)
        try:
            response = self._inner.handle_request(request)
        except BaseException:
            self._report(recorded, None, time.perf_counter() - began)
            raise

        def ended(data: bytes) -> None:
            took = time.perf_counter() - began
            self._report(recorded, _response(response, data, recorded), took)

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
    """The stream of a response. When it is closed, it calls `ended` once with the data that was read.

    It stops collecting data above the default `max_body` of an `ExchangePolicy`, but passes on all chunks.
    """

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
        """Close the stream, and call `ended`."""
        self._stream.close()
        if not self._has_ended:
            self._has_ended = True
            self._ended(bytes(self._data))


@cache
def _tee_class() -> type[Any]:
    """Return the stream class for the installed library, whose responses accept only its own stream types."""
    return type("_LibraryTee", (_Tee, library().SyncByteStream), {})


def _response(native: Any, data: bytes, request: Request) -> Response:
    """Return the response to `request`. It has no body if it exceeds the bounds."""
    headers = tuple(native.headers.multi_items())
    try:
        reader = BoundedReader(native.status_code, headers, _POLICY)
        reader.feed(data)
        response = reader.response()
    except OAuthError:
        response = Response(native.status_code, headers)
    return Response(response.status, response.headers, response.body, request)

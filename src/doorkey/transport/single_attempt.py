"""The user's transport adapter of requests for one exchange: it repeats no request, and bounds the headers.

The first request that arrives uses up a refresh token or a code. If a response is lost, an adapter with
``Retry(total=3, allowed_methods=None)`` would send it again, and the server would then revoke the grant. Only an
attempt that made no connection is repeated.
"""

from __future__ import annotations

from functools import cache
from typing import Any, cast

import urllib3
from requests.adapters import BaseAdapter, HTTPAdapter

from doorkey.transport.headers_on_requests import reading_headers_within
from doorkey.wire.limits import ExchangePolicy, headers_too_large


def single_attempt(adapter: BaseAdapter, policy: ExchangePolicy) -> BaseAdapter:
    """Return a twin of `adapter` that shares its state, or `adapter` itself if it is not an `HTTPAdapter`."""
    if not isinstance(adapter, HTTPAdapter):
        return adapter
    kind: Any = type(adapter)
    twin = object.__new__(_once(kind, policy.max_headers))
    twin.__dict__ = adapter.__dict__
    return cast("BaseAdapter", twin)


def _connecting_only(retries: urllib3.Retry) -> urllib3.Retry:
    """Return the part of `retries` for connections, because a request that may have been sent must not be repeated."""
    if not retries.total and retries.read is False:
        return retries  # requests' default
    times = min((int(limit) for limit in (retries.total, retries.connect) if limit is not None), default=0)
    return urllib3.Retry(
        total=times,
        connect=times,
        read=False,
        redirect=False,
        status=0,
        other=0,
        allowed_methods={"NONE"},
        status_forcelist=(),
        backoff_factor=retries.backoff_factor,
        respect_retry_after_header=False,
    )


@cache
def _once(kind: Any, max_headers: int) -> Any:
    """Return a subclass of the adapter class `kind` that repeats only connection attempts, and bounds headers.

    requests parses cookies from the headers of every response, which takes seconds for some megabytes of headers. So
    the headers are counted while they are read, and again here for an adapter that does not read them by http.client.
    """

    def get_connection_with_tls_context(self: Any, *args: Any, **kwargs: Any) -> Any:
        pool = kind.get_connection_with_tls_context(self, *args, **kwargs)
        return reading_headers_within(pool, max_headers)

    def build_response(self: Any, req: Any, resp: Any) -> Any:
        if sum(len(name) + len(value) for name, value in resp.headers.items()) > max_headers:
            resp.close()
            raise headers_too_large(max_headers, int(resp.status))
        return kind.build_response(self, req, resp)

    def get(self: Any) -> Any:
        return _connecting_only(self.__dict__["max_retries"])

    def put(self: Any, retries: Any) -> None:
        self.__dict__["max_retries"] = retries

    members = {
        "get_connection_with_tls_context": get_connection_with_tls_context,
        "build_response": build_response,
        "max_retries": property(get, put),
    }
    return type(kind.__name__, (kind,), members)

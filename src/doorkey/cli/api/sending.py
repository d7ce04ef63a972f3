"""One request to an API, with the time of each of its steps.

Theory of operation. The host name is resolved here, and its addresses are tried in order, as an HTTP client does. So
the time for DNS is measured separately from the time for the connection. `Host`, and the name for which the certificate
is verified, are those of the URL. A proxy resolves names itself, so it gets the URL unchanged.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from typing import Any, Final
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from doorkey.cli.api.request import APIRequest, authority_of
from doorkey.cli.errors import CommandError, ExitStatus
from doorkey.errors import TransportError
from doorkey.transport.failure_reasons import reason_of
from doorkey.transport.httpx_or_httpx2 import library
from doorkey.transport.made_clients import tls_context
from doorkey.transport.name_resolution import resolve
from doorkey.transport.scrubbed_causes import caused_by
from doorkey.wire.urls import origin_of

__all__: list[str] = []

_UNCOMPRESSED: Final = ("Accept-Encoding", "identity")
_MARKS: Final = {
    "connect_tcp.started": "connecting",
    "connect_tcp.complete": "connected",
    "start_tls.started": "TLS began",
    "start_tls.complete": "TLS done",
    "receive_response_headers.complete": "first byte",
}


class Timeline:
    """The times of the steps of a request.

    timer: returns a monotonic time in seconds.
    """

    def __init__(self, timer: Callable[[], float]) -> None:
        self._timer = timer
        self.marks: dict[str, float] = {}

    def mark(self, name: str) -> None:
        """Record that the step `name` happens now. A later call for the same step replaces the time."""
        self.marks[name] = self._timer()

    def seen(self, event: str, info: Mapping[str, Any]) -> None:
        """Record the step of a httpcore event. It is the callback for the request extension `trace`."""
        for ending, name in _MARKS.items():
            if event.endswith(ending):
                self.mark(name)

    def durations(self) -> dict[str, float]:
        """Return the duration of each recorded step in seconds. `first byte` and `total` count from the start."""
        steps = (
            ("DNS", "begin", "resolved"),
            ("connect", "connecting", "connected"),
            ("TLS", "TLS began", "TLS done"),
            ("first byte", "begin", "first byte"),
            ("total", "begin", "end"),
        )
        marks = self.marks
        return {name: marks[to] - marks[since] for name, since, to in steps if since in marks and to in marks}


@contextmanager
def sent(request: APIRequest, authorization: str, timeline: Timeline, timeout: float) -> Generator[Any]:
    """Send the request, and yield the streamed response of httpx2 or httpx, whose body has not been read.

    By default the request accepts no compression, because the library decompresses a part of any size at once.

    authorization: the value of the header `Authorization`.
    timeline: records the time of each step.
    timeout: seconds for the connection, and between two parts of the response.

    Raises `TransportError`, and `CommandError` for an invalid URL.
    """
    lib = library()
    uses_environment = not _is_plain(request.url)
    verify = tls_context(lib)
    with lib.Client(verify=verify, timeout=timeout, follow_redirects=False, trust_env=uses_environment) as client:
        response, failed = None, None
        try:
            headers = [*request.headers, ("Authorization", authorization)]
            if "accept-encoding" not in {name.lower() for name, _ in headers}:
                headers.append(_UNCOMPRESSED)
            native = client.build_request(request.method, request.url, headers=headers, content=request.body)
            response = _answered(lib, client, native, request.url, timeline)
        except lib.InvalidURL:
            raise CommandError("the URL is too long, or its host or port is invalid", ExitStatus.USAGE) from None
        except (lib.HTTPError, OSError) as error:
            failed = _failure(error, request.url)
        if failed is not None:  # not in the except block, where the library's error would become its context
            raise failed
        try:
            yield response
        except lib.HTTPError as error:  # an OSError is an error of the file to which the body is written
            failed = _failure(error, request.url)
        finally:
            if response is not None:
                response.close()
        if failed is not None:
            raise failed


def _answered(lib: Any, client: Any, native: Any, url: str, timeline: Timeline) -> Any:
    def send(request: Any) -> Any:
        return client.send(request, stream=True, auth=None)

    host, port = authority_of(url)
    trace = {"trace": timeline.seen}
    timeline.mark("begin")  # only now: the imports and the reading of certificate authorities do not count
    if _goes_through_a_proxy(url):
        native.extensions = {**native.extensions, **trace}
        return send(native)
    addresses = resolve(host, port, lambda _: True)
    timeline.mark("resolved")
    for number, address in enumerate(addresses, 1):
        pinned = lib.Request(
            native.method,
            native.url.copy_with(host=str(address)),
            headers=native.headers.multi_items(),
            stream=native.stream,
            extensions={**native.extensions, **trace, "sni_hostname": native.url.raw_host.decode("ascii")},
        )
        try:
            return send(pinned)
        except (lib.ConnectError, lib.ConnectTimeout):
            if number == len(addresses):
                raise
    raise AssertionError("resolve returns one address at least")


def _is_plain(url: str) -> bool:
    """Return whether `url` is plain http, and so on this machine. A proxy must not be used: it would see the token."""
    return urlsplit(url).scheme == "http"


def _goes_through_a_proxy(url: str) -> bool:
    if _is_plain(url):
        return False
    parts = urlsplit(url)
    proxies = getproxies()
    return bool(proxies.get(parts.scheme) or proxies.get("all")) and not proxy_bypass(parts.hostname or "")


def _failure(error: Exception, url: str) -> TransportError:
    reason = reason_of(error, "the environment variable SSL_CERT_FILE", "a proxy that has it")
    return caused_by(error, TransportError(f"no response from {origin_of(url)}{reason}", retryable=True), url)

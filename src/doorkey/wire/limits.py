"""The bounds of every exchange with an authorization server, for all HTTP clients.

Adapters pass the raw status, headers and chunks, and get a `Response` that is bounded and is not a redirect. The body
is decoded here, because only then its decoded size is limited for every HTTP client.
"""

from __future__ import annotations

import zlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final

from doorkey.arguments import count, function, instance, seconds
from doorkey.errors import InvalidResponse, UsageError
from doorkey.values import hides_locals
from doorkey.wire.addresses import Permission
from doorkey.wire.messages import Pairs, Response
from doorkey.wire.urls import http_hosts_of, shown_url

ACCEPT_ENCODING: Final = "gzip"
"""The content codings that are requested. A response with a coding that cannot be bounded is rejected."""

HEAD_OVERHEAD: Final = 1024
"""Bytes for the status line and separators, in addition to `max_headers`, if the raw head of a response is counted."""

_DAY: Final = 86_400.0
_GZIP_OR_ZLIB: Final = 32 + zlib.MAX_WBITS
_CODINGS: Final = frozenset({"gzip", "x-gzip", "deflate"})


@dataclass(frozen=True, slots=True)
class ExchangePolicy:
    """The bounds of one exchange with an authorization server.

    deadline: maximum duration of the whole exchange in seconds, at most a day; a body that arrives slowly does not
        extend it.
    max_body: maximum size of the decoded body in bytes.
    max_headers: maximum size of all headers together in bytes.
    addresses: a function that returns whether a connection to an IP address is permitted. The name of the server is
        resolved once, every address must be permitted, and the connection goes to one of them. None permits all, for
        servers that you chose yourself; `doorkey.public_address` is for servers that another party names.
    http_hosts: names of hosts beside loopback, without a port, that plain http may reach, for instance ``{"keycloak"}``
        in a compose file. Everything that is sent to them, secrets included, can be read in that network.

    Raises `UsageError` for an invalid value.
    """

    deadline: float = 15.0
    max_body: int = 1024 * 1024
    max_headers: int = 64 * 1024
    addresses: Permission | None = None
    http_hosts: Collection[str] = frozenset()

    def __post_init__(self) -> None:
        if not seconds(self.deadline, "the deadline of an exchange", most=_DAY):
            raise UsageError("the deadline of an exchange is more than 0 seconds")
        count(self.max_body, "max_body, in bytes,")
        count(self.max_headers, "max_headers, in bytes,")
        object.__setattr__(self, "http_hosts", http_hosts_of(self.http_hosts))
        if self.addresses is not None:
            function(self.addresses, "addresses must be a callable that returns whether an address may be connected to")


def policy_of(given: ExchangePolicy | None) -> ExchangePolicy:
    """Return the `exchange=` of a caller, or the default policy for None. Raises `UsageError` for anything else."""
    return ExchangePolicy() if given is None else instance(given, ExchangePolicy, "exchange must be an ExchangePolicy")


def headers_too_large(max_headers: int, status: int | None = None) -> InvalidResponse:
    """Return the error for a response with more than `max_headers` bytes of headers."""
    return InvalidResponse("headers_too_large", f"the headers are larger than {max_headers} bytes", status=status)


class BoundedReader:
    """Collects one response within the bounds of `policy`: feed it chunks, then call `response()`.

    status: the HTTP status.
    headers: the (name, value) pairs of the response headers.
    policy: the bounds.

    Raises `InvalidResponse` with problem `redirected`, `headers_too_large`, `content_coding` or `too_large`.
    """

    @hides_locals
    def __init__(self, status: int, headers: Iterable[tuple[str, str]], policy: ExchangePolicy) -> None:
        self._status = status
        self._headers: Pairs = tuple(headers)
        self._policy = policy
        self._body = bytearray()
        self._raw = 0
        if sum(len(name) + len(value) for name, value in self._headers) > policy.max_headers:
            raise headers_too_large(policy.max_headers, status)
        head = Response(status, self._headers)
        if 300 <= status < 400:
            # To follow the redirect would send the client's secret, or a code, to the server that the response names.
            target = shown_url(head.header("location") or "")
            raise self._bad(
                "redirected",
                f"the server redirects to {target or 'nowhere'}; redirects are not followed, because the request holds "
                "secrets: use the URL to which the server redirects",
            )
        coding = (head.header("content-encoding") or "identity").strip().lower()
        if coding != "identity" and coding not in _CODINGS:
            raise self._bad("content_coding", "the body has a content coding that was not requested")
        self._decoder = zlib.decompressobj(_GZIP_OR_ZLIB) if coding in _CODINGS else None

    @hides_locals
    def feed(self, chunk: bytes) -> None:
        """Add a chunk of the body, as it was received: still encoded.

        Raises `InvalidResponse` if the body is too large, or if it is not in the content coding of its header.
        """
        self._raw += len(chunk)
        if self._raw > self._policy.max_body:
            raise self._too_large()
        if self._decoder is None:
            self._body += chunk
            return
        try:
            self._body += self._decoder.decompress(chunk, self._policy.max_body - len(self._body) + 1)
        except zlib.error:
            raise self._bad("content_coding", "the body is not in the content coding that its header names") from None
        if len(self._body) > self._policy.max_body or self._decoder.unconsumed_tail:
            raise self._too_large()

    @hides_locals
    def response(self) -> Response:
        """Return the complete response with the decoded body, without the headers of its coding and length.

        Raises `InvalidResponse` if an encoded body ends too early.
        """
        if self._decoder is not None and not self._decoder.eof and self._raw:
            raise self._bad("content_coding", "the encoded body ends too early")
        dropped = {"content-encoding", "content-length", "transfer-encoding"}
        headers = tuple((name, value) for name, value in self._headers if name.lower() not in dropped)
        return Response(self._status, headers, bytes(self._body))

    def _too_large(self) -> InvalidResponse:
        return self._bad("too_large", f"the body is larger than {self._policy.max_body} bytes")

    def _bad(self, problem: str, description: str) -> InvalidResponse:
        return InvalidResponse(problem, description, status=self._status)

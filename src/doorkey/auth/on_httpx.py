"""The methods of an auth object that httpx2 and httpx call, sync and async. Imports neither library."""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, Final, cast

from doorkey.errors import TransportError, UsageError
from doorkey.transport.calling_client import httpx_client_above
from doorkey.transport.httpx_or_httpx2 import auth_class

if TYPE_CHECKING:
    import httpx2

    from doorkey.auth.signer import RequestSigner
    from doorkey.tokens import OAuthToken

    Auth = httpx2.Auth
else:
    Auth = object  # the real bases depend on the imported libraries, see `__class__`

SIGNED: Final = "doorkey_signed"
"""The request extension that lists the names of the headers set by signing."""


class HttpxAdapter(Auth):
    """Signs a request, and sends it once more with another token if the API rejects the first (RFC 6750 §3.1).

    Signing does not read a streamed upload. Such a request cannot be sent again.
    """

    requires_request_body = False
    requires_response_body = False
    _signer: RequestSigner

    if not TYPE_CHECKING:

        @property
        def __class__(self) -> type:
            """The class for `isinstance`: a subclass of `Auth` of httpx2 and of httpx, if the program imported them."""
            return auth_class(type(self))

    def sync_auth_flow(self, request: Any) -> Generator[Any, Any, None]:
        """Send the request with the token.

        request: a request of httpx2 or httpx.

        Raises the error of the renewal, without sending the request, if no token is available, and `UsageError` for an
        origin that is not allowed.
        """
        signer = self._signer
        if hasattr(request, "_doorkey"):
            remove_token_header(request)
        if _has_own_authorization(request, signer):
            yield request
            return
        token = signer.token()
        response = yield (signed := self._signed(request, token))
        status: int = response.status_code
        if status >= 400 and signer.is_rejection(status, response.headers) and _carried_token(response, signed):
            other = signer.replacement(token, response.request.url, wanted=can_repeat(request))
            if other is None:
                return
            remove_token_header(request)
            token, response = other, (yield (signed := self._signed(request, other)))
        if signer.needs_verdict and _carried_token(response, signed):
            signer.answered(token, response.status_code, response.headers, response.request.url)

    async def async_auth_flow(self, request: Any) -> AsyncGenerator[Any, Any]:
        """Send the request with the token.

        request: a request of httpx2 or httpx.

        Raises the error of the renewal, without sending the request, if no token is available, and `UsageError` for an
        origin that is not allowed.
        """
        signer = self._signer
        if hasattr(request, "_doorkey"):
            remove_token_header(request)
        if _has_own_authorization(request, signer):
            yield request
            return
        token: Any = signer.token_async()
        if hasattr(token, "__await__"):  # a fresh token is returned directly
            sender = signer.sender_without_caller
            if sender is not None:
                sender.called_by(httpx_client_above(sys._getframe()))
            token = await token
        if signer.is_plain:
            signed = set_token_header(request, signer.header(token), AsyncHeaderStripper)
        else:
            signed = await self._asigned(request, token)
        response = yield signed
        status: int = response.status_code
        if status >= 400 and signer.is_rejection(status, response.headers) and _carried_token(response, signed):
            other = await signer.replacement_async(token, response.request.url, wanted=can_repeat(request))
            if other is None:
                return
            remove_token_header(request)
            signed = await self._asigned(request, other)
            token, response = other, (yield signed)
        if signer.needs_verdict and _carried_token(response, signed):
            signer.answered(token, response.status_code, response.headers, response.request.url)

    def _signed(self, request: Any, token: OAuthToken) -> Any:
        signer = self._signer
        if signer.is_plain:
            return set_token_header(request, signer.header(token), HeaderStripper)
        signed = _rebuilt(request, signer.signed(token, *_wire_of(request, signer)))
        return _strip_on_redirect(_with_body_sent_once(signed) if signer.in_body else signed, HeaderStripper)

    async def _asigned(self, request: Any, token: OAuthToken) -> Any:
        signer = self._signer
        if signer.is_plain:
            return set_token_header(request, signer.header(token), AsyncHeaderStripper)
        signed = _rebuilt(request, await signer.asigned(token, *_wire_of(request, signer)))
        return _strip_on_redirect(_with_body_sent_once(signed) if signer.in_body else signed, AsyncHeaderStripper)


def has_authorization(headers: Any) -> bool:
    """Return whether there is an `Authorization` header. Using `in` would first detect the encoding of all headers."""
    for name, _ in headers.raw:  # noqa: SIM110  # a generator takes twice as long
        if len(name) == 13 and name.lower() == b"authorization":
            return True
    return False


def _has_own_authorization(request: Any, signer: RequestSigner) -> bool:
    if signer.is_restricted:
        signer.check_target(request.url)
    return signer.in_header and has_authorization(request.headers)


def set_token_header(request: Any, header: str, stripper: type[HeaderStripper]) -> Any:
    """Set the `Authorization` header, and record on the request that it was set here."""
    request.headers["Authorization"] = request._doorkey = header
    url = request.url
    # The client itself removes the header on other redirects, but not from http to https on default ports.
    return _strip_on_redirect(request, stripper) if url.port is None and url.scheme == "http" else request


def remove_token_header(request: Any) -> None:
    """Remove the header that was set here from a request that is sent again: its token may be outdated."""
    if request.headers.get("Authorization") == getattr(request, "_doorkey", ""):
        del request.headers["Authorization"]


def _carried_token(response: Any, signed: Any) -> bool:
    """Return whether the request that received this response carried the token of the `signed` request.

    It did not if any redirect led to another origin, even if a later redirect led back. The token was removed, and the
    other origin chose the path.
    """
    from doorkey.wire.urls import origin_of

    origin = origin_of(str(signed.url))
    return all(origin_of(str(each.request.url)) == origin for each in (*response.history, response))


def can_repeat(request: Any) -> bool:
    """Return whether the body can be sent again.

    A request that follows a redirect has only the stream of the first request. A `ByteStream` can be read again.
    """
    return hasattr(request, "_content") or type(request.stream).__name__ == "ByteStream"


def _wire_of(request: Any, signer: RequestSigner) -> tuple[str, dict[str, str], Any]:
    """Return (url, headers, body) for signing. The body is None if it is streamed.

    Raises `UsageError` if the token must go into a streamed body.
    """
    body = getattr(request, "_content", None)
    if body is None and signer.in_body:
        raise UsageError("token_placement='body' needs a form-encoded body that is not streamed (RFC 6750 §2.2)")
    return str(request.url), dict(request.headers), body


def _rebuilt(request: Any, wire: tuple[str, Mapping[str, str], Any]) -> Any:
    """Return the request with the URL, headers and body after signing and hooks. A streamed body keeps its stream.

    An extension lists the names of the headers that were set. A redirect keeps the extensions.
    """
    from doorkey.auth.signer import set_by_signing

    url, headers, body = wire
    body = body.encode("utf-8", "surrogateescape") if isinstance(body, str) else body
    make = cast("Any", type(request))
    if headers == dict(request.headers):
        headers = request.headers  # keeps case, order and repeated fields
    extensions = {**request.extensions, SIGNED: set_by_signing(request.headers, headers)}
    if body is None:
        return make(request.method, url, headers=headers, stream=request.stream, extensions=extensions)
    if body != getattr(request, "_content", None):
        headers = {k: v for k, v in headers.items() if k.lower() not in ("content-length", "transfer-encoding")}
    return make(request.method, url, headers=headers, content=body, extensions=extensions)


def _strip_on_redirect(signed: Any, stripper: type[HeaderStripper]) -> Any:
    """Return the `signed` request, prepared so that a redirect to another origin removes the headers set here.

    The client itself removes only `Authorization`, and keeps it from http to https on the same host.
    """
    url, set_here = signed.url, signed.extensions.get(SIGNED)
    if set_here is None and (url.scheme != "http" or url.port not in (None, 80)):
        return signed
    others = signed.extensions.get("trace")
    if isinstance(others, HeaderStripper):  # the request is sent again
        others = others.others
    signed.extensions["trace"] = stripper(url, {"Authorization", *(set_here or ())}, others)
    return signed


class HeaderStripper:
    """A callback for the `trace` extension of httpcore that removes headers from requests to another origin.

    url: the URL of the signed request. The destination of its first headers counts as its origin, because a transport
        may send them to another address. For an http URL, https at the same host counts as another origin.
    names: the names of the headers to remove.
    others: the `trace` callback of the program, which is called too; or None.
    """

    def __init__(self, url: Any, names: set[str], others: Any) -> None:
        self._upgraded = (b"https", url.raw_host) if url.scheme == "http" else None
        self._names, self.others = {name.lower().encode("ascii") for name in names}, others
        self._origin: Any = None

    def __call__(self, event: str, info: Any) -> Any:
        """Remove the headers from a request that is about to be sent to another origin."""
        self._strip(event, info)
        return None if self.others is None else self.others(event, info)

    def _strip(self, event: str, info: Any) -> None:
        if not event.endswith("send_request_headers.started"):
            return
        request = info["request"]
        if request.method == b"CONNECT":  # opens a tunnel through a proxy
            return
        url = request.url
        behind_proxy = b"" if url.target.startswith(b"/") else url.target.split(b"/", 3)[:3]  # absolute-form target
        place = url.scheme, url.host, url.port, behind_proxy
        upgraded = place[:2] == self._upgraded
        if self._origin is None and not upgraded:
            self._origin = place
        if place != self._origin:
            request.headers[:] = [pair for pair in request.headers if pair[0].lower() not in self._names]


class AsyncHeaderStripper(HeaderStripper):
    """The asynchronous version, for the async clients."""

    async def __call__(self, event: str, info: Any) -> None:
        """Remove the headers from a request that is about to be sent to another origin."""
        self._strip(event, info)
        if self.others is not None:
            await self.others(event, info)


def _with_body_sent_once(request: Any) -> Any:
    """Return the request with a body that can be read only once, because the token is in it.

    On a redirect that preserves the body, a client sends it again unchanged, and does not report the target here. So
    no such redirect is followed: `TransportError` is raised instead.
    """
    request.stream = _read_once(cast("Any", type(request.stream)))(request.content)
    return request


@cache
def _read_once(kind: Any) -> Any:
    def once(self: Any) -> Any:
        if self.is_sent:
            raise TransportError(
                "the API redirects a request whose body carries the token, so the redirect was not followed"
            )
        self.is_sent = True

    def read(self: Any) -> Iterator[bytes]:
        once(self)
        yield from kind.__iter__(self)

    async def aread(self: Any) -> AsyncIterator[bytes]:
        once(self)
        async for chunk in kind.__aiter__(self):
            yield chunk

    return type(kind.__name__, (kind,), {"__iter__": read, "__aiter__": aread, "is_sent": False})

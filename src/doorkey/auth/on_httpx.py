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
    Auth = object  # `__class__` says what else it is

SIGNED: Final = "doorkey_signed"
"""The extension of a request that names the headers which signing has set."""


class HttpxAdapter(Auth):
    """Signs a request, and sends it once more with another token when the API answers 401 (RFC 6750 §3.1).

    Nothing of a streamed upload is read to sign it; such a request cannot be sent again.
    """

    requires_request_body = False
    requires_response_body = False
    _signer: RequestSigner

    if not TYPE_CHECKING:

        @property
        def __class__(self) -> type:
            """The class that `isinstance` sees: an `Auth` of httpx2 and of httpx, of each that the program has
            imported."""
            return auth_class(type(self))

    def sync_auth_flow(self, request: Any) -> Generator[Any, Any, None]:
        """Send the request with the token. Raises the renewal's error rather than send it without."""
        signer = self._signer
        if hasattr(request, "_doorkey"):
            take_off(request)
        if _has_own_authorization(request, signer):
            yield request
            return
        token = signer.token()
        response = yield (signed := self._signed(request, token))
        status: int = response.status_code
        if status >= 400 and signer.is_rejection(status, response.headers) and _carried(response, signed):
            other = signer.replacement(token, response.request.url, wanted=can_repeat(request))
            if other is None:
                return
            take_off(request)
            token, response = other, (yield (signed := self._signed(request, other)))
        if signer.needs_verdict and _carried(response, signed):
            signer.answered(token, response.status_code, response.headers, response.request.url)

    async def async_auth_flow(self, request: Any) -> AsyncGenerator[Any, Any]:
        """Send the request with the token. Raises the renewal's error rather than send it without."""
        signer = self._signer
        if hasattr(request, "_doorkey"):
            take_off(request)
        if _has_own_authorization(request, signer):
            yield request
            return
        token: Any = signer.token_async()
        if hasattr(token, "__await__"):  # one that is fresh is there at once
            sender = signer.unadvised_sender
            if sender is not None:
                sender.called_by(httpx_client_above(sys._getframe()))
            token = await token
        if signer.is_plain:
            signed = put_on(request, signer.header(token), AsyncLeavingBehind)
        else:
            signed = await self._asigned(request, token)
        response = yield signed
        status: int = response.status_code
        if status >= 400 and signer.is_rejection(status, response.headers) and _carried(response, signed):
            other = await signer.replacement_async(token, response.request.url, wanted=can_repeat(request))
            if other is None:
                return
            take_off(request)
            signed = await self._asigned(request, other)
            token, response = other, (yield signed)
        if signer.needs_verdict and _carried(response, signed):
            signer.answered(token, response.status_code, response.headers, response.request.url)

    def _signed(self, request: Any, token: OAuthToken) -> Any:
        signer = self._signer
        if signer.is_plain:
            return put_on(request, signer.header(token), LeavingBehind)
        signed = _rebuilt(request, signer.signed(token, *_wire_of(request, signer)))
        return _stays_at_home(_to_nobody_else(signed) if signer.in_body else signed, LeavingBehind)

    async def _asigned(self, request: Any, token: OAuthToken) -> Any:
        signer = self._signer
        if signer.is_plain:
            return put_on(request, signer.header(token), AsyncLeavingBehind)
        signed = _rebuilt(request, await signer.asigned(token, *_wire_of(request, signer)))
        return _stays_at_home(_to_nobody_else(signed) if signer.in_body else signed, AsyncLeavingBehind)


def has_authorization(headers: Any) -> bool:
    """Return whether there is an `Authorization`; `in` would find out the encoding of all headers first."""
    for name, _ in headers.raw:  # noqa: SIM110  # a generator takes twice as long
        if len(name) == 13 and name.lower() == b"authorization":
            return True
    return False


def _has_own_authorization(request: Any, signer: RequestSigner) -> bool:
    if signer.is_restricted:
        signer.check_target(request.url)
    return signer.in_header and has_authorization(request.headers)


def put_on(request: Any, header: str, leaving: type[LeavingBehind]) -> Any:
    """Sign the request, and note on it that the header is ours."""
    request.headers["Authorization"] = request._doorkey = header
    url = request.url
    # Only from http to https, each at its own port, would a client take it along.
    return _stays_at_home(request, leaving) if url.port is None and url.scheme == "http" else request


def take_off(request: Any) -> None:
    """Take our header off a request that a program sends once more: the token in it may be an old one."""
    if request.headers.get("Authorization") == getattr(request, "_doorkey", ""):
        del request.headers["Authorization"]


def _carried(response: Any, signed: Any) -> bool:
    """Return whether the request that got this response carried the token of the `signed` one.

    It did not if any redirect before it led to another origin, even if a later one led back: the token was taken off,
    and the other origin chose the path.
    """
    from doorkey.wire.urls import origin_of

    home = origin_of(str(signed.url))
    return all(origin_of(str(one.request.url)) == home for one in (*response.history, response))


def can_repeat(request: Any) -> bool:
    """Return whether the body can be sent again. A redirect keeps its stream; a stream of bytes can be read again."""
    return hasattr(request, "_content") or type(request.stream).__name__ == "ByteStream"


def _wire_of(request: Any, signer: RequestSigner) -> tuple[str, dict[str, str], Any]:
    """Return (url, headers, body) for signing; the body is None where it is streamed, which only a header survives."""
    body = getattr(request, "_content", None)
    if body is None and signer.in_body:
        raise UsageError("token_placement='body' needs a form-encoded body that is not streamed (RFC 6750 §2.2)")
    return str(request.url), dict(request.headers), body


def _rebuilt(request: Any, wire: tuple[str, Mapping[str, str], Any]) -> Any:
    """Return the request as signing and hooks left it; a body that was not changed stays the stream it is.

    Its extensions, which a redirect keeps, name the values that were set.
    """
    from doorkey.auth.signer import set_by_signing

    url, headers, body = wire
    body = body.encode("utf-8", "surrogateescape") if isinstance(body, str) else body
    make = cast("Any", type(request))
    if headers == dict(request.headers):
        headers = request.headers  # with their case, their order, and those that stand there twice
    extensions = {**request.extensions, SIGNED: set_by_signing(request.headers, headers)}
    if body is None:
        return make(request.method, url, headers=headers, stream=request.stream, extensions=extensions)
    if body != getattr(request, "_content", None):
        headers = {k: v for k, v in headers.items() if k.lower() not in ("content-length", "transfer-encoding")}
    return make(request.method, url, headers=headers, content=body, extensions=extensions)


def _stays_at_home(signed: Any, leaving: type[LeavingBehind]) -> Any:
    """Return the `signed` request so that what was set on it follows no redirect to another origin.

    The clients take `Authorization` off themselves, but not from http to https on the same host, and nothing else.
    """
    url, set_here = signed.url, signed.extensions.get(SIGNED)
    if set_here is None and (url.scheme != "http" or url.port not in (None, 80)):
        return signed
    others = signed.extensions.get("trace")
    if isinstance(others, LeavingBehind):  # a request that is sent once more
        others = others.others
    signed.extensions["trace"] = leaving(url, {"Authorization", *(set_here or ())}, others)
    return signed


class LeavingBehind:
    """A callback for the extension `trace` of httpcore: it removes the headers `names` from a request that goes to
    another host.

    At home is `url`, or where the first head goes: a transport may lead it to another address. `others` is told too:
    the program's own `trace`, or None.
    """

    def __init__(self, url: Any, names: set[str], others: Any) -> None:
        self._upgraded = (b"https", url.raw_host) if url.scheme == "http" else None
        self._names, self.others = {name.lower().encode("ascii") for name in names}, others
        self._home: Any = None

    def __call__(self, event: str, info: Any) -> Any:
        """Take the names off a head that is about to go elsewhere."""
        self._strip(event, info)
        return None if self.others is None else self.others(event, info)

    def _strip(self, event: str, info: Any) -> None:
        if not event.endswith("send_request_headers.started"):
            return
        request = info["request"]
        if request.method == b"CONNECT":  # of a proxy, to get there
            return
        url = request.url
        asked_for = b"" if url.target.startswith(b"/") else url.target.split(b"/", 3)[:3]  # of a proxy
        place = url.scheme, url.host, url.port, asked_for
        upgraded = place[:2] == self._upgraded
        if self._home is None and not upgraded:
            self._home = place
        if place != self._home:
            request.headers[:] = [pair for pair in request.headers if pair[0].lower() not in self._names]


class AsyncLeavingBehind(LeavingBehind):
    """The asynchronous twin."""

    async def __call__(self, event: str, info: Any) -> None:
        """Take the names off a head that is about to go elsewhere."""
        self._strip(event, info)
        if self.others is not None:
            await self.others(event, info)


def _to_nobody_else(request: Any) -> Any:
    """Return the request with a body that is read once: a redirect that preserves it would take the token along.

    A client does not report the target of a redirect, and sends the body again unchanged; so no redirect is followed
    with it.
    """
    request.stream = _read_once(cast("Any", type(request.stream)))(request.content)
    return request


@cache
def _read_once(kind: Any) -> Any:
    def once(self: Any) -> Any:
        if self.is_sent:
            raise TransportError("an API redirects a request whose body carries the token")
        self.is_sent = True

    def read(self: Any) -> Iterator[bytes]:
        once(self)
        yield from kind.__iter__(self)

    async def aread(self: Any) -> AsyncIterator[bytes]:
        once(self)
        async for chunk in kind.__aiter__(self):
            yield chunk

    return type(kind.__name__, (kind,), {"__iter__": read, "__aiter__": aread, "is_sent": False})

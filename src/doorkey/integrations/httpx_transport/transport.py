"""The transports themselves: the same signing and the same second try as `OAuth2Auth`, one layer further down."""

from __future__ import annotations

import inspect
from contextlib import aclosing, closing
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

from doorkey.auth.on_httpx import HttpxAdapter
from doorkey.auth.signer import RequestSigner
from doorkey.transport.httpx_or_httpx2 import transport_bases

if TYPE_CHECKING:
    import httpx
    import httpx2

    class _Bases(httpx2.BaseTransport, httpx.BaseTransport):
        """Stands for the `BaseTransport` of each library that is installed."""

        def handle_request(self, request: Any) -> Any: ...

    class _AsyncBases(httpx2.AsyncBaseTransport, httpx.AsyncBaseTransport):
        """Stands for the `AsyncBaseTransport` of each library that is installed."""

        async def handle_async_request(self, request: Any) -> Any: ...
else:
    _Bases = type("_Bases", transport_bases("BaseTransport"), {})
    _AsyncBases = type("_AsyncBases", transport_bases("AsyncBaseTransport"), {})

_ORIGIN: Final = "doorkey.origin"
"""A request's extension: where it was first sent. A client copies it to the requests that redirects lead to."""


class _SigningAuth(HttpxAdapter):
    def __init__(self, signer: RequestSigner) -> None:
        self._signer = signer


def _led_elsewhere(request: Any) -> bool:
    """Say whether a redirect led here from another origin, or came by one; remember where the request began."""
    url = request.url  # parsed and normalised by the library already
    here = url.scheme, url.host, url.port
    began: object = request.extensions.setdefault(_ORIGIN, here)
    if began != here:
        request.extensions[_ORIGIN] = None
    return began != here


def _copy(request: Any) -> Any:
    """Return a copy to sign: what its client makes of the request itself, after a redirect, then has no token."""
    content = getattr(request, "_content", None)
    body = {"stream": request.stream} if content is None else {"content": content}
    return type(request)(request.method, request.url, headers=request.headers, extensions=request.extensions, **body)


def _bare(request: Any) -> Any:
    """Return a copy without any `Authorization`: it was meant for the origin where the request began."""
    bare = _copy(request)
    bare.headers.pop("Authorization", None)
    return bare


class AuthenticatingTransport(_Bases):
    """Sends each request through `transport` with a token in it, and once more with another token on 401.

    `credentials_of(request)` says whose token; `authority` has it. A request to which a redirect led from another
    origin goes without one. Raises `OAuthError` rather than send another request without its token.
    """

    def __init__(self, transport: Any, credentials_of: Any, authority: Any) -> None:
        self.transport = transport
        self._credentials_of, self._authority = credentials_of, authority

    def handle_request(self, request: Any) -> Any:
        """Return the response to `request`."""
        if _led_elsewhere(request):
            return self.transport.handle_request(_bare(request))
        signed = _copy(request)
        source = self._authority.source(self._credentials_of(signed))
        with closing(_SigningAuth(RequestSigner(source, None)).sync_auth_flow(signed)) as signing:
            request = next(signing)
            while True:
                response = self._sent(request)
                try:
                    request = signing.send(response)
                except StopIteration:
                    return response
                except BaseException:
                    response.close()
                    raise
                response.close()

    def _sent(self, request: Any) -> Any:
        response = self.transport.handle_request(request)
        response.request = request
        return response

    def close(self) -> None:
        """Close the transport that is wrapped."""
        self.transport.close()

    def __enter__(self) -> Self:
        self.transport.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None = None,
        error: BaseException | None = None,
        trace: TracebackType | None = None,
    ) -> None:
        self.transport.__exit__(kind, error, trace)


class AsyncAuthenticatingTransport(_AsyncBases):
    """Sends each request through `transport` with a token in it, and once more with another token on 401.

    `credentials_of(request)`, which may be a coroutine function, says whose token; all else is as for
    `AuthenticatingTransport`.
    """

    def __init__(self, transport: Any, credentials_of: Any, authority: Any) -> None:
        self.transport = transport
        self._credentials_of, self._authority = credentials_of, authority

    async def handle_async_request(self, request: Any) -> Any:
        """Return the response to `request`."""
        if _led_elsewhere(request):
            return await self.transport.handle_async_request(_bare(request))
        signed = _copy(request)
        credentials = self._credentials_of(signed)
        source = self._authority.source(await credentials if inspect.isawaitable(credentials) else credentials)
        async with aclosing(_SigningAuth(RequestSigner(None, source)).async_auth_flow(signed)) as signing:
            request = await anext(signing)
            while True:
                response = await self._sent(request)
                try:
                    request = await signing.asend(response)
                except StopAsyncIteration:
                    return response
                except BaseException:
                    await response.aclose()
                    raise
                await response.aclose()

    async def _sent(self, request: Any) -> Any:
        response = await self.transport.handle_async_request(request)
        response.request = request
        return response

    async def aclose(self) -> None:
        """Close the transport that is wrapped."""
        await self.transport.aclose()

    async def __aenter__(self) -> Self:
        await self.transport.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None = None,
        error: BaseException | None = None,
        trace: TracebackType | None = None,
    ) -> None:
        await self.transport.__aexit__(kind, error, trace)

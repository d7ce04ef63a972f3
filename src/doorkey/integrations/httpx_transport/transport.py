"""The transports themselves: the same signing and the same second try as `OAuth2Auth`, one layer further down."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, Final

from doorkey.integrations._httpx import transport_bases
from doorkey.integrations.bearer import Bearer
from doorkey.integrations.faces.httpx import HttpxFace
from doorkey.protocol.endpoint import Origin, origin_of

if TYPE_CHECKING:
    import httpx2

    class _Bases(httpx2.BaseTransport):
        """Stands for the `BaseTransport` of each library that is installed."""

    class _AsyncBases(httpx2.AsyncBaseTransport):
        """Stands for the `AsyncBaseTransport` of each library that is installed."""
else:
    _Bases = type("_Bases", transport_bases("BaseTransport"), {})
    _AsyncBases = type("_AsyncBases", transport_bases("AsyncBaseTransport"), {})

_ORIGIN: Final = "doorkey.origin"
"""A request's extension: where it was first sent. A client copies it to the requests that redirects lead to."""


class _Face(HttpxFace):
    def __init__(self, bearer: Bearer) -> None:
        self._bearer = bearer


def _led_elsewhere(request: Any) -> bool:
    """Say whether a redirect led here from another origin, to which the token must not go; remember where it began."""
    here = origin_of(str(request.url))
    began: Origin = request.extensions.setdefault(_ORIGIN, here)
    return began != here


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
            return self.transport.handle_request(request)
        source = self._authority.source(self._credentials_of(request))
        signing = _Face(Bearer(source, None)).sync_auth_flow(request)
        response = self._sent(next(signing))
        try:
            again = signing.send(response)
        except StopIteration:
            return response
        response.close()
        return self._sent(again)

    def _sent(self, request: Any) -> Any:
        response = self.transport.handle_request(request)
        response.request = request
        return response

    def close(self) -> None:
        """Close the transport that is wrapped."""
        self.transport.close()


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
            return await self.transport.handle_async_request(request)
        credentials = self._credentials_of(request)
        source = self._authority.source(await credentials if inspect.isawaitable(credentials) else credentials)
        signing = _Face(Bearer(None, source)).async_auth_flow(request)
        response = await self._sent(await anext(signing))
        try:
            again = await signing.asend(response)
        except StopAsyncIteration:
            return response
        await response.aclose()
        return await self._sent(again)

    async def _sent(self, request: Any) -> Any:
        response = await self.transport.handle_async_request(request)
        response.request = request
        return response

    async def aclose(self) -> None:
        """Close the transport that is wrapped."""
        await self.transport.aclose()

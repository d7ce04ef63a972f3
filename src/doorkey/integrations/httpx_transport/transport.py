"""The authenticating transports. They sign and retry in the same way as `OAuth2Auth`, but at the transport layer."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self, cast

from doorkey.auth.on_httpx import (
    AsyncHeaderStripper,
    HeaderStripper,
    can_repeat,
    has_authorization,
    remove_token_header,
    set_token_header,
)
from doorkey.auth.signer import RequestSigner
from doorkey.integrations.httpx_transport.request_credentials import FixedCredentials
from doorkey.protocol.bearer import authorization_header
from doorkey.transport.forked_pools import empty_in_children
from doorkey.transport.httpx_or_httpx2 import transport_bases

if TYPE_CHECKING:
    import httpx
    import httpx2

    class _Bases(httpx2.BaseTransport, httpx.BaseTransport):
        """The `BaseTransport` of each installed library, for type checkers."""

        def handle_request(self, request: Any) -> Any: ...

    class _AsyncBases(httpx2.AsyncBaseTransport, httpx.AsyncBaseTransport):
        """The `AsyncBaseTransport` of each installed library, for type checkers."""

        async def handle_async_request(self, request: Any) -> Any: ...
else:
    _Bases = type("_Bases", transport_bases("BaseTransport"), {})
    _AsyncBases = type("_AsyncBases", transport_bases("AsyncBaseTransport"), {})

_NONE: Final[Mapping[str, Any]] = {}
_ORIGIN: Final = "doorkey.origin"
"""The request extension for the origin of the first request. A client copies it to requests that follow redirects."""


def _has_left_origin(request: Any) -> bool:
    """Return whether any redirect led this request to another origin, even if a later redirect led back.

    The origin of the first request is stored in an extension.
    """
    url = request.url  # already parsed and normalized by the library
    here = url.scheme, url.host, url.port
    first: object = request.extensions.setdefault(_ORIGIN, here)
    if first != here:
        request.extensions[_ORIGIN] = None
    return first != here


def _copy(request: Any) -> Any:
    """Return a copy to sign. The client builds redirected requests from the original, which then has no token.

    The constructor of a request would parse every header again, which takes longer than everything else here.
    """
    copied: Any = object.__new__(cast("Any", type(request)))
    copied.__dict__.update(request.__dict__)
    copied.headers = type(request.headers)(request.headers)
    copied.extensions = dict(request.extensions)
    return copied


def _without_authorization(request: Any) -> Any:
    """Return a copy without an `Authorization` header, which was meant for the origin of the first request."""
    bare = _copy(request)
    bare.headers.pop("Authorization", None)
    return bare


class AuthenticatingTransport(_Bases):
    """Sends each request by `transport` with a token, and once more with another token if the API rejects it.

    `credentials_of(request)` returns the credentials, and `authority` their token. `sending` contains options of
    `RequestSigner`. After a redirect to another origin, a request is sent without a token. Otherwise it is never sent
    without one: the `OAuthError` of the renewal is raised.
    """

    def __init__(self, transport: Any, credentials_of: Any, authority: Any, sending: Mapping[str, Any] = _NONE) -> None:
        self.transport, self._sending = transport, sending
        empty_in_children(transport)
        self._credentials_of, self._authority = credentials_of, authority
        self._get_source = (
            authority._source_getter(credentials_of.credentials)
            if isinstance(credentials_of, FixedCredentials)
            else None
        )

    def handle_request(self, request: Any) -> Any:
        """Send `request`, and return the response."""
        if _has_left_origin(request):
            return self.transport.handle_request(_without_authorization(request))
        signed = _copy(request)
        source = self._source_for(signed)
        if has_authorization(signed.headers):
            return self._sent(signed)
        token = source.token()
        response = self._sent(set_token_header(signed, authorization_header(token), HeaderStripper))
        if response.status_code < 400 and not source._awaits_verdict:
            return response
        signer = RequestSigner(source, None, **self._sending)
        if signer.is_rejection(response.status_code, response.headers):
            try:
                other = signer.replacement(token, signed.url, wanted=can_repeat(signed))
            except BaseException:
                response.close()
                raise
            if other is None:
                return response
            response.close()
            remove_token_header(signed)
            token, response = other, self._sent(set_token_header(signed, signer.header(other), HeaderStripper))
        signer.answered(token, response.status_code, response.headers, signed.url)
        return response

    def _source_for(self, signed: Any) -> Any:
        if self._get_source is not None:
            return self._get_source()
        return self._authority.source(self._credentials_of(signed))

    def _sent(self, request: Any) -> Any:
        response = self.transport.handle_request(request)
        response.request = request
        return response

    def close(self) -> None:
        """Close the wrapped transport."""
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
    """The asynchronous version of `AuthenticatingTransport`. `credentials_of` may be a coroutine function."""

    def __init__(self, transport: Any, credentials_of: Any, authority: Any, sending: Mapping[str, Any] = _NONE) -> None:
        self.transport, self._sending = transport, sending
        empty_in_children(transport)
        self._credentials_of, self._authority = credentials_of, authority
        self._get_source = (
            authority._source_getter(credentials_of.credentials)
            if isinstance(credentials_of, FixedCredentials)
            else None
        )

    async def handle_async_request(self, request: Any) -> Any:
        """Send `request`, and return the response."""
        if _has_left_origin(request):
            return await self.transport.handle_async_request(_without_authorization(request))
        signed = _copy(request)
        source = await self._source_for(signed)
        if has_authorization(signed.headers):
            return await self._sent(signed)
        token = await source.token()
        response = await self._sent(set_token_header(signed, authorization_header(token), AsyncHeaderStripper))
        if response.status_code < 400 and not source._awaits_verdict:
            return response
        signer = RequestSigner(None, source, **self._sending)
        if signer.is_rejection(response.status_code, response.headers):
            try:
                other = await signer.replacement_async(token, signed.url, wanted=can_repeat(signed))
            except BaseException:
                await response.aclose()
                raise
            if other is None:
                return response
            await response.aclose()
            remove_token_header(signed)
            token, response = (
                other,
                await self._sent(set_token_header(signed, signer.header(other), AsyncHeaderStripper)),
            )
        signer.answered(token, response.status_code, response.headers, signed.url)
        return response

    async def _source_for(self, signed: Any) -> Any:
        if self._get_source is not None:
            return self._get_source()
        credentials = self._credentials_of(signed)
        return self._authority.source(await credentials if inspect.isawaitable(credentials) else credentials)

    async def _sent(self, request: Any) -> Any:
        response = await self.transport.handle_async_request(request)
        response.request = request
        return response

    async def aclose(self) -> None:
        """Close the wrapped transport."""
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

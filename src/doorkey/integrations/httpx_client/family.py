"""The clients on httpx2 and httpx. They share this code; only the client class that they inherit from differs."""

from __future__ import annotations

import os
from collections.abc import Coroutine, Iterable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, Self, TypeVar, cast

from doorkey.errors import TransportError, UsageError
from doorkey.integrations.httpx_client.oauth2_auth import OAuth2Auth
from doorkey.runtime.loops import running_loop
from doorkey.sessions import client
from doorkey.sessions.assertion import AssertionClient
from doorkey.sessions.blocking_awaiting import AwaitingSession, BlockingSession, awaiting, blocking, with_response_class
from doorkey.sessions.verbs import VERBS, like_native, with_parameters_of
from doorkey.values import clears_locals

if TYPE_CHECKING:
    from typing import Unpack

    import httpx2

    from doorkey.integrations.httpx_client.option_types import (
        AssertionClientOptions,
        BodyOptions,
        ClientOptions,
        KeyFileClientOptions,
    )
    from doorkey.integrations.httpx_client.typed_methods import TypedAsyncClient, TypedClient, Url
    from doorkey.jose.signers import Signer
    from doorkey.protocol.client_identity import ClientAuthMethod
    from doorkey.sessions.options import UpdateToken
    from doorkey.sources.issuer import Issuer
    from doorkey.wire.messages import Request, Response

    SyncBase = TypedClient
    AsyncBase = TypedAsyncClient
    NativeResponse = httpx2.Response
else:
    SyncBase = AsyncBase = NativeResponse = object

TransportT = TypeVar("TransportT")


class _Shared(client.OAuth2Client, Generic[TransportT]):
    """The constructor and the methods that the blocking and the asynchronous client share."""

    _lib: Any  # httpx2 or httpx, set by `family`

    @clears_locals
    def __init__(
        self,
        client_id: str | None = None,
        client_secret: Any = None,
        token_endpoint_auth_method: str | ClientAuthMethod | None = None,
        revocation_endpoint_auth_method: str | ClientAuthMethod | None = None,
        scope: str | Iterable[str] | None = None,
        redirect_uri: str | None = None,
        token: Mapping[str, Any] | None = None,
        token_placement: str = "header",
        update_token: UpdateToken | None = None,
        leeway: float | None = None,
        **options: Unpack[ClientOptions[TransportT]],
    ) -> None:
        given = {name: value for name, value in locals().items() if name not in ("self", "options", "__class__")}
        from doorkey.sessions.options import session_options
        from doorkey.sessions.shared_token import set_up
        from doorkey.transport.on_httpx import HttpxLibrary

        if options.get("auth") is not None:
            raise UsageError("auth= would replace the token: pass it to single requests, or use a plain client")
        own, rest, own_token = session_options(
            {**given, **options},
            known_elsewhere=_options_of(self._lib.Client if self._blocking else self._lib.AsyncClient),
            blocking=self._blocking,
        )
        set_up(self, own, HttpxLibrary(self._lib), own_token)
        native: Any = super()  # the HTTP client class, which `family` adds to the bases
        native.__init__(**rest)
        self._finish_setup(rest)
        self._sign()

    def _sign(self) -> None:
        cast("Any", self).auth = OAuth2Auth(self)

    def _with_auth(self, given: Mapping[str, object]) -> Any:
        """Return the options of a request without the token. Its `auth` is None, unless the caller passed one."""
        default = self._lib.USE_CLIENT_DEFAULT
        return {**given, "auth": None} if isinstance(given.get("auth", default), type(default)) else given

    if TYPE_CHECKING:

        def _finish_setup(self, options: Mapping[str, Any]) -> None:
            """Finish the construction of the client. `options` are those of the HTTP client."""

    else:  # the type of `stream` differs between the blocking and the asynchronous client

        def stream(self, method: str, url: Any, withhold_token: bool = False, **kwargs: Any) -> Any:
            """Send a request as `request` does, and stream its response.

            method, url: the request.
            withhold_token: True to send it without the token.
            auth: sent instead of the token.
            content, data, files, json, params, headers, cookies: as for the HTTP library.
            follow_redirects, timeout, extensions: as for the HTTP library.
            """
            return super().stream(method, url, **(self._with_auth(kwargs) if withhold_token else kwargs))

    def _redirect_headers(self, request: Any, url: Any, method: str) -> Any:
        """Remove the token, and headers that hooks set, from a redirect to another host, port or scheme."""
        from doorkey.auth.on_httpx import SIGNED
        from doorkey.wire.urls import origin_of

        native: Any = super()  # the HTTP client class, which `family` adds to the bases
        headers = native._redirect_headers(request, url, method)
        if origin_of(str(request.url)) != origin_of(str(url)):
            for name in ("Authorization", *request.extensions.get(SIGNED, ())):
                headers.pop(name, None)
            if self._oauth.options.token_placement == "body" and method == request.method:
                raise TransportError(
                    "the API redirects a request whose body carries the token to another origin, so the redirect was "
                    "not followed"
                )
        elif hasattr(request.stream, "is_sent"):
            request.stream.is_sent = False  # the body may be sent to the same origin again
        return headers


class SyncFamily(_Shared["httpx2.BaseTransport"], BlockingSession, SyncBase):
    """A `Client` of httpx2 or httpx that sends a fresh token with each request.

    Its options are those of `doorkey.oauth2.client.OAuth2Client` and of the library's client, except `auth`.
    Thread-safe.
    """

    def _finish_setup(self, options: Mapping[str, Any]) -> None:
        """Do nothing: one client has one connection pool."""

    def request(
        self, method: str, url: Url, withhold_token: bool = False, **kwargs: Unpack[BodyOptions]
    ) -> httpx2.Response:
        """Send a request with the token, and return its response.

        method, url: the request.
        withhold_token: True to send it without the token.
        auth: sent instead of the token.
        content, data, files, json, params, headers, cookies: as for the HTTP library.
        follow_redirects, timeout, extensions: as for the HTTP library.

        Raises `MissingTokenError`, `TokenExpiredError` or the error of the renewal. If the token is not available, the
        request is not sent.
        """
        if withhold_token:
            return super().request(method, url, **self._with_auth(kwargs))
        return super().request(method, url, **kwargs)

    revoke_token = blocking(with_response_class(NativeResponse, client.OAuth2Client._revoke_token))

    def _exchange(self, request: Request) -> Response:
        from doorkey.transport.on_httpx import exchange

        return exchange(self._lib, self, request, self._oauth.options.exchange)


class AsyncFamily(_Shared["httpx2.AsyncBaseTransport"], AwaitingSession, AsyncBase):
    """An `AsyncClient` of httpx2 or httpx that sends a fresh token with each request.

    Its options are those of `doorkey.oauth2.client.OAuth2Client` and of the library's client, except `auth`. Tasks of
    one or several event loops may share one client.
    """

    def _finish_setup(self, options: Mapping[str, Any]) -> None:
        from doorkey.integrations.httpx_client.loops import LoopTransports

        self._loop_transports = LoopTransports(self._lib, options)

    def request(  # pyright: ignore[reportIncompatibleMethodOverride]  # it returns a coroutine too
        self, method: str, url: Url, withhold_token: bool = False, **kwargs: Unpack[BodyOptions]
    ) -> Coroutine[Any, Any, httpx2.Response]:
        """Send a request with the token, and return its response.

        method, url: the request.
        withhold_token: True to send it without the token.
        auth: sent instead of the token.
        content, data, files, json, params, headers, cookies: as for the HTTP library.
        follow_redirects, timeout, extensions: as for the HTTP library.

        Raises `MissingTokenError`, `TokenExpiredError` or the error of the renewal. If the token is not available, the
        request is not sent.
        """
        # Not `async def`, because another coroutine would slow down each request.
        if withhold_token:
            return super().request(method, url, **self._with_auth(kwargs))
        return super().request(method, url, **kwargs)

    def _transport_for_url(self, url: Any) -> Any:
        by_loop, loop = self._loop_transports, running_loop()
        if by_loop.first_loop() is not loop and not by_loop.is_first(loop):
            return by_loop.transport_for(url, loop)
        transport = super()._transport_for_url(url)
        if id(transport) not in by_loop.handled:
            by_loop.close_with_loop(transport)
        return transport

    revoke_token = awaiting(with_response_class(NativeResponse, client.OAuth2Client._revoke_token))

    async def _exchange(self, request: Request) -> Response:
        from doorkey.transport.on_httpx import aexchange

        return await aexchange(self._lib, self, request, self._oauth.options.exchange)


class Family(NamedTuple):
    """The client classes and the auth class for one library."""

    OAuth2Client: type[SyncFamily]
    AsyncOAuth2Client: type[AsyncFamily]
    OAuth2Auth: type[OAuth2Auth]
    AssertionClient: type[SyncAssertion]
    AsyncAssertionClient: type[AsyncAssertion]


@cache
def family(lib: Any) -> Family:
    """Return the classes for `lib`, httpx2 or httpx."""
    revoke = with_response_class(lib.Response, client.OAuth2Client._revoke_token)
    verbs = {name: _verb(name, lib.Client) for name in VERBS}
    averbs = {name: _averb(name, lib.AsyncClient) for name in VERBS}
    verbs["revoke_token"], averbs["revoke_token"] = blocking(revoke), awaiting(revoke)
    verbs |= _with_parameters(SyncFamily, lib.Client, "Response", "AbstractContextManager[Response]")
    averbs |= _with_parameters(
        AsyncFamily, lib.AsyncClient, "Coroutine[Any, Any, Response]", "AbstractAsyncContextManager[Response]"
    )

    def joined(name: str, base: type, native: type, methods: dict[str, Any]) -> Any:
        space = {"_lib": lib, "__module__": "doorkey.integrations.httpx_client", "__doc__": base.__doc__, **methods}
        return type(name, (base, native), space)

    return Family(
        joined("OAuth2Client", SyncFamily, lib.Client, verbs),
        joined("AsyncOAuth2Client", AsyncFamily, lib.AsyncClient, averbs),
        OAuth2Auth,
        joined("AssertionClient", SyncAssertion, lib.Client, verbs),
        joined("AsyncAssertionClient", AsyncAssertion, lib.AsyncClient, averbs),
    )


def _with_parameters(kind: Any, native: Any, answer: str, streamed: str) -> dict[str, Any]:
    """Return copies of `request` and `stream` that show the parameters of the library's methods."""
    return {
        name: with_parameters_of(getattr(native, name), returns=result, after_url=True)(getattr(kind, name))
        for name, result in (("request", answer), ("stream", streamed))
    }


def _verb(name: str, native: Any) -> Any:
    """Return the library's method `name` with the option `withhold_token`, which the original does not accept."""
    verb, shown = name.upper(), getattr(native, name)

    @like_native(shown)
    def method(self: Any, url: Any, **kwargs: Any) -> Any:
        return self.request(verb, url, **kwargs)

    return method


def _averb(name: str, native: Any) -> Any:
    """The version of `_verb` for an asynchronous client."""
    verb, shown = name.upper(), getattr(native, name)

    @like_native(shown)
    async def method(self: Any, url: Any, **kwargs: Any) -> Any:
        return await self.request(verb, url, **kwargs)

    return method


@cache
def _options_of(native: Any) -> frozenset[str]:
    import inspect

    return frozenset(inspect.signature(native.__init__).parameters) - {"self"}


class _Assertion(AssertionClient, Generic[TransportT]):
    """The constructor of both assertion clients."""

    @clears_locals
    def __init__(
        self,
        token_endpoint: str | None = None,
        issuer: str | Issuer | None = None,
        subject: str | None = None,
        audience: str | None = None,
        grant_type: str | None = None,
        claims: Mapping[str, Any] | None = None,
        token_placement: str = "header",
        scope: str | Iterable[str] | None = None,
        leeway: float | None = None,
        *,
        token_url: str | None = None,
        assertion_issuer: str | None = None,
        key: Any = None,
        signer: Signer | None = None,
        header: Mapping[str, Any] | None = None,
        alg: str | None = None,
        kid: str | None = None,
        thumbprint_kid: bool = False,
        issued_at: float | None = None,
        expires_at: float | None = None,
        expires_in: float | None = None,
        **options: Unpack[AssertionClientOptions[TransportT]],
    ) -> None:
        given = {name: value for name, value in locals().items() if name not in ("self", "options", "__class__")}
        self._start(given, options)

    @classmethod
    @clears_locals
    def from_file(
        cls,
        path: str | os.PathLike[str],
        *,
        issuer: str | Issuer | None = None,
        scope: str | Iterable[str] | None = None,
        subject: str | None = None,
        **options: Unpack[KeyFileClientOptions[TransportT]],
    ) -> Self:
        """Return a client for the service account of a key file, in the JSON format of Google.

        The parameters are those of `AssertionSession.from_file`; `options` are the other options of the constructor.

        Raises `UsageError` for a file that cannot be read, or that is not such a key file.
        """
        return cls._from_file(path, issuer, scope, subject, options)


class SyncAssertion(_Assertion["httpx2.BaseTransport"], SyncFamily):
    """The blocking client."""

    __doc__ = AssertionClient.__doc__


class AsyncAssertion(_Assertion["httpx2.AsyncBaseTransport"], AsyncFamily):
    """The asynchronous client."""

    __doc__ = AssertionClient.__doc__

"""`TokenVault` and `AsyncTokenVault`: the tokens of many accounts, each renewed once for all processes."""

from __future__ import annotations

import time
from collections.abc import Callable, Coroutine, Iterable, Mapping
from functools import partial
from inspect import isawaitable
from typing import TYPE_CHECKING, Any, Final, TypeVar, Unpack, overload

from doorkey.arguments import blocking, function
from doorkey.credentials import Credentials
from doorkey.integrations.base_client.session_classes import default_session_class
from doorkey.observe.observer import OnEvent
from doorkey.protocol.client_identity import ClientAuthMethod
from doorkey.protocol.metadata import ServerMetadata
from doorkey.runtime.bounded_cache import BoundedCache
from doorkey.runtime.shield import shielded
from doorkey.sources.token_call import HeaderItems
from doorkey.stores.limits import checked_key
from doorkey.stores.protocol import AsyncStoreCalls, StoreCalls
from doorkey.tokens import OAuth2Token, OAuthToken
from doorkey.transport.httpx_or_httpx2 import library
from doorkey.transport.performing import performed, performed_async
from doorkey.transport.senders import AsyncSender, Sender
from doorkey.values import NotPicklable, clears_locals
from doorkey.vault.clients import client_of, sibling_client
from doorkey.vault.core import VaultCore, check_store
from doorkey.vault.credentials import SharedCredentials
from doorkey.vault.effects import StoreCall
from doorkey.vault.entry import Sealing
from doorkey.vault.sources import AsyncLiveKey, AsyncVaultSource, LiveKey, VaultSource
from doorkey.wire.flow import Effect, arun, run
from doorkey.wire.limits import ExchangePolicy

if TYPE_CHECKING:
    from doorkey.integrations.httpx_client.family import AsyncFamily
    from doorkey.integrations.requests_client import OAuth2Session
    from doorkey.sources.issuer import Issuer
    from doorkey.vault.option_types import AsyncClientOptions, SessionOptions

__all__ = ["AsyncTokenVault", "TokenVault"]

C = TypeVar("C")

_BOUNDS: Final = ("max_sources", "max_idle")


class TokenVault(NotPicklable):
    """The tokens of many accounts in a `store`, renewed when they are used.

    Any number of threads, processes and machines may share the store. One of them renews a token, and all use it.

    store: a `MemoryStore`, `SQLiteStore`, `RedisStore`, `SQLStore`, or any object with the calls of `StoreCalls`.
    client_id: the client's identifier.
    client_secret: the client's secret as text, or its private key (PEM, JWK or key object).
    issuer: the authorization server, a URL or an `Issuer`; its metadata is discovered on first use.
    token_endpoint: URL of the token endpoint, in place of discovery.
    metadata: the server's metadata, in place of discovery.
    token_endpoint_auth_method: name of a method, or a callable; None: the first method that metadata and secret allow.
    scope: scope of each renewal, without the scopes that the token was not granted.
    audience: audiences of each renewal (RFC 8693 §2.1).
    resource: resource indicators of each renewal (RFC 8707 §2).
    sealer: encrypts the records, a `Sealer`; None: records are stored as they are.
    leeway: seconds before expiry at which a token is renewed; None: min(60, lifetime / 2).
    check_every: seconds after which a `save` or `forget` of another process takes effect here.
    max_sources: number of keys whose tokens stay in memory; the others are read from the store on each use.
    max_idle: seconds since its last use after which a key's token leaves memory.
    exchange: bounds of each exchange with the server, an `ExchangePolicy`.
    http_client: a `requests.Session` or a `Client` of httpx2 or httpx, whose transports send the token requests; None:
        one is created.
    clock: returns seconds since the epoch; None: `time.time`.
    sleep: waits for a number of seconds; None: `time.sleep`.
    on_event: called with each `doorkey.observe.TokenEvent`.
    timer: returns seconds, for durations; None: `time.monotonic`.
    token_params: further parameters of each token request.
    token_request_headers: further headers of each token request, without `Authorization`.
    token_types: meaning of `token_type` values that only this server uses, for instance ``{"user": "Bearer"}``.
    tls_client_certificate_bound_access_tokens: True if tokens are bound to the client's TLS certificate (RFC 8705 §3).
    allow_changed_auth_time: True to accept a renewed ID token whose `auth_time` differs from the original.

    Raises `UsageError` for invalid arguments.
    """

    @clears_locals
    def __init__(
        self,
        store: StoreCalls,
        *,
        client_id: str,
        client_secret: object = None,
        issuer: str | Issuer | None = None,
        token_endpoint: str | None = None,
        metadata: ServerMetadata | Mapping[str, Any] | None = None,
        token_endpoint_auth_method: str | ClientAuthMethod | None = None,
        scope: str | Iterable[str] | None = None,
        audience: str | Iterable[str] = (),
        resource: str | Iterable[str] = (),
        sealer: Sealing | None = None,
        leeway: float | None = None,
        check_every: float = 60.0,
        max_sources: int = 10_000,
        max_idle: float = 3600.0,
        exchange: ExchangePolicy | None = None,
        http_client: Any = None,
        clock: Callable[[], float] | None = None,
        sleep: Callable[[float], object] | None = None,
        on_event: OnEvent | None = None,
        timer: Callable[[], float] | None = None,
        token_params: Mapping[str, Any] | None = None,
        token_request_headers: HeaderItems | None = None,
        token_types: Mapping[str, str] | None = None,
        tls_client_certificate_bound_access_tokens: bool = False,
        allow_changed_auth_time: bool = False,
    ) -> None:
        check_store(store, awaited=False)
        self._core = VaultCore(
            client_id,
            client_secret,
            issuer=issuer,
            token_endpoint=token_endpoint,
            metadata=metadata,
            token_endpoint_auth_method=token_endpoint_auth_method,
            scope=scope,
            audience=audience,
            resource=resource,
            sealer=sealer,
            leeway=leeway,
            check_every=check_every,
            exchange=exchange,
            clock=clock,
            on_event=on_event,
            timer=timer,
            token_params=token_params,
            token_request_headers=token_request_headers,
            token_types=token_types,
            tls_client_certificate_bound_access_tokens=tls_client_certificate_bound_access_tokens,
            allow_changed_auth_time=allow_changed_auth_time,
        )
        sleep = time.sleep if sleep is None else sleep
        blocking(sleep, "sleep must be a callable that waits for a number of seconds")
        self._store, self._sleep = store, sleep
        self._sender = Sender(http_client, self._core.policy)
        self._keys: BoundedCache[str | SharedCredentials, LiveKey] = BoundedCache(max_sources, max_idle, names=_BOUNDS)

    @clears_locals
    def save(self, key: str, token: Mapping[str, Any] | OAuthToken) -> None:
        """Save the token of a login, in place of an earlier token.

        key: the key of the account, a text that the program chooses.
        token: the token that `fetch_token` returned, or any mapping with its members.

        Raises `UsageError` for an invalid key or token, `StoreError` if the store cannot be used, and `RecordError` if
        the key has the token of another client or server.
        """
        live = self._live(checked_key(key))
        run(self._core.save(live.state, token), self._perform)

    def source(self, key: str) -> VaultSource:
        """Return the token of `key` as a source, for instance for `doorkey.OAuth2Auth`. Reads nothing yet.

        key: the key of the account.
        """
        return VaultSource(checked_key(key), self._live, self._core.server)

    @clears_locals
    def source_of(self, credentials: Credentials, *, key: str | None = None) -> VaultSource:
        """Return the token of `credentials` as a source that all processes share. Reads and requests nothing yet.

        One process requests each token, under the lease of its record, and the others read it from the store.

        credentials: `ClientCredentials` of this vault's client, or others that can be presented again. Their secret,
            authentication method, audience and resource default to those of the vault.
        key: the record's key; None: derived from the type of the credentials, server, client, username, scopes,
            audience and resource. `TokenExchange` and `JWTBearer` need a key, a different one for each subject.

        Raises `UsageError` for credentials of another client, that can be presented only once, or that need a `key`.
        """
        return VaultSource(self._core.shared(credentials, key), self._live, self._core.server)

    @overload
    def client(self, key: str, kind: None = None, **options: Unpack[SessionOptions]) -> OAuth2Session: ...

    @overload
    def client(self, key: str, kind: type[C], **options: Any) -> C: ...

    @clears_locals
    def client(self, key: str, kind: Any = None, **options: Any) -> Any:
        """Return an HTTP client that sends the token of `key`: an `OAuth2Session`, or an instance of `kind`.

        key: the key of the account.
        kind: a class. For `requests.Session` and the `Client` of httpx2 or httpx, the result is an instance of a
            subclass, a session of doorkey whose `fetch_token` saves to the vault. Other classes are called with
            `auth=`. None: `requests.Session`, or the `Client` of httpx2 or httpx if requests is not installed.
        options: the options of that class. For other classes, `rejected_statuses`, `retry_rejected`,
            `allowed_origins` and `token_placement` are passed to the `OAuth2Auth`.

        Reads nothing from the store yet. Raises `UsageError` for an asynchronous `kind`, or an option of the vault.
        """
        live, source = self._live(checked_key(key)), self.source(key)
        own = {**self._core.session_options(), "update_token": self._saving(key)}
        return client_of(kind or default_session_class(), live, source, options, own)

    def _sibling_client(self, key: str, origin: Any) -> Any:
        """Return a session with the token of `key` that shares the connections of the session `origin`."""
        return sibling_client(origin, self._live(checked_key(key)), self._saving(key))

    def _saving(self, key: str) -> Callable[..., None]:
        def update_token(token: OAuth2Token, **_: Any) -> None:
            self.save(key, token)

        return update_token

    def forget(self, key: str) -> None:
        """Delete the record of `key`, if there is one.

        key: the key of the account.

        Other processes send the access token for at most `check_every` seconds more. It is not revoked at the server.
        Raises `UsageError` for an invalid key, `StoreError` if the store cannot be used, and `RecordError` if the key
        has the token of another client or server.
        """
        live = self._live(checked_key(key))
        run(self._core.forget(live.state), self._perform)

    def close(self) -> None:
        """Close the store, and the HTTP client that the vault created."""
        self._sender.close()
        getattr(self._store, "close", _nothing)()

    def __enter__(self) -> TokenVault:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _live(self, key: str | SharedCredentials) -> LiveKey:
        return self._keys.get(key, partial(self._made, key))

    def _made(self, key: str | SharedCredentials) -> LiveKey:
        live = LiveKey(self._core.state(key), self._perform, self._core.clock)
        live.state.memory.on_unsaved = partial(self._keys.pin, key)
        return live

    def _perform(self, effect: Effect[Any]) -> Any:
        if not isinstance(effect, StoreCall):
            return performed(effect, self._sender, self._sleep)
        return effect.perform(self._store)


class AsyncTokenVault(NotPicklable):
    """The asynchronous `TokenVault`, for tasks of any number of event loops.

    store: an asynchronous store, such as `AsyncRedisStore`.
    http_client: an `AsyncClient` of httpx2 or httpx; None: one is created.
    sleep: a coroutine function that waits for a number of seconds; None: `anyio.sleep`.

    The other parameters are those of `TokenVault`.
    """

    @clears_locals
    def __init__(
        self,
        store: AsyncStoreCalls,
        *,
        client_id: str,
        client_secret: object = None,
        issuer: str | Issuer | None = None,
        token_endpoint: str | None = None,
        metadata: ServerMetadata | Mapping[str, Any] | None = None,
        token_endpoint_auth_method: str | ClientAuthMethod | None = None,
        scope: str | Iterable[str] | None = None,
        audience: str | Iterable[str] = (),
        resource: str | Iterable[str] = (),
        sealer: Sealing | None = None,
        leeway: float | None = None,
        check_every: float = 60.0,
        max_sources: int = 10_000,
        max_idle: float = 3600.0,
        exchange: ExchangePolicy | None = None,
        http_client: Any = None,
        clock: Callable[[], float] | None = None,
        sleep: Callable[[float], Any] | None = None,
        on_event: OnEvent | None = None,
        timer: Callable[[], float] | None = None,
        token_params: Mapping[str, Any] | None = None,
        token_request_headers: HeaderItems | None = None,
        token_types: Mapping[str, str] | None = None,
        tls_client_certificate_bound_access_tokens: bool = False,
        allow_changed_auth_time: bool = False,
    ) -> None:
        check_store(store, awaited=True)
        self._core = VaultCore(
            client_id,
            client_secret,
            issuer=issuer,
            token_endpoint=token_endpoint,
            metadata=metadata,
            token_endpoint_auth_method=token_endpoint_auth_method,
            scope=scope,
            audience=audience,
            resource=resource,
            sealer=sealer,
            leeway=leeway,
            check_every=check_every,
            exchange=exchange,
            clock=clock,
            on_event=on_event,
            timer=timer,
            token_params=token_params,
            token_request_headers=token_request_headers,
            token_types=token_types,
            tls_client_certificate_bound_access_tokens=tls_client_certificate_bound_access_tokens,
            allow_changed_auth_time=allow_changed_auth_time,
        )
        if sleep is not None:
            function(sleep, "sleep must be a coroutine function that waits for a number of seconds")
        self._store, self._sleep = store, sleep
        self._sender = AsyncSender(http_client, self._core.policy)
        self._keys: BoundedCache[str | SharedCredentials, AsyncLiveKey] = BoundedCache(
            max_sources, max_idle, names=_BOUNDS
        )

    @clears_locals
    async def save(self, key: str, token: Mapping[str, Any] | OAuthToken) -> None:
        """Save the `token` of a login under `key`; see `TokenVault.save`. Completes even if the caller is canceled."""
        live = self._live(checked_key(key))
        await shielded(lambda: arun(self._core.save(live.state, token), self._perform), _nothing)

    def source(self, key: str) -> AsyncVaultSource:
        """Return the token of `key` as a source, for instance for `doorkey.OAuth2Auth`; see `TokenVault.source`."""
        return AsyncVaultSource(checked_key(key), self._live, self._core.server)

    @clears_locals
    def source_of(self, credentials: Credentials, *, key: str | None = None) -> AsyncVaultSource:
        """Return the token of `credentials` as a source that all processes share; see `TokenVault.source_of`."""
        return AsyncVaultSource(self._core.shared(credentials, key), self._live, self._core.server)

    @overload
    def client(self, key: str, kind: None = None, **options: Unpack[AsyncClientOptions]) -> AsyncFamily: ...

    @overload
    def client(self, key: str, kind: type[C], **options: Any) -> C: ...

    @clears_locals
    def client(self, key: str, kind: Any = None, **options: Any) -> Any:
        """Return an HTTP client that sends the token of `key`: an `AsyncOAuth2Client`, or an instance of `kind`.

        kind: a class, for instance `AsyncClient` of httpx2 or httpx; None: that of the installed library.

        The other parameters are those of `TokenVault.client`.
        """
        live, source = self._live(checked_key(key)), self.source(key)
        own = {**self._core.session_options(), "update_token": self._saving(key)}
        return client_of(kind or library().AsyncClient, live, source, options, own)

    def _sibling_client(self, key: str, origin: Any) -> Any:
        """Return a session with the token of `key` that shares the connections of the session `origin`."""
        return sibling_client(origin, self._live(checked_key(key)), self._saving(key))

    def _saving(self, key: str) -> Callable[..., Coroutine[Any, Any, None]]:
        async def update_token(token: OAuth2Token, **_: Any) -> None:
            await self.save(key, token)

        return update_token

    async def forget(self, key: str) -> None:
        """Delete the record of `key`; see `TokenVault.forget`. Completes even if the caller is canceled."""
        live = self._live(checked_key(key))
        await shielded(lambda: arun(self._core.forget(live.state), self._perform), _nothing)

    async def aclose(self) -> None:
        """Close the store, and the HTTP client that the vault created for this event loop."""
        await self._sender.aclose()
        closing = getattr(self._store, "close", _nothing)()
        if isawaitable(closing):
            await closing

    async def __aenter__(self) -> AsyncTokenVault:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    def _live(self, key: str | SharedCredentials) -> AsyncLiveKey:
        return self._keys.get(key, partial(self._made, key))

    def _made(self, key: str | SharedCredentials) -> AsyncLiveKey:
        live = AsyncLiveKey(self._core.state(key), self._perform, self._core.clock)
        live.state.memory.on_unsaved = partial(self._keys.pin, key)
        return live

    async def _perform(self, effect: Effect[Any]) -> Any:
        if not isinstance(effect, StoreCall):
            return await performed_async(effect, self._sender, self._sleep)
        return await effect.perform_async(self._store)


def _nothing() -> None:
    return None

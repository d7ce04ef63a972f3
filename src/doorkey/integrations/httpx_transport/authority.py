"""Tokens of one authorization server, cached by credentials. The server's issuer is the base URL of an HTTP client."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Final
from weakref import ref

from doorkey.credentials import ClientCredentials, Credentials
from doorkey.errors import UsageError, VerificationError
from doorkey.observe.observer import OnEvent
from doorkey.protocol.http_caching import CacheEntry
from doorkey.protocol.metadata import ServerMetadata
from doorkey.renewal.leader_lock import AcquireOrWait
from doorkey.renewal.slot import Freshness, freshness
from doorkey.runtime.bounded_cache import BoundedCache
from doorkey.runtime.clock import wall_time
from doorkey.sources import AsyncTokenSource, TokenSource
from doorkey.sources.core import SourceCore
from doorkey.sources.fetched_once.discovery import AuthorizationServer
from doorkey.sources.shared_issuer import SharedIssuer, server_of
from doorkey.sources.token_call import HeaderItems
from doorkey.tokens import OAuthToken
from doorkey.transport.forked_pools import empty_in_children
from doorkey.transport.on_httpx import exchange
from doorkey.transport.senders import AsyncSender, httpx_of
from doorkey.values import NotPicklable, clears_locals
from doorkey.wire.flow import Flow, arun, run
from doorkey.wire.limits import ExchangePolicy, policy_of

if TYPE_CHECKING:
    from doorkey.sources.issuer import Issuer

_DEFAULT_GRANTS: Final = ("authorization_code", "implicit")
"""The default grants of a server whose metadata does not list its grants (RFC 8414 §2)."""

_ANOTHER_LOOP: Final = "create an authority, with its own client, for each event loop"

_FULL: Final = (
    "the cache contains max_tokens refresh tokens (or single-use assertions), which are never dropped because "
    "the server accepts each only once: forget() unused credentials, or keep the tokens of many users in a TokenVault"
)


def _checked(credentials: Credentials) -> Credentials:
    if not isinstance(credentials, Credentials):
        raise UsageError(f"credentials must be a Credentials object, not {type(credentials).__name__}")
    return credentials


def _has_ended(source: TokenSource | AsyncTokenSource) -> bool:
    """Return whether this source has no more tokens: its grant is dead, or its token expired and cannot be renewed."""
    core = source._core
    token = core.slot.token
    if core.slot.dead is not None:
        return True
    return token is not None and not core.renewable(token) and freshness(token, core.clock()) is Freshness.EXPIRED


class _AtBaseURL(AuthorizationServer):
    """A server whose issuer is the base URL of a client, with or without a trailing slash.

    httpx2 and httpx always add the slash. The issuer may not have one.
    """

    def _discovered(self, clock: Callable[[], float]) -> Flow[CacheEntry[ServerMetadata]]:
        without = self.issuer or ""
        try:
            return (yield from super()._discovered(clock))
        except VerificationError as error:
            if error.claim != "issuer" or without.endswith("/"):
                raise
            another = f"{error.reason}; the client's base_url is used as the issuer: pass issuer= if it differs"
            wrong = VerificationError(error.claim, another, expected=error.expected)
        self.issuer, found = f"{without}/", False
        try:
            metadata = yield from super()._discovered(clock)
            found = True
            return metadata
        except VerificationError:
            raise wrong from None
        finally:
            if not found:
                self.issuer = without


def _server_of(
    base_url: str,
    issuer: str | Issuer | None,
    openid_config: ServerMetadata | Mapping[str, Any] | None,
    policy: ExchangePolicy,
) -> AuthorizationServer:
    """Return the server that the arguments of an authority describe. Raises `UsageError` if they identify no server."""
    if isinstance(issuer, SharedIssuer):
        return server_of(issuer, None, openid_config, policy)
    known = ServerMetadata.of(openid_config, policy.http_hosts)
    named = issuer or known.issuer
    if not (named or base_url) and known.token_endpoint is None:
        raise UsageError("the issuer is missing: pass issuer=, or a client whose base_url is the issuer")
    return AuthorizationServer(named, known) if named or not base_url else _AtBaseURL(base_url, known)


class _SourceGetter:
    """Returns the source of the same credentials for each request, without a cache lookup for each.

    The cache is read once per thousandth of `max_idle`, so that the entry does not become idle, and after any `forget`.
    The reference is weak, so an entry that the cache drops is not kept here.
    """

    def __init__(self, authority: Any, credentials: Credentials) -> None:
        self._authority, self._credentials = authority, credentials
        self._clock: Callable[[], float] = authority._how["clock"]
        self._pause: float = authority._max_idle / 1000
        self._last: tuple[Callable[[], Any], float, int] = (_no_source, 0.0, 0)

    def __call__(self) -> Any:
        """Return the source."""
        find, looked, forgotten = self._last
        now, source = self._clock(), find()
        if source is not None and 0 <= now - looked < self._pause and forgotten == self._authority._forgotten:
            return source
        source = None  # otherwise this reference would keep an evicted entry of the cache alive
        forgotten = self._authority._forgotten
        source = self._authority.source(self._credentials)
        self._last = ref(source), now, forgotten  # one assignment, because threads share it
        return source


def _no_source() -> None:
    return None


class _Authority(NotPicklable):
    """The base of the blocking and the asynchronous client."""

    @clears_locals
    def __init__(
        self,
        http_client: Any,
        openid_config: ServerMetadata | Mapping[str, Any] | None = None,
        *,
        issuer: str | Issuer | None = None,
        leeway: float | None = None,
        max_tokens: int = 10_000,
        max_idle: float = 3600.0,
        exchange: ExchangePolicy | None = None,
        clock: Callable[[], float] | None = None,
        on_event: OnEvent | None = None,
        timer: Callable[[], float] | None = None,
        token_params: Mapping[str, Any] | None = None,
        token_request_headers: HeaderItems | None = None,
    ) -> None:
        if not hasattr(http_client, "base_url"):
            raise UsageError(f"http_client must be a client of httpx2 or httpx, not {type(http_client).__name__}")
        self.http = http_client
        empty_in_children(http_client)
        clock = wall_time if clock is None else clock
        self._policy = policy_of(exchange)
        self._how: dict[str, Any] = {"leeway": leeway, "clock": clock, "on_event": on_event, "timer": timer}
        self._how |= {"token_params": token_params, "token_request_headers": token_request_headers}
        self._sources: BoundedCache[Credentials, Any] = BoundedCache(
            max_tokens, max_idle, clock, names=("max_tokens", "max_idle")
        )
        self._server = _server_of(str(http_client.base_url).rstrip("/"), issuer, openid_config, self._policy)
        self._cached_sender: AsyncSender | None = None
        self._forgotten = 0
        self._max_idle = max_idle
        self._core(ClientCredentials("any"))  # raise for invalid options now, and not at the first token

    @property
    def issuer(self) -> str:
        """The issuer of the tokens; empty if only a token endpoint is known."""
        return self._server.issuer or ""

    def _core(self, credentials: Credentials) -> SourceCore:
        return SourceCore(credentials, server=self._server, **self._how)

    def _cached(self, credentials: Credentials, make: Callable[[Credentials], Any]) -> Any:
        """Return the source of `credentials`. If it cannot be created again, it is cached until `forget` or its end."""
        if _checked(credentials).repeatable:
            return self._sources.get(credentials, partial(make, credentials))
        return self._sources.get_pinned(credentials, partial(make, credentials), _has_ended, _FULL)

    def _source_getter(self, credentials: Credentials) -> Callable[[], Any]:
        """Return a function that returns the source of `credentials`, fast enough for every request."""
        return _SourceGetter(self, credentials)

    def forget(self, credentials: Credentials) -> None:
        """Forget the token for `credentials`, if there is one. It is not revoked at the server.

        credentials: the credentials of the token.
        """
        self._sources.drop(_checked(credentials))
        self._forgotten += 1

    def _supports(self, grant: str, metadata: ServerMetadata) -> bool:
        listed = metadata.extra.get("grant_types_supported")
        return grant in (listed if isinstance(listed, list) else _DEFAULT_GRANTS)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.issuer}>"


class OAuthAuthorityClient(_Authority):
    """Requests tokens from one authorization server, and caches them by credentials.

    http_client: a `Client` of httpx2 or httpx, which sends the token requests. Its `base_url` is the issuer.
    openid_config: the server's metadata, in place of discovery.
    issuer: the issuer, if it is not the `base_url`.
    leeway: seconds before expiry at which a token is renewed; None: min(60, lifetime / 2).
    max_tokens: maximum number of cached tokens.
    max_idle: seconds after its last use during which a token stays in the cache.
    exchange: bounds of each exchange with the server, an `ExchangePolicy`.
    clock: returns seconds since the epoch; None: time.time.
    on_event: called with each `doorkey.observe.TokenEvent`.
    timer: returns seconds, for the durations in events; None: time.monotonic.
    token_params: further parameters of each token request.
    token_request_headers: further headers of each token request, except `Authorization`.

    Tokens for credentials that work only once (`RefreshToken`, an assertion given as text) are cached separately, also
    up to `max_tokens`, until the server rejects their grant, the token expires without a refresh token, or `forget` is
    called. The refresh token that replaced such credentials is stored nowhere else. Raises `UsageError`.
    """

    @property
    def openid_config(self) -> ServerMetadata:
        """The server's metadata, discovered on first use. Raises the errors of `doorkey.discover`."""
        return run(self._server.metadata(self._how["clock"]), self._perform)

    def supports_grant(self, grant: str) -> bool:
        """Return whether the server supports a grant, by its metadata.

        grant: a `grant_type` value. Without a list in the metadata, the server supports authorization_code and implicit
            (RFC 8414 §2).
        """
        return self._supports(grant, self.openid_config)

    def get_token(self, credentials: Credentials) -> OAuthToken:
        """Return the token for `credentials`, from the cache while it is fresh.

        credentials: the client and its grant: `ClientCredentials`, …

        Raises the `OAuthError` of a failed token request.
        """
        return self.source(credentials).token()

    def source(self, credentials: Credentials) -> TokenSource:
        """Return the cached token source for `credentials`.

        credentials: the client and its grant: `ClientCredentials`, …
        """
        return self._cached(credentials, self._make)  # type: ignore[no-any-return]  # `_cached` serves both kinds

    def _make(self, credentials: Credentials) -> TokenSource:
        return TokenSource._on(self._core(credentials), http_client=self.http, exchange=self._policy)

    def _perform(self, effect: Any) -> Any:
        if isinstance(effect, AcquireOrWait):
            return effect.acquire_or_wait()
        return exchange(httpx_of(self.http), self.http, effect, self._policy)


class AsyncOAuthAuthorityClient(_Authority):
    """Requests tokens from one authorization server, for async code, and caches them by credentials.

    http_client: an `AsyncClient` of httpx2 or httpx, which sends the token requests. Its `base_url` is the issuer.

    The other parameters are those of `OAuthAuthorityClient`.
    """

    async def openid_config(self) -> ServerMetadata:
        """Return the server's metadata, discovered on first use. Raises the errors of `doorkey.adiscover`."""
        return await arun(self._server.metadata(self._how["clock"]), self._perform)

    async def supports_grant(self, grant: str) -> bool:
        """Return whether the server supports a grant, by its metadata.

        grant: a `grant_type` value. Without a list in the metadata, the server supports authorization_code and implicit
            (RFC 8414 §2).
        """
        return self._supports(grant, await self.openid_config())

    async def get_token(self, credentials: Credentials) -> OAuthToken:
        """Return the token for `credentials`, from the cache while it is fresh.

        credentials: the client and its grant: `ClientCredentials`, …

        Raises the `OAuthError` of a failed token request.
        """
        return await self.source(credentials).token()

    def source(self, credentials: Credentials) -> AsyncTokenSource:
        """Return the cached token source for `credentials`.

        credentials: the client and its grant: `ClientCredentials`, …
        """
        return self._cached(credentials, self._make)  # type: ignore[no-any-return]  # `_cached` serves both kinds

    def _make(self, credentials: Credentials) -> AsyncTokenSource:
        # All sources share one sender, which records the event loop in which the client was first used.
        return AsyncTokenSource._on(self._core(credentials), sender=self._sender())

    async def _perform(self, effect: Any) -> Any:
        if isinstance(effect, AcquireOrWait):
            return await effect.acquire_or_wait_async()
        return await self._sender().send(effect)

    def _sender(self) -> AsyncSender:
        if self._cached_sender is None or self._cached_sender.client is not self.http:
            self._cached_sender = AsyncSender(self.http, self._policy, _ANOTHER_LOOP)
        return self._cached_sender

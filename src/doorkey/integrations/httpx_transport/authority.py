"""An authorization server, reached through a client whose base URL is its issuer; tokens are cached by credentials."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Final
from weakref import ref

from doorkey.credentials import ClientCredentials, Credentials
from doorkey.errors import UsageError, VerificationError
from doorkey.observe.observer import OnEvent
from doorkey.protocol.http_caching import Kept
from doorkey.protocol.metadata import ServerMetadata
from doorkey.renewal.leader_lock import AcquireOrWait
from doorkey.renewal.slot import Freshness, freshness
from doorkey.runtime.bounded_cache import BoundedCache
from doorkey.runtime.clock import wall_time
from doorkey.sources import AsyncTokenSource, TokenSource
from doorkey.sources.authorization_server import AuthorizationServer
from doorkey.sources.core import SourceCore
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

_GRANTS_UNSAID: Final = ("authorization_code", "implicit")
"""The grants of a server whose metadata does not list them (RFC 8414 §2)."""

_ANOTHER_LOOP: Final = "make an authority, with a client of its own, for each event loop"

_FULL: Final = (
    "max_tokens refresh tokens (or assertions that can be used once) are kept already, and none may be dropped, as the "
    "server takes each but once: forget() those that are done with, or keep the tokens of many users in a TokenVault"
)


def _checked(credentials: Credentials) -> Credentials:
    if not isinstance(credentials, Credentials):
        raise UsageError(f"these are no credentials: {type(credentials).__name__}")
    return credentials


def _spent(source: TokenSource | AsyncTokenSource) -> bool:
    """Say whether this source has come to its end: its grant is dead, or its token, which cannot be renewed."""
    core = source._core
    token = core.slot.token
    if core.slot.dead is not None:
        return True
    return token is not None and not core.renewable(token) and freshness(token, core.clock()) is Freshness.EXPIRED


class _AtBaseURL(AuthorizationServer):
    """A server whose issuer is a client's base URL: httpx2 and httpx end it with a slash, which the issuer may not."""

    def _discovered(self, clock: Callable[[], float]) -> Flow[Kept[ServerMetadata]]:
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
    """Return the server that the arguments of an authority mean. Raises `UsageError` if they name none."""
    if isinstance(issuer, SharedIssuer):
        return server_of(issuer, None, openid_config, policy)
    known = ServerMetadata.of(openid_config, policy.http_hosts)
    told = issuer or known.issuer
    if not (told or base_url) and known.token_endpoint is None:
        raise UsageError("give the client a base_url that is the issuer, or pass issuer=")
    return AuthorizationServer(told, known) if told or not base_url else _AtBaseURL(base_url, known)


class _Held:
    """Brings the source of the same credentials for each request; asks the cache for it once in a while only.

    That is often enough for the cache to know that it is used, and at once after any `forget`. What the cache drops is
    not kept here.
    """

    def __init__(self, authority: Any, credentials: Credentials) -> None:
        self._authority, self._credentials = authority, credentials
        self._clock: Callable[[], float] = authority._how["clock"]
        self._pause: float = authority._max_idle / 1000
        self._last: tuple[Callable[[], Any], float, int] = (_nothing, 0.0, 0)

    def __call__(self) -> Any:
        """Return the source."""
        find, looked, forgotten = self._last
        now, source = self._clock(), find()
        if source is not None and 0 <= now - looked < self._pause and forgotten == self._authority._forgotten:
            return source
        source = None  # or the cache would find it in use here
        forgotten = self._authority._forgotten
        source = self._authority.source(self._credentials)
        self._last = ref(source), now, forgotten  # all at once: threads share it
        return source


def _nothing() -> None:
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
            raise UsageError(f"http_client is a client of httpx2 or httpx, not {type(http_client).__name__}")
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
        self._asked: AsyncSender | None = None
        self._forgotten = 0
        self._max_idle = max_idle
        self._core(ClientCredentials("any"))  # an option that cannot be is said here, not at the first token

    @property
    def issuer(self) -> str:
        """The issuer of the tokens; empty if only a token endpoint is known."""
        return self._server.issuer or ""

    def _core(self, credentials: Credentials) -> SourceCore:
        return SourceCore(credentials, server=self._server, **self._how)

    def _cached(self, credentials: Credentials, make: Callable[[Credentials], Any]) -> Any:
        """Return the source of `credentials`; one that nothing could bring back stays until it is forgotten."""
        if _checked(credentials).repeatable:
            return self._sources.get(credentials, partial(make, credentials))
        return self._sources.get_pinned(credentials, partial(make, credentials), _spent, _FULL)

    def _held(self, credentials: Credentials) -> Callable[[], Any]:
        """Return what brings the source of `credentials` for each of many requests."""
        return _Held(self, credentials)

    def forget(self, credentials: Credentials) -> None:
        """Forget the token of `credentials`, if there is one; it is not revoked at the server."""
        self._sources.drop(_checked(credentials))
        self._forgotten += 1

    def _supports(self, grant: str, metadata: ServerMetadata) -> bool:
        listed = metadata.extra.get("grant_types_supported")
        return grant in (listed if isinstance(listed, list) else _GRANTS_UNSAID)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.issuer}>"


class OAuthAuthorityClient(_Authority):
    """Gets tokens from one authorization server, and caches them by credentials.

    http_client: a `Client` of httpx2 or httpx, which sends the token requests. Its `base_url` is the issuer.
    openid_config: the server's metadata, in place of discovery.
    issuer: the issuer, if it is not the `base_url`.
    leeway: seconds before expiry at which a token is renewed; None: min(60, lifetime / 2).
    max_tokens: number of tokens that are cached.
    max_idle: seconds after its last use for which a token is cached.
    exchange: bounds of each exchange with the server, an `ExchangePolicy`.
    clock: returns seconds since the epoch; None: time.time.
    on_event: called with each `doorkey.observe.TokenEvent`.
    timer: returns seconds, for the durations in events; None: time.monotonic.
    token_params: further parameters of each token request.
    token_request_headers: further headers of each token request, without `Authorization`.

    Credentials that work only once (`RefreshToken`, an assertion given as text) are cached apart, `max_tokens` at most,
    until their grant is dead or `forget` is called: the refresh token that replaced them is kept nowhere else.
    """

    @property
    def openid_config(self) -> ServerMetadata:
        """The server's metadata, discovered on first use. Raises as `doorkey.discover` does."""
        return run(self._server.metadata(self._how["clock"]), self._perform)

    def supports_grant(self, grant: str) -> bool:
        """Say whether the server lists this `grant_type`."""
        return self._supports(grant, self.openid_config)

    def get_token(self, credentials: Credentials) -> OAuthToken:
        """Return the token of `credentials`, cached while it is fresh. Raises `OAuthError`."""
        return self.source(credentials).token()

    def source(self, credentials: Credentials) -> TokenSource:
        """Return the token source of `credentials`."""
        return self._cached(credentials, self._make)  # type: ignore[no-any-return]  # `_cached` serves both kinds

    def _make(self, credentials: Credentials) -> TokenSource:
        return TokenSource._on(self._core(credentials), http_client=self.http, exchange=self._policy)

    def _perform(self, effect: Any) -> Any:
        if isinstance(effect, AcquireOrWait):
            return effect.acquire_or_wait()
        return exchange(httpx_of(self.http), self.http, effect, self._policy)


class AsyncOAuthAuthorityClient(_Authority):
    """Gets tokens from one authorization server for tasks, and caches them by credentials.

    http_client: an `AsyncClient` of httpx2 or httpx, which sends the token requests. Its `base_url` is the issuer.

    The other parameters are those of `OAuthAuthorityClient`.
    """

    async def openid_config(self) -> ServerMetadata:
        """Return the server's metadata, discovered on first use. Raises as `doorkey.adiscover` does."""
        return await arun(self._server.metadata(self._how["clock"]), self._perform)

    async def supports_grant(self, grant: str) -> bool:
        """Say whether the server lists this `grant_type`."""
        return self._supports(grant, await self.openid_config())

    async def get_token(self, credentials: Credentials) -> OAuthToken:
        """Return the token of `credentials`, cached while it is fresh. Raises `OAuthError`."""
        return await self.source(credentials).token()

    def source(self, credentials: Credentials) -> AsyncTokenSource:
        """Return the token source of `credentials`."""
        return self._cached(credentials, self._make)  # type: ignore[no-any-return]  # `_cached` serves both kinds

    def _make(self, credentials: Credentials) -> AsyncTokenSource:
        # The sender knows in what event loop the client was first used.
        return AsyncTokenSource._on(self._core(credentials), sender=self._sender())

    async def _perform(self, effect: Any) -> Any:
        if isinstance(effect, AcquireOrWait):
            return await effect.acquire_or_wait_async()
        return await self._sender().send(effect)

    def _sender(self) -> AsyncSender:
        if self._asked is None or self._asked.client is not self.http:
            self._asked = AsyncSender(self.http, self._policy, _ANOTHER_LOOP)
        return self._asked

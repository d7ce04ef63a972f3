"""`TokenSource` and `AsyncTokenSource`: one token, renewed before it expires, and requested once for all callers."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from doorkey.arguments import blocking, function
from doorkey.credentials import Credentials
from doorkey.observe.observer import OnEvent
from doorkey.protocol.metadata import ServerMetadata
from doorkey.renewal.api_rejections import RejectableSource
from doorkey.renewal.single_flight import AsyncSingleFlight, SingleFlight
from doorkey.renewal.state import TokenState
from doorkey.sources.core import SourceCore
from doorkey.sources.token_call import HeaderItems
from doorkey.tokens import OAuthToken
from doorkey.transport.performing import performed, performed_async
from doorkey.transport.senders import AsyncSender, Sender
from doorkey.values import NotPicklable, clears_locals
from doorkey.wire.limits import ExchangePolicy, policy_of

if TYPE_CHECKING:
    from doorkey.sources.issuer import Issuer

_SLEEP: Final = "sleep must be a callable that waits for a number of seconds"


class TokenSource(NotPicklable, RejectableSource):
    """The token for `credentials`. Thread-safe: one request serves all concurrent callers.

    credentials: the client and its grant: `ClientCredentials`, `RefreshToken`, …
    issuer: the authorization server, a URL or an `Issuer`. Its metadata is discovered on first use.
    token_endpoint: URL of the token endpoint, in place of discovery.
    metadata: the server's metadata, in place of discovery.
    http_client: a `requests.Session` or a `Client` of httpx2 or httpx, whose transports send the token requests. None:
        a client is created here.
    leeway: seconds before expiry at which the token is renewed; None: min(60, lifetime / 2).
    background: True to renew a token that is still valid in a background thread.
    exchange: bounds of each exchange with the server, an `ExchangePolicy`.
    clock: returns seconds since the epoch; None: time.time.
    random: returns a number from 0 to 1; None: random.random. It determines how early each token is renewed, from half
        of `leeway` to all of it, so that many processes do not renew at the same time.
    sleep: waits for a number of seconds; None: time.sleep.
    on_event: called with each `doorkey.observe.TokenEvent`.
    timer: returns seconds, for the durations in events; None: time.monotonic.
    token_params: further parameters of each token request.
    token_request_headers: further headers of each token request, except `Authorization`.

    Raises `UsageError`.
    """

    @clears_locals
    def __init__(
        self,
        credentials: Credentials,
        *,
        issuer: str | Issuer | None = None,
        token_endpoint: str | None = None,
        metadata: ServerMetadata | Mapping[str, Any] | None = None,
        http_client: Any = None,
        leeway: float | None = None,
        background: bool = False,
        exchange: ExchangePolicy | None = None,
        clock: Callable[[], float] | None = None,
        random: Callable[[], float] | None = None,
        sleep: Callable[[float], object] | None = None,
        on_event: OnEvent | None = None,
        timer: Callable[[], float] | None = None,
        token_params: Mapping[str, Any] | None = None,
        token_request_headers: HeaderItems | None = None,
    ) -> None:
        core = SourceCore(
            credentials,
            issuer=issuer,
            token_endpoint=token_endpoint,
            metadata=metadata,
            exchange=exchange,
            leeway=leeway,
            clock=clock,
            random=random,
            on_event=on_event,
            timer=timer,
            token_params=token_params,
            token_request_headers=token_request_headers,
        )
        self._set_up(core, http_client=http_client, background=background, exchange=exchange, sleep=sleep)

    @classmethod
    def _on(cls, core: SourceCore, **how: Any) -> TokenSource:
        """Return a source that uses an existing `core`, for instance the core of its blocking or asynchronous twin."""
        made = cls.__new__(cls)
        made._set_up(core, **how)
        return made

    def _set_up(
        self,
        core: SourceCore,
        *,
        http_client: Any = None,
        background: bool = False,
        exchange: ExchangePolicy | None = None,
        sleep: Callable[[float], object] | None = None,
    ) -> None:
        self._core = core
        self._sender = Sender(http_client, policy_of(exchange))
        self._sleep = time.sleep if sleep is None else sleep
        blocking(self._sleep, _SLEEP)
        self._flight = SingleFlight(core.slot, self._perform, core.clock, core.lock, background=background)

    def token(self) -> OAuthToken:
        """Return a token that may be sent now. Raises the `OAuthError` of the failed token request."""
        return self._flight.token()

    @clears_locals
    def reject(self, token: OAuthToken) -> bool:
        """Forget `token`, which an API rejected, if it is still the current token.

        token: the rejected token, as `token()` returned it.

        Returns whether another token can be requested.
        """
        return self._core.reject(token)

    def retry_now(self) -> None:
        """End the pause after a failed request, during which errors have `retry_at`. The next call makes a request."""
        self._core.retry_now()

    def _token_state(self) -> TokenState:
        return self._core.slot

    def close(self) -> None:
        """Close the HTTP client if it was created here. A client that was passed in stays open."""
        self._sender.close()

    def __enter__(self) -> TokenSource:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _perform(self, effect: Any) -> Any:
        return performed(effect, self._sender, self._sleep)


class AsyncTokenSource(NotPicklable, RejectableSource):
    """The token for `credentials`, for tasks of one or several event loops. One request serves all concurrent callers.

    http_client: an `AsyncClient` of httpx2 or httpx, or a `ClientSession` of aiohttp. None: a client is created here.
    background: True to renew a token that is still valid in a background task.
    sleep: a coroutine function that waits for a number of seconds; None: anyio.sleep.

    The other parameters are those of `TokenSource`.
    """

    @clears_locals
    def __init__(
        self,
        credentials: Credentials,
        *,
        issuer: str | Issuer | None = None,
        token_endpoint: str | None = None,
        metadata: ServerMetadata | Mapping[str, Any] | None = None,
        http_client: Any = None,
        leeway: float | None = None,
        background: bool = False,
        exchange: ExchangePolicy | None = None,
        clock: Callable[[], float] | None = None,
        random: Callable[[], float] | None = None,
        sleep: Callable[[float], Any] | None = None,
        on_event: OnEvent | None = None,
        timer: Callable[[], float] | None = None,
        token_params: Mapping[str, Any] | None = None,
        token_request_headers: HeaderItems | None = None,
    ) -> None:
        core = SourceCore(
            credentials,
            issuer=issuer,
            token_endpoint=token_endpoint,
            metadata=metadata,
            exchange=exchange,
            leeway=leeway,
            clock=clock,
            random=random,
            on_event=on_event,
            timer=timer,
            token_params=token_params,
            token_request_headers=token_request_headers,
        )
        self._set_up(core, http_client=http_client, background=background, exchange=exchange, sleep=sleep)

    @classmethod
    def _on(cls, core: SourceCore, **how: Any) -> AsyncTokenSource:
        """Return a source that uses an existing `core`, for instance the core of its blocking or asynchronous twin."""
        made = cls.__new__(cls)
        made._set_up(core, **how)
        return made

    def _set_up(
        self,
        core: SourceCore,
        *,
        http_client: Any = None,
        background: bool = False,
        exchange: ExchangePolicy | None = None,
        sleep: Callable[[float], Any] | None = None,
        sender: AsyncSender | None = None,
    ) -> None:
        self._core = core
        self._sender = AsyncSender(http_client, policy_of(exchange)) if sender is None else sender
        if sleep is not None:
            function(sleep, _SLEEP)
        self._sleep = sleep
        self._flight = AsyncSingleFlight(core.slot, self._perform, core.clock, core.lock, background=background)

    async def token(self) -> OAuthToken:
        """Return a token that may be sent now. Raises the `OAuthError` of the failed token request."""
        return await self._flight.token()

    @clears_locals
    def reject(self, token: OAuthToken) -> bool:
        """Forget `token`, which an API rejected, if it is still the current token.

        token: the rejected token, as `token()` returned it.

        Returns whether another token can be requested.
        """
        return self._core.reject(token)

    def retry_now(self) -> None:
        """End the pause after a failed request, during which errors have `retry_at`. The next call makes a request."""
        self._core.retry_now()

    def _token_state(self) -> TokenState:
        return self._core.slot

    async def aclose(self) -> None:
        """Close the HTTP client if it was created here. A client that was passed in stays open."""
        await self._sender.aclose()

    async def __aenter__(self) -> AsyncTokenSource:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def _perform(self, effect: Any) -> Any:
        return await performed_async(effect, self._sender, self._sleep)

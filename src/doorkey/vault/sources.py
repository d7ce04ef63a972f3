"""The token of one key of a vault as a source, for `doorkey.OAuth2Auth` and other code that takes a source."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeAlias, TypeVar

from doorkey.renewal.api_rejections import RejectableSource
from doorkey.renewal.single_flight import AsyncSingleFlight, SingleFlight
from doorkey.renewal.state import reject
from doorkey.sources.fetched_once.discovery import AuthorizationServer
from doorkey.tokens import OAuthToken
from doorkey.values import NotPicklable, clears_locals
from doorkey.vault.credentials import SharedCredentials
from doorkey.vault.key_state import KeyState

__all__ = ["AsyncVaultSource", "VaultSource"]


LiveKey: TypeAlias = SingleFlight[KeyState]
"""The single flight of one key in this process, with its state: only one caller of this process renews the token."""

AsyncLiveKey: TypeAlias = AsyncSingleFlight[KeyState]
"""The asynchronous `LiveKey`, for tasks of one event loop or of several."""

L = TypeVar("L", bound=LiveKey | AsyncLiveKey)


class _VaultSource(NotPicklable, RejectableSource, Generic[L]):
    """The common parts of both sources; `live` returns the single flight of a key."""

    def __init__(
        self,
        key: str | SharedCredentials,
        live: Callable[[str | SharedCredentials], L],
        server: AuthorizationServer,
    ) -> None:
        self._key, self._live, self._server = key, live, server
        self._refused: L | None = None

    @clears_locals
    def reject(self, token: OAuthToken) -> bool:
        """Treat `token`, which a server rejected, as expired if it is still the current one. Return True.

        token: the rejected token.

        There may always be another token: one without a refresh token is kept, but the store may have another by now.
        """
        self._refused = live = self._live(self._key)  # keeps the key in the cache until the next token is requested
        reject(live.state, token)
        return True

    def retry_now(self) -> None:
        """End the pause after a failed request, during which errors have `retry_at`. The next call sends a request."""
        self._live(self._key).state.attempts.retry_now()
        self._server.retry_now()

    def _token_state(self) -> KeyState:
        return self._live(self._key).state


class VaultSource(_VaultSource[LiveKey]):
    """The token of one key of a `TokenVault`, from its `source` or `source_of`. Thread-safe, and cheap to create."""

    def token(self) -> OAuthToken:
        """Return a token that may be sent now. If needed, it is renewed once for all processes that share the store.

        Raises `MissingTokenError` if nothing is saved under the key, `TokenExpiredError` if the token cannot be
        renewed, `InvalidGrant` once the server has rejected the grant, `RecordError` if the record is unusable,
        `StoreError` if the store is down and no valid token is in memory, and the errors of the renewal.
        """
        token = self._live(self._key).token()
        self._refused = None
        return token


class AsyncVaultSource(_VaultSource[AsyncLiveKey]):
    """The token of one key of an `AsyncTokenVault`, for tasks of any number of event loops; cheap to create."""

    async def token(self) -> OAuthToken:
        """Return a token that may be sent now. If needed, it is renewed once for all processes that share the store.

        Raises the errors of `VaultSource.token`.
        """
        token = await self._live(self._key).token()
        self._refused = None
        return token

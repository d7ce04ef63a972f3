"""The token of one key of a vault as a source, for `doorkey.OAuth2Auth` and other users of a source."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeAlias, TypeVar

from doorkey.renewal.api_rejections import RejectableSource
from doorkey.renewal.single_flight import AsyncSingleFlight, SingleFlight
from doorkey.renewal.state import reject
from doorkey.sources.authorization_server import AuthorizationServer
from doorkey.tokens import OAuthToken
from doorkey.values import NotPicklable, clears_locals
from doorkey.vault.credentials import SharedCredentials
from doorkey.vault.key_state import KeyState

__all__ = ["AsyncVaultSource", "VaultSource"]


LiveKey: TypeAlias = SingleFlight[KeyState]
"""The state of one key in this process, as a single flight: one caller of this process renews it.

It lives for as long as a renewal of it is under way, and is found by that.
"""

AsyncLiveKey: TypeAlias = AsyncSingleFlight[KeyState]
"""The same for tasks, of one event loop or of several."""

L = TypeVar("L", bound=LiveKey | AsyncLiveKey)


class _VaultSource(NotPicklable, RejectableSource, Generic[L]):
    """The parts that both sources share; `live` returns the single flight of a key."""

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
        """Forget `token`, if it is still the current one, as a server refused it; say whether there may be another.

        There always may be: one without a refresh token is kept, but the store may have another by now.
        """
        self._refused = live = self._live(self._key)  # not dropped before another token is asked for
        reject(live.state, token)
        return True

    def retry_now(self) -> None:
        """End the pause after a failed request, during which errors have `retry_at`: the next call makes a request."""
        self._live(self._key).state.attempts.retry_now()
        self._server.retry_now()

    def _token_state(self) -> KeyState:
        return self._live(self._key).state


class VaultSource(_VaultSource[LiveKey]):
    """The token of one key, for any number of threads; made by `TokenVault.source`, and cheap to make again."""

    def token(self) -> OAuthToken:
        """Return a token that may be sent now, renewed if need be, once for all that share the store.

        Raises `MissingTokenError` when nothing is saved under the key, `TokenExpiredError` when it cannot be renewed,
        `InvalidGrant` once the server has refused the grant, `RecordError` when the record is not ours, `StoreError`
        when the store is down and no token that is still good is in memory, else the error of the renewal.
        """
        token = self._live(self._key).token()
        self._refused = None
        return token


class AsyncVaultSource(_VaultSource[AsyncLiveKey]):
    """The token of one key, for any number of tasks; made by `AsyncTokenVault.source`, and cheap to make again."""

    async def token(self) -> OAuthToken:
        """Return a token that may be sent now, renewed if need be, once for all that share the store.

        Raises as `VaultSource.token` does.
        """
        token = await self._live(self._key).token()
        self._refused = None
        return token

"""The resources of a login at run time: a client and a vault for each provider, and the store.

There is a synchronous and an asynchronous backend. Each is created on first use, and then shared by all requests. The
flows are the same for both: they use the store through its effects, and clients and vaults through `Settle`.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, Final, TypeVar

from doorkey.errors import OAuthError, StoreError, UsageError
from doorkey.login.client import AsyncLoginClient, LoginClient
from doorkey.login.web.browser_sessions import BrowserSessions, Ended
from doorkey.login.web.documents import Documents
from doorkey.login.web.keys import sealer_of
from doorkey.login.web.providers import LoginProvider
from doorkey.login.web.used_once import UsedOnce
from doorkey.observe.logs import logger
from doorkey.stores.encryption import Sealer
from doorkey.values import NotPicklable, Secret
from doorkey.vault.effects import StoreCall
from doorkey.vault.vault import AsyncTokenVault, TokenVault
from doorkey.wire.flow import Flow, Settle, arun, run

T = TypeVar("T")

SECRET_KEY: Final = "login/secret"
LOGIN_SLOT: Final = 900.0
"""The seconds of one slot for finished logins. A pending login lasts ten minutes."""
LOGOUT_SLOT: Final = 86_400.0
"""The maximum lifetime of a logout token in seconds; two minutes are recommended (Back-Channel Logout 1.0 §2.4)."""


class Backend(NotPicklable):
    """The common parts of both backends.

    providers: the providers of the login.
    store: a synchronous or an asynchronous store, like the backend.
    given: the secrets of the application. If empty, a random secret in the store seals cookies, and records are plain.
    clock: returns seconds since the epoch.
    owns_store: whether `close` closes the store.
    """

    awaited: bool
    _client_class: Callable[..., Any]
    _vault_class: Callable[..., Any]

    def __init__(
        self,
        providers: Iterable[LoginProvider],
        store: Any,
        given: tuple[Secret, ...],
        clock: Callable[[], float],
        *,
        owns_store: bool,
    ) -> None:
        self.providers: Mapping[str, LoginProvider] = {one.name: one for one in providers}
        self.clock = clock
        self._store, self._owns_store = store, owns_store
        self._creates_table = owns_store and hasattr(store, "create_table")
        records = sealer_of(given, "records") if given else None
        self._cookies: Sealer | None = sealer_of(given, "cookies") if given else None
        self._secrets = Documents(None)
        documents = Documents(records)
        self.sessions = BrowserSessions(documents)
        self.finished_logins = UsedOnce(documents, "finished", LOGIN_SLOT)
        self.logout_tokens = UsedOnce(documents, "logout-token", LOGOUT_SLOT)
        self.clients: dict[str, Any] = {}
        self.vaults: dict[str, Any] = {}
        for name, provider in self.providers.items():
            client = self._client_class(**provider.client_options())
            self.clients[name] = client
            options = {**provider.vault_options(), "clock": clock, "sealer": records}
            self.vaults[name] = self._vault_class(store, http_client=client.session(), **options)

    def cookie_sealer(self) -> Flow[Sealer]:
        """Return the sealer of pending logins, with the given secret, or else with a random secret from the store.

        All workers share the store, so they share the secret. Raises `StoreError`.
        """
        if self._cookies is None:
            yield from self.prepared()
            found = yield from self._secrets.load(SECRET_KEY)
            if not _is_secret(found.document):
                yield from self._secrets.save(SECRET_KEY, {"secret": secrets.token_hex(32)}, found.version)
                found = yield from self._secrets.load(SECRET_KEY)
            if found.document is None or not _is_secret(found.document):
                raise StoreError("the secret of the login cannot be saved in the store", retryable=True)
            self._cookies = sealer_of((Secret(found.document["secret"]),), "cookies")
        return self._cookies

    def prepared(self) -> Flow[None]:
        """Create the table of a database that was given as a URL."""
        if self._creates_table:
            yield from Settle(self._store.create_table())
            self._creates_table = False

    def forget(self, ended: Iterable[Ended]) -> Flow[None]:
        """Delete the tokens of sessions that have ended."""
        for one in ended:
            if one.provider in self.vaults:
                yield from Settle(self.vaults[one.provider].forget(one.token_key))

    def revoke(self, ended: Iterable[Ended]) -> Flow[None]:
        """Revoke the tokens of sessions that have ended, if their provider has `revoke_at_logout` (RFC 7009 §2).

        If that fails, the logout continues.
        """
        for one in ended:
            if one.provider in self.providers and self.providers[one.provider].revoke_at_logout:
                try:
                    yield from Settle(self.http_client(one.provider, one.token_key).revoke_token())
                except OAuthError as error:
                    logger.warning("the tokens of a session that has ended were not revoked: %s", error)

    def http_client(self, provider: str, token_key: str) -> Any:
        """Return an HTTP client that sends the valid token of one session over the shared connections.

        Raises `UsageError` if the provider is no longer configured.
        """
        if provider not in self.clients:
            raise UsageError("the provider of this session is no longer configured: let the user log in again")
        return self.vaults[provider]._sibling_client(token_key, self.clients[provider].session())

    def do(self, flow: Flow[T]) -> Any:
        """Return the result of a flow, or an awaitable of it."""
        raise NotImplementedError

    def close(self) -> Any:
        """Close the clients, and the store if it was given as a URL. An asynchronous backend returns an awaitable."""
        raise NotImplementedError


class BlockingBackend(Backend):
    """The backend for synchronous frameworks."""

    awaited = False
    _client_class = LoginClient
    _vault_class = TokenVault

    def do(self, flow: Flow[T]) -> T:
        """Return the result of a flow."""
        return run(flow, self._perform)

    def close(self) -> None:
        """Close the clients, and the store if it was given as a URL."""
        for client in self.clients.values():
            client.close()
        if self._owns_store:
            self._store.close()

    def _perform(self, effect: Any) -> Any:
        return _store_call(effect).perform(self._store)


class AwaitingBackend(Backend):
    """The backend for asynchronous frameworks."""

    awaited = True
    _client_class = AsyncLoginClient
    _vault_class = AsyncTokenVault

    def do(self, flow: Flow[T]) -> Awaitable[T]:
        """Return an awaitable of the result of a flow."""
        return arun(flow, self._perform)

    async def close(self) -> None:
        """Close the clients, and the store if it was given as a URL."""
        for client in self.clients.values():
            await client.aclose()
        if self._owns_store:
            await self._store.close()

    async def _perform(self, effect: Any) -> Any:
        return await _store_call(effect).perform_async(self._store)


def _store_call(effect: Any) -> StoreCall[Any]:
    if not isinstance(effect, StoreCall):
        raise UsageError(f"a login cannot perform {type(effect).__name__}")
    return effect  # pyright: ignore[reportUnknownVariableType]


def _is_secret(document: Mapping[str, Any] | None) -> bool:
    value: object = None if document is None else document.get("secret")
    return isinstance(value, str) and len(value) == 64

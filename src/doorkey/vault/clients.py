"""HTTP clients that send the token of one key of a vault."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from doorkey.errors import UsageError
from doorkey.integrations.base_client.session_classes import session_class_of
from doorkey.renewal.single_flight import AsyncSingleFlight, SingleFlight
from doorkey.renewal.state import Renew
from doorkey.sessions.shared_token import session_sharing
from doorkey.sessions.siblings import sibling_of
from doorkey.tokens import OAuth2Token, OAuthToken
from doorkey.transport.forked_pools import empty_in_children
from doorkey.vault.key_state import VAULT_OPTIONS, KeyState
from doorkey.vault.renewal import not_renewable

if TYPE_CHECKING:
    from doorkey.sessions.core import SessionCore
    from doorkey.vault.sources import AsyncLiveKey, LiveKey

__all__: list[str] = []


_AUTH_OPTIONS: Final = ("allowed_origins", "rejected_statuses", "retry_rejected", "token_placement")
"""Options of a client that is not a session, which are passed to its `OAuth2Auth`."""
_AWAITS: Final = "an AsyncTokenVault makes asynchronous clients, such as httpx2.AsyncClient"


def client_of(kind: Any, live: LiveKey | AsyncLiveKey, source: object, options: dict[str, Any], own: Any) -> Any:
    """Return an instance of the class `kind` that sends the token of `live`.

    If `kind` is a session class of doorkey, or the client class that it extends, the result is such a session. It gets
    the options `own` of the vault and the caller's `options`. Any other class is called with `auth=`. Raises
    `UsageError` for a `kind` that is not a class, for a synchronous client of an asynchronous vault or the reverse, and
    for an option that the vault decides.
    """
    if not isinstance(kind, type):
        raise UsageError("kind= must be the class of a client: requests.Session, httpx2.Client, …")
    family = session_class_of(kind)
    if family is None:
        return _plain(kind, live, source, options)
    _check_is_asynchronous(kind, live, awaits=not hasattr(family, "close"))
    if taken := sorted(VAULT_OPTIONS & options.keys()):
        live.state.refuse_change(taken[0])
    return session_sharing(VaultToken(live), family, {**own, **options})


def sibling_client(origin: Any, live: LiveKey | AsyncLiveKey, update_token: Callable[..., Any]) -> Any:
    """Return a session with the registration and the connections of the session `origin`, and the token of `live`.

    A login with the returned session calls `update_token` to save its token.
    """
    return sibling_of(origin, None, {"update_token": update_token}, VaultToken(live))


def _check_is_asynchronous(kind: type, live: LiveKey | AsyncLiveKey, *, awaits: bool) -> None:
    if isinstance(live, SingleFlight) is awaits:
        of = "a TokenVault makes clients that block" if awaits else _AWAITS
        vault, client = ("synchronous", "asynchronous") if awaits else ("asynchronous", "synchronous")
        raise UsageError(f"this vault is {vault}; {kind.__name__} is {client}: {of}")


def _plain(kind: Any, live: LiveKey | AsyncLiveKey, source: object, options: dict[str, Any]) -> Any:
    """Return a client of a class that doorkey does not extend, which gets its token from its `auth`."""
    from doorkey.auth import OAuth2Auth

    if "auth" in options:
        raise UsageError("a vault signs the requests of its client: omit auth=")
    auth = OAuth2Auth(source, **{name: options.pop(name) for name in _AUTH_OPTIONS if name in options})
    roots = {base.__module__.partition(".")[0] for base in kind.__mro__}
    blocks, awaits = hasattr(kind, "__enter__"), hasattr(kind, "__aenter__")
    if "aiohttp" in roots or blocks is not awaits:  # with both methods, or neither, a class may be of either kind
        _check_is_asynchronous(kind, live, awaits=awaits)
    if "aiohttp" in roots:
        return kind(**{**options, "middlewares": (*options.get("middlewares", ()), auth)})
    if roots & {"requests", "niquests"}:
        client = kind(**options)
        client.auth = auth
    else:
        client = kind(auth=auth, **options)
    empty_in_children(client)
    return client


@dataclass(frozen=True, slots=True)
class VaultToken:
    """The token of one key of a vault, for a session that shares it."""

    live: LiveKey | AsyncLiveKey

    @property
    def state(self) -> KeyState:
        """The state of the key."""
        return self.live.state

    def flight(self, core: SessionCore) -> SessionFlight | AsyncSessionFlight:
        """Return a single flight for the session `core`, which uses the lock of the key."""
        if isinstance(self.live, SingleFlight):
            return SessionFlight(core, self.live)
        return AsyncSessionFlight(core, self.live)


class SessionFlight(SingleFlight[KeyState]):
    """The single flight of a session on a vault's key. It sets the session's `token` to the token that is sent."""

    def __init__(self, core: SessionCore, live: LiveKey) -> None:
        super().__init__(live.state, live._perform, live._clock, live._lock)
        self._core, self._live = core, live  # this reference keeps the key in the vault's cache

    def token(self) -> OAuthToken:
        """Return a token that may be sent now."""
        return _shown(self._core, super().token())

    def renewed(self, renew: Renew) -> OAuthToken:
        """Return the next token, which the vault renews; `renew` is not used."""
        before, token = self.state.token, super().token()
        if token is before:
            _require_renewal(self.state, token)
        return self.token()


class AsyncSessionFlight(AsyncSingleFlight[KeyState]):
    """The asynchronous `SessionFlight`."""

    def __init__(self, core: SessionCore, live: AsyncLiveKey) -> None:
        super().__init__(live.state, live._perform, live._clock, live._lock)
        self._core, self._live = core, live

    async def token(self) -> OAuthToken:
        """Return a token that may be sent now."""
        return _shown(self._core, await super().token())

    def _at_once(self) -> OAuthToken | Awaitable[OAuthToken]:
        found = super()._at_once()
        return _shown(self._core, found) if isinstance(found, OAuthToken) else found

    async def _token(self, now: float) -> OAuthToken:
        return _shown(self._core, await super()._token(now))

    async def renewed(self, renew: Renew) -> OAuthToken:
        """Return the next token, which the vault renews; `renew` is not used."""
        before, token = self.state.token, await super().token()
        if token is before:
            _require_renewal(self.state, token)
        return await self.token()


def _require_renewal(state: KeyState, token: OAuthToken) -> None:
    """Make the next caller renew `token`. Raises `TokenExpiredError` if it has no refresh token."""
    if token.refresh_token is None:
        raise not_renewable()
    state.reject(token)


def _shown(core: SessionCore, token: OAuthToken) -> OAuthToken:
    if core.token_view is None or core.token_view.value is not token:
        core.token_view = OAuth2Token(token)
    return token

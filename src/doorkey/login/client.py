"""`LoginClient` and `AsyncLoginClient`: the registration of an application at one provider, for all of its users."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final, TypeVar

from doorkey.arguments import flag, function, nonempty_text
from doorkey.errors import UsageError
from doorkey.login.connections import origin_session
from doorkey.login.effects import AtSession
from doorkey.login.flows import LoginFlows
from doorkey.sessions.blocking_awaiting import awaiting, blocking
from doorkey.sessions.openid import knows_issuer
from doorkey.sessions.siblings import sibling_of
from doorkey.values import NotPicklable, clears_locals
from doorkey.wire.flow import Flow, arun, run
from doorkey.wire.urls import origin_shown

if TYPE_CHECKING:
    from typing import Unpack

    from doorkey.login.option_types import LoginClientOptions
    from doorkey.protocol.metadata import ServerMetadata
    from doorkey.sources.issuer import Issuer
    from doorkey.tokens import OAuthToken

__all__ = ["AsyncLoginClient", "LoginClient"]

T = TypeVar("T")

_OF_ONE_LOGIN: Final = ("nonce", "state", "token")


class _Registration(LoginFlows, NotPicklable):
    """Logs the users of a web application in at one provider: `begin` starts a login, and `finish` completes it.

    client_id, client_secret: the credentials of the client, as for a session. The secret may be a private key.
    issuer: the provider's issuer, a URL or an `Issuer`, whose metadata is discovered on first use.
    metadata: the provider's metadata, in place of discovery.
    authorization_endpoint, token_endpoint, userinfo_endpoint: the URLs of a provider without metadata.
    redirect_uri: the URL of the callback.
    scope: scope of each login; None: "openid" if the issuer is known.
    name: name of the provider in pending logins and results; None: its issuer, or the origin of its token endpoint.
    fetch_userinfo: True: request the user's claims at each login. False: never. None: only if there is no ID token, and
        the provider has a userinfo endpoint.
    userinfo_compliance_fix: ``fix(session, claims)`` converts a nonstandard userinfo response to claims with a `sub`.
        It may be asynchronous on an `AsyncLoginClient`, and may send requests with the session.
    http_client: the HTTP client whose connections carry all requests. `close` leaves it open. None: a new client.
    client_cls: class of the sessions, or of their HTTP client; None: the class of `http_client`, else the default.
    options: further options of a session. Without `http_client`, also options of the HTTP client, such as `timeout`.

    It holds no state of a user, so all requests, threads and tasks may share it. Raises `UsageError` for an invalid or
    missing option.
    """

    _is_blocking: bool

    @clears_locals
    def __init__(
        self,
        client_id: str,
        client_secret: Any = None,
        *,
        issuer: str | Issuer | None = None,
        metadata: ServerMetadata | Mapping[str, Any] | None = None,
        authorization_endpoint: str | None = None,
        token_endpoint: str | None = None,
        userinfo_endpoint: str | None = None,
        redirect_uri: str | None = None,
        scope: str | Iterable[str] | None = None,
        name: str | None = None,
        fetch_userinfo: bool | None = None,
        userinfo_compliance_fix: Callable[[Any, dict[str, Any]], Any] | None = None,
        http_client: Any = None,
        client_cls: Any = None,
        **options: Unpack[LoginClientOptions],
    ) -> None:
        if taken := [one for one in _OF_ONE_LOGIN if options.get(one) is not None]:
            raise UsageError(
                f"{taken[0]} belongs to one user, but all users share this client: pass it to session() or begin()"
            )
        given: dict[str, Any] = {
            "client_id": client_id,
            "client_secret": client_secret,
            "issuer": issuer,
            "metadata": metadata,
            "authorization_endpoint": authorization_endpoint,
            "token_endpoint": token_endpoint,
            "userinfo_endpoint": userinfo_endpoint,
            "redirect_uri": redirect_uri,
            "scope": scope,
            **options,
        }
        if fetch_userinfo is not None:
            flag(fetch_userinfo, "fetch_userinfo")
        if userinfo_compliance_fix is not None:
            function(userinfo_compliance_fix, "userinfo_compliance_fix must be a callable (session, claims)")
        own = {option: value for option, value in given.items() if value is not None}
        self._origin = origin_session(own, client_cls, http_client, blocking=self._is_blocking)
        self._fetches_userinfo, self._fix_userinfo = fetch_userinfo, userinfo_compliance_fix
        core = self._origin._oauth
        if core.options.scope is None and knows_issuer(core):
            self._origin.scope = "openid"
        place = core.options.metadata.issuer or core.options.metadata.token_endpoint
        if place is None:
            raise UsageError("the provider is missing: give issuer=, metadata=, or the URLs of its endpoints")
        known_as = core.options.metadata.issuer or origin_shown(place)
        self._name = known_as if name is None else nonempty_text(name, "the name")

    @property
    def name(self) -> str:
        """The name of the provider in pending logins and results."""
        return self._name

    @clears_locals
    def session(self, token: Mapping[str, Any] | OAuthToken | None = None, **options: Any) -> Any:
        """Return an HTTP client for one user, which sends a valid token with each request.

        It shares the connections, the metadata and the keys with the sessions of all users, and has its own token and
        cookies. Closing it closes no connections.

        token: the user's token; None if there is no token yet.
        options: options that differ from those of this client, such as `update_token`.

        Raises `UsageError` for an invalid option.
        """
        return sibling_of(self._origin, token, options)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}>"


class LoginClient(_Registration):  # noqa: D101  # its docstring is that of the base
    __doc__ = _Registration.__doc__
    _is_blocking = True

    begin = blocking(LoginFlows._begin)
    finish = blocking(LoginFlows._finish)
    userinfo = blocking(LoginFlows._userinfo)
    logout_url = blocking(LoginFlows._logout_url)
    discover = blocking(LoginFlows._discover)

    def close(self) -> None:
        """Close the connections of all sessions. The connections of a given `http_client` stay open."""
        self._origin.close()

    def __enter__(self) -> LoginClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _run(self, flow: Flow[T]) -> T:
        return run(flow, self._perform)

    def _perform(self, effect: Any) -> Any:
        if isinstance(effect, AtSession):
            return effect.run()
        raise UsageError(f"a login cannot perform {type(effect).__name__}")


class AsyncLoginClient(_Registration):  # noqa: D101  # its docstring is that of the base
    __doc__ = _Registration.__doc__
    _is_blocking = False

    begin = awaiting(LoginFlows._begin)
    finish = awaiting(LoginFlows._finish)
    userinfo = awaiting(LoginFlows._userinfo)
    logout_url = awaiting(LoginFlows._logout_url)
    discover = awaiting(LoginFlows._discover)

    async def aclose(self) -> None:
        """Close the connections of all sessions. The connections of a given `http_client` stay open."""
        await self._origin.aclose()

    async def __aenter__(self) -> AsyncLoginClient:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def _run(self, flow: Flow[T]) -> T:
        return await arun(flow, self._perform)

    async def _perform(self, effect: Any) -> Any:
        if isinstance(effect, AtSession):
            return await effect.run()
        raise UsageError(f"a login cannot perform {type(effect).__name__}")

"""`RegisteredClient`: the attributes and the API requests of a client that `OAuth.register` returns, as flows."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urljoin

from doorkey.errors import MissingTokenError, OAuthError, UsageError
from doorkey.login.registry.names import registration_name
from doorkey.login.registry.options import RegistryOptions
from doorkey.login.registry.registered import (
    LOADED_AT,
    ConnectionPools,
    Registered,
    RegisteredSets,
    discovering_values_of,
    members_of,
    session_of,
    values_of,
)
from doorkey.runtime.forks import ForkSafeLock
from doorkey.values import NotPicklable, clears_locals
from doorkey.wire.flow import Flow, maybe_await
from doorkey.wire.urls import origin_of

if TYPE_CHECKING:
    from doorkey.protocol.metadata import ServerMetadata
    from doorkey.tokens import OAuth2Token

_NO_TOKEN = (
    "there is no token for this request: give token=, or request= with fetch_token=, or call authorize_access_token() "
    "in the same request"
)


class RegisteredClient(NotPicklable):
    """A client at one provider, shared by all requests of an application.

    Its attributes have the names of the options. A change takes effect for the next login; a login in progress keeps
    the values it began with.

    framework: the `FrameworkIntegration` of this registration.
    name: the name of the registration; None: the name in `framework`.
    options: the options of `OAuth.register`.

    Raises `UsageError` for an invalid option.
    """

    request: Any  # this and `load_server_metadata` are sync or async; programs replace them on the class
    load_server_metadata: Any

    client_cls: ClassVar[Any] = None
    """The class of the HTTP session: `OAuth2Session`, or a client of `doorkey.integrations.httpx_client`."""
    OAUTH_APP_CONFIG: ClassVar[Mapping[str, Any] | None] = None
    """Default options of a registration with this class. The options of `register` override them."""

    @clears_locals
    def __init__(self, /, framework: Any, name: Any = None, **options: Any) -> None:
        own = RegistryOptions.of(name if name is not None else framework.name, options)
        self.framework = framework
        self.name = registration_name(own.name)
        self.client_id = own.client_id
        self.client_secret = own.client_secret
        self.access_token_url = own.access_token_url
        self.access_token_params = own.access_token_params
        self.refresh_token_url = own.refresh_token_url
        self.refresh_token_params = own.refresh_token_params
        self.authorize_url = own.authorize_url
        self.authorize_params = own.authorize_params
        self.api_base_url = own.api_base_url
        self.client_kwargs = dict(own.client_kwargs)
        self.compliance_fix = own.compliance_fix
        self.userinfo_compliance_fix = own.userinfo_compliance_fix
        self.client_auth_methods = own.client_auth_methods
        self.code_challenge_method = own.code_challenge_method
        self.token_endpoint_auth_method = own.token_endpoint_auth_method
        self.server_metadata = dict(own.metadata)
        self._server_metadata_url = own.server_metadata_url
        self._user_agent = own.user_agent
        self._fetch_token = own.fetch_token
        self._update_token = own.update_token
        self._pools = ConnectionPools()
        self._sets = RegisteredSets(self._saving, self._pools)
        self._discovering: tuple[object, Any] | None = None
        self._found: ServerMetadata | None = None
        self._changing = ForkSafeLock()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}>"

    # -- added by the synchronous and asynchronous classes -------------------------------------------------------------

    if TYPE_CHECKING:

        def _run(self, flow: Flow[Any]) -> Any:
            """Run a flow, or return an awaitable of its result."""

        def _saving(self, renewed: Callable[[OAuth2Token], None]) -> Callable[..., Any]:
            """Return the `update_token` of a user's session, which calls `renewed` and then `_save_token`."""
            ...

    def _requested_token(self, request: Any) -> Any:
        """Return the token that is stored for the user of `request`, or None; the result may be awaitable."""
        return self._fetch_token(request) if self._fetch_token is not None and request is not None else None

    def _keep_for_request(self, token: Any) -> None:
        """Store a token for the rest of the current request, if the framework supports that."""

    # -- the server ----------------------------------------------------------------------------------------------------

    def _load_server_metadata(self) -> Flow[dict[str, Any]]:
        """Return the registered and the discovered metadata of the provider in one dictionary.

        It is discovered once for all callers, and again after it has expired.

        Raises `TransportError` if the provider cannot be reached, and the errors of `discover`.
        """
        if self._server_metadata_url or self._is_only_an_issuer():
            session = self._discovering_session()
            core = session._oauth
            server = core._own_server(core.options.metadata.issuer)
            try:
                found: ServerMetadata = yield from maybe_await(session._run(server.metadata(core.options.clock)))
            except OAuthError:
                server.retry_now()  # no backoff, because a user is waiting and will try again
                raise
            if found is not self._found or LOADED_AT not in self.server_metadata:
                self._found = found  # only once for each result, so that later changes by the program stay
                self.server_metadata.update({**members_of(found), LOADED_AT: time.time()})
        return self.server_metadata

    def _is_only_an_issuer(self) -> bool:
        known = self.server_metadata
        has_endpoint = self.authorize_url or known.get("authorization_endpoint") or self.access_token_url
        return bool(known.get("issuer")) and (not has_endpoint or LOADED_AT in known)

    def _discovering_session(self) -> Any:
        """Return the session that fetches the metadata, with the settings of the registered client."""
        values = discovering_values_of(self)
        server = {"server_metadata_url": self._server_metadata_url}
        if not self._server_metadata_url:
            server = {"issuer": self.server_metadata["issuer"]}
        described = {**values, **server}
        with self._changing:
            kept = self._discovering
            if kept is None or kept[0] != described:
                kept = self._discovering = described, session_of(values, self._pools.session_for(values), **server)
        return kept[1]

    def _take_sessions(self) -> list[Any]:
        """Remove and return the sessions that have connections. The next request creates new sessions."""
        found = [*self._pools.take_all(), *(one.origin for one in self._sets.take_all())]
        with self._changing:
            discovering, self._discovering = self._discovering, None
        return found if discovering is None else [*found, discovering[1]]

    def _registered(self) -> Flow[Registered]:
        """Return the sessions for the current values of this client and the metadata of the provider."""
        metadata = yield from maybe_await(self.load_server_metadata())
        return self._sets.current(values_of(self, metadata))

    # -- requests ------------------------------------------------------------------------------------------------------

    def _request(
        self, /, method: str, url: str, token: Mapping[str, Any] | None = None, request: Any = None, **options: Any
    ) -> Flow[Any]:
        """Send a request with a user's token, and return the response of the HTTP library.

        An expired token is renewed first. Concurrent requests with the same refresh token share one renewal.

        method: the HTTP method.
        url: a URL, or a path below `api_base_url`.
        token: the token; None: the result of `fetch_token` for `request`.
        request: the request of the framework, for `fetch_token`.
        options: options of the HTTP library, and ``withhold_token=True`` for a request without a token.

        Raises `MissingTokenError`, `TokenExpiredError`, the error of the renewal, and the HTTP library's own errors.
        """
        target = self._target(url)
        if options.get("withhold_token"):
            session = (yield from self._registered()).session()
            return (yield from maybe_await(session.request(method, target, **options)))
        session = yield from self._session_of(token, request)
        return (yield from maybe_await(session.request(method, target, **options)))

    def _target(self, given: object) -> str:
        url, base = str(given), self.api_base_url  # the HTTP libraries have objects for URLs
        if url.lower().startswith(("https://", "http://")) or not base:
            return url
        joined = urljoin(base, url)
        if origin_of(joined) != origin_of(base):
            raise UsageError(
                "a path below api_base_url leads to another server: give the complete URL to send a token there"
            )
        return joined

    def _get(self, url: str, **options: Any) -> Flow[Any]:
        """Send a GET request as `request` does."""
        return (yield from maybe_await(self.request("GET", url, **options)))

    def _post(self, /, url: str, **options: Any) -> Flow[Any]:
        """Send a POST request as `request` does."""
        return (yield from maybe_await(self.request("POST", url, **options)))

    def _patch(self, /, url: str, **options: Any) -> Flow[Any]:
        """Send a PATCH request as `request` does."""
        return (yield from maybe_await(self.request("PATCH", url, **options)))

    def _put(self, /, url: str, **options: Any) -> Flow[Any]:
        """Send a PUT request as `request` does."""
        return (yield from maybe_await(self.request("PUT", url, **options)))

    def _delete(self, /, url: str, **options: Any) -> Flow[Any]:
        """Send a DELETE request as `request` does."""
        return (yield from maybe_await(self.request("DELETE", url, **options)))

    # -- tokens --------------------------------------------------------------------------------------------------------

    def _save_token(
        self,
        token: OAuth2Token,
        refresh_token: str | None = None,
        access_token: str | None = None,
    ) -> Flow[None]:
        """Pass a renewed token on to `update_token` and to the signal of the framework."""
        replaced = {"refresh_token": refresh_token, "access_token": access_token}
        if self._update_token is not None:
            yield from maybe_await(self._update_token(token, **replaced))
        yield from maybe_await(self.framework.update_token(token, **replaced))
        self._keep_for_request(token)

    def _fetch_token_of_client(self, /, **parameters: Any) -> Flow[OAuth2Token]:
        """Request a token with another grant, for instance client credentials, and return it.

        parameters: the parameters of `OAuth2Session.fetch_token`.

        Raises the errors of `OAuth2Session.fetch_token`.
        """
        session = (yield from self._registered()).session()
        found: OAuth2Token = yield from maybe_await(session.fetch_token(**parameters))
        return found

    def _refresh_token(
        self, /, token: Mapping[str, Any] | None = None, request: Any = None, **options: Any
    ) -> Flow[Any]:
        """Renew a user's token now, even before it expires. Pass the new token to `update_token`, and return it.

        token: the token; None: the result of `fetch_token` for `request`.
        request: the request of the framework, for `fetch_token`.
        options: the options of `OAuth2Session.refresh_token`.

        Raises `InvalidGrant` if the refresh token is no longer valid.
        """
        session = yield from self._session_of(token, request)
        return (yield from maybe_await(session.refresh_token(**options)))

    def _revoke_token(
        self, /, token: Mapping[str, Any] | None = None, request: Any = None, **options: Any
    ) -> Flow[Any]:
        """Revoke a user's token at the provider (RFC 7009).

        token: the token; None: the result of `fetch_token` for `request`.
        request: the request of the framework, for `fetch_token`.
        options: the options of `OAuth2Session.revoke_token`.

        Raises `ServerError` for an error response.
        """
        session = yield from self._session_of(token, request)
        return (yield from maybe_await(session.revoke_token(**options)))

    def _introspect_token(
        self, /, token: Mapping[str, Any] | None = None, request: Any = None, **options: Any
    ) -> Flow[Any]:
        """Introspect a user's token at the provider (RFC 7662).

        token: the token; None: the result of `fetch_token` for `request`.
        request: the request of the framework, for `fetch_token`.
        options: the options of `OAuth2Session.introspect_token`.

        Raises `ServerError` for an error response.
        """
        session = yield from self._session_of(token, request)
        return (yield from maybe_await(session.introspect_token(**options)))

    def _session_of(self, token: Mapping[str, Any] | None, request: Any) -> Flow[Any]:
        """Return the session that renews a user's token. Raises `MissingTokenError`."""
        token = yield from self._token_of(token, request)
        return (yield from self._registered()).of_user(token)

    def _token_of(self, token: Mapping[str, Any] | None, request: Any) -> Flow[Mapping[str, Any]]:
        """Return `token`, or the token that is stored for the user of `request`. Raises `MissingTokenError`."""
        found: Mapping[str, Any] | None = token
        if found is None:
            found = yield from maybe_await(self._requested_token(request))
        if found is None:
            raise MissingTokenError(_NO_TOKEN)
        return found

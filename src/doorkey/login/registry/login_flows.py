"""The login of a registered client: the request to the provider, and the callback with which the browser returns.

The sessions check the callback and the tokens. This module stores the pending login and removes it in a safe order. The
callback is checked first, and only a callback that belongs to the login ends it, so that a forged callback deletes
nothing. The login ends before the code is sent to the token endpoint, so that a code is sent only once.
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from doorkey.errors import ServerError, UsageError
from doorkey.login.errors import LoginRefused
from doorkey.login.pushed import request_url
from doorkey.login.registry.client import RegisteredClient
from doorkey.login.registry.id_tokens import check_claims, issuer_in, with_userinfo
from doorkey.login.registry.pending import REGISTRATION, data_of, transaction_of
from doorkey.login.registry.redirect_uris import check_redirect_uri
from doorkey.wire.flow import Flow, maybe_await

if TYPE_CHECKING:
    from doorkey.login.registry.integration import States
    from doorkey.login.registry.registered import Registered
    from doorkey.tokens import OAuth2Token

_NO_ENDPOINT = (
    "the authorization endpoint of {name!r} is not known: register it with server_metadata_url=, or with "
    "authorize_url= and access_token_url="
)
_NO_CLIENT_ID = "the client ID of {name!r} is missing: give register({name!r}, client_id=…), or {setting}"
_NO_STATE = (
    "save_authorize_data() needs the state= of the login: pass on everything that create_authorization_url() returned"
)


class LoginFlows(RegisteredClient):
    """The login of a registered client."""

    _proxy_setting: ClassVar[str] = "the settings of the framework"
    _client_id_setting: ClassVar[str] = "the setting {prefix}_CLIENT_ID"

    create_authorization_url: Any  # this and `parse_id_token` are sync or async
    parse_id_token: Any

    if TYPE_CHECKING:

        def _browser_session(self, /, request: Any) -> MutableMapping[str, Any]:
            """Return the session of the browser that sent `request`."""
            ...

        def _callback(self, request: Any) -> Any:
            """Return the parameters of a callback, from its query or posted form. The result may be awaitable."""

        def _header(self, request: Any, name: str) -> str:
            """Return a header of a request, or "" if it is missing."""
            ...

        def _redirect(self, url: str) -> Any:
            """Return the framework's redirect to `url`."""

    def _renew_session(self, browser: MutableMapping[str, Any], request: Any) -> None:
        """Change the session ID of a browser that has logged in, if its session has an ID (session fixation)."""

    def _create_authorization_url(self, redirect_uri: Any = None, **parameters: Any) -> Flow[dict[str, Any]]:
        """Return a new login: its `url`, its `state`, and the other data that `save_authorize_data` stores.

        redirect_uri: the URL of the callback, as text or as a URL object of the framework.
        parameters: parameters of the authorization request, such as `prompt`, `nonce` and `acr_values`, and the
            `code_verifier`.

        Raises `UsageError` without a client ID or authorization endpoint, and the errors of `load_server_metadata`.
        """
        if not self.client_id:
            setting = self._client_id_setting.format(name=self.name, prefix=str(self.name).upper())
            raise UsageError(_NO_CLIENT_ID.format(name=self.name, setting=setting))
        registered = yield from self._registered()
        options = registered.origin._oauth.options
        if options.metadata.authorization_endpoint is None:
            raise UsageError(_NO_ENDPOINT.format(name=self.name))
        from doorkey.sessions.authorizations import transaction_of as begun

        own = {"state": parameters.pop("state", None), "code_verifier": parameters.pop("code_verifier", None)}
        wanted = {**(self.authorize_params or {}), **parameters, "redirect_uri": text_of(redirect_uri)}
        transaction = begun(options, None, wanted, options.clock(), **own)
        url = yield from maybe_await(registered.origin._run(request_url(registered.origin._oauth, transaction)))
        return {"url": url, "state": transaction.state, **data_of(transaction, registered.id)}

    def _save_authorize_data(self, request: Any, /, **data: Any) -> Flow[None]:
        """Store a login in the browser session: the result of `create_authorization_url`, and the redirect URI.

        request: the request of the framework.
        data: `state`, `redirect_uri` and the other values.

        Raises `UsageError` without a state.
        """
        state = data.pop("state", None)
        if not state:
            raise UsageError(_NO_STATE)
        data.pop("url", None)
        stored = {name: text_of(value) if name == "redirect_uri" else value for name, value in data.items()}
        stored = {name: value for name, value in stored.items() if value is not None}
        yield from maybe_await(self.framework.set_state_data(self._browser_session(request), state, stored))

    def _authorize_redirect(self, /, request: Any, redirect_uri: Any = None, **parameters: Any) -> Flow[Any]:
        """Begin a login, and return the redirect to the provider.

        request: the request of the framework.
        redirect_uri: the URL of the callback, as text or as a URL object of the framework.
        parameters: as for `create_authorization_url`.

        Raises `OtherHost` if the hosts of the redirect URI and of the request are different names of this machine, and
        the errors of `create_authorization_url`.
        """
        check_redirect_uri(text_of(redirect_uri), partial(self._header, request), self._proxy_setting)
        begun = yield from maybe_await(self.create_authorization_url(redirect_uri, **parameters))
        yield from self._save_authorize_data(request, redirect_uri=redirect_uri, **begun)
        return self._redirect(begun["url"])

    def _authorize_access_token(
        self,
        /,
        request: Any,
        claims_options: Mapping[str, Any] | None = None,
        claims_cls: Any = None,
        leeway: float | None = None,
        **parameters: Any,
    ) -> Flow[OAuth2Token]:
        """Finish the login with its callback, and return the token.

        The ID token is verified. Its claims are ``token["userinfo"]``.

        request: the request of the framework, which is the callback.
        claims_options: further conditions for claims, as for `jwt.decode`.
        claims_cls: a class of claims with further checks.
        leeway: seconds by which the clocks of the provider and of this machine may differ; None: 60.
        parameters: parameters of the token request, for instance `resource`.

        Raises `LoginError` for a callback without a pending login of this browser or with an error of the provider,
        `VerificationError` for an invalid callback or ID token, `ServerError` for an error of the token endpoint, and
        `TransportError` if the provider cannot be reached.
        """
        response = yield from maybe_await(self._callback(request))
        browser = self._browser_session(request)
        state = state_of(response)
        framework: States = self.framework
        data = yield from framework._find(browser, state)
        assert state is not None, "a login was found"
        registered = self._sets.with_id(data.get(REGISTRATION)) or (yield from self._registered())
        session = registered.session(id_token_leeway=leeway)
        transaction = transaction_of(data, state, session._oauth.options.clock() + framework.expires_in)
        how = {"transaction": transaction} if transaction is not None else {"state": state}
        try:
            checked = session.parse_authorization_response(response, **how)
        except ServerError as answer:  # the provider has rejected this login, so the login ends
            yield from framework._use_up(browser, state)
            raise LoginRefused.by(answer) from None
        yield from framework._use_up(browser, state)
        known: dict[str, Any] = {}
        if transaction is None:  # the program made the authorization request itself
            known = {name: data[name] for name in ("redirect_uri", "code_verifier", "nonce") if data.get(name)}
        given = {**registered.values["access_token_params"], **known, **parameters}
        token: OAuth2Token = yield from maybe_await(session.fetch_token(authorization_response=checked, **given))
        token = yield from self._with_claims(registered, token, data, claims_options, claims_cls, leeway)
        self._renew_session(browser, request)
        self._keep_for_request(token)
        return token

    def _with_claims(
        self,
        registered: Registered,
        token: OAuth2Token,
        data: Mapping[str, Any],
        claims_options: Mapping[str, Any] | None,
        claims_cls: Any,
        leeway: float | None,
    ) -> Flow[OAuth2Token]:
        claims: Any = token.id_token_claims
        if claims is None and "id_token" not in token:
            return token
        if claims is None and self.userinfo_compliance_fix is not None and issuer_in(claims_options) is None:
            return token  # plain OAuth 2 with a user API: `userinfo()` has the claims, and the ID token is not used
        if claims is None:  # the metadata of this registration names no issuer
            nonce = data.get("nonce", "")
            claims = yield from maybe_await(
                self.parse_id_token(
                    token, nonce=nonce, claims_options=claims_options, claims_cls=claims_cls, leeway=leeway
                )
            )
        else:
            options = registered.origin._oauth.options
            check_claims(claims, claims_options, claims_cls, leeway, options.clock(), client_id=options.client_id)
        return with_userinfo(token, claims)

    def _fetch_access_token(self, /, redirect_uri: Any = None, **parameters: Any) -> Flow[OAuth2Token]:
        """Exchange a code for a token, after the program has checked the callback itself, and return the token.

        Prefer `authorize_access_token`, which checks the callback too.

        redirect_uri: the redirect URI of the authorization request.
        parameters: parameters of the token request, such as `code` and `code_verifier`. With `nonce`, the ID token is
            verified. Without it, the program must call `parse_id_token`.

        Raises `ServerError` for an error response.
        """
        registered = yield from self._registered()
        session = registered.session() if parameters.get("nonce") else registered.unverified()
        given = {**registered.values["access_token_params"], "redirect_uri": text_of(redirect_uri), **parameters}
        found: OAuth2Token = yield from maybe_await(
            session.fetch_token(**{name: value for name, value in given.items() if value is not None})
        )
        return found


def state_of(response: Any) -> str | None:
    """Return the state of a callback that has not been checked yet, or None."""
    from doorkey.sessions.authorizations import state_in

    return state_in(response)


def text_of(uri: Any) -> str | None:
    """Return a redirect URI as text. It may be an object, such as Starlette's `URL`."""
    return None if uri is None else str(uri)

"""The OpenID operations of a registered client besides the login: ID tokens, UserInfo and logout."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from doorkey.errors import MismatchingStateError, UsageError
from doorkey.login.errors import NoPendingLogin
from doorkey.login.registry.client_of_user import ClientOfUser
from doorkey.login.registry.id_tokens import check_claims, issuer_in
from doorkey.login.registry.login_flows import LoginFlows, state_of, text_of
from doorkey.login.registry.registered import values_of
from doorkey.login.registry.state import LOGOUT
from doorkey.values import Secret
from doorkey.wire.flow import Flow, maybe_await

if TYPE_CHECKING:
    from doorkey.login.registry.integration import States
    from doorkey.login.registry.registered import Registered
    from doorkey.oidc.core.user_info import UserInfo

_OLD_CALL = (
    "parse_id_token(token, nonce) takes the token and the nonce of the login, and no request: use "
    'token["userinfo"] of authorize_access_token(), which has verified the ID token, or write '
    "parse_id_token(token, nonce=…)"
)
_NOT_VERIFIED = "a signed or encrypted userinfo response is verified by userinfo() with no option other than params="
_NO_ISSUER = (
    "the issuer of {name!r} is not known, so its ID tokens cannot be verified: register it with server_metadata_url=, "
    "or with issuer= and jwks_uri="
)


class OpenIDFlows(LoginFlows):
    """ID tokens, UserInfo and logout of a registered client."""

    create_logout_url: Any  # this and `get` are sync or async
    get: Any

    def _parse_id_token(
        self,
        token: Mapping[str, Any],
        nonce: str | None = None,
        claims_options: Mapping[str, Any] | None = None,
        claims_cls: Any = None,
        leeway: float | None = 120,
    ) -> Flow[UserInfo | None]:
        """Verify the ID token of a token response, and return its claims (OpenID Connect Core §3.1.3.7).

        Return None for a token response without an ID token. `authorize_access_token` has done this already.

        token: the token response.
        nonce: the nonce of the login; "" skips the comparison.
        claims_options, claims_cls: as for `authorize_access_token`.
        leeway: seconds by which the clocks of the provider and of this machine may differ.

        Raises `VerificationError` for an invalid ID token, and `UsageError` without a nonce or an issuer.
        """
        given: Any = token
        if not isinstance(given, Mapping) or not isinstance(nonce, str):
            raise UsageError(_OLD_CALL)
        if not token.get("id_token"):
            return None
        from doorkey.oidc.core.user_info import UserInfo
        from doorkey.sessions.authorizations import Pending
        from doorkey.sessions.openid import verified

        registered = yield from self._with_issuer(claims_options)
        session = registered.session(id_token_leeway=leeway)
        access_token = Secret(token["access_token"]) if token.get("access_token") else None
        pending = Pending(nonce=Secret(nonce) if nonce else None)
        flow = verified(
            session._oauth, Secret(token["id_token"]), pending, any_nonce=not nonce, access_token=access_token
        )
        claims = yield from maybe_await(session._run(flow))
        options = session._oauth.options
        params = {"client_id": options.client_id, "nonce": nonce, "access_token": token.get("access_token")}
        check_claims(claims, claims_options, claims_cls, leeway, options.clock(), **params)
        return UserInfo(claims)

    def _with_issuer(self, claims_options: Mapping[str, Any] | None) -> Flow[Registered]:
        """Return the values of this client with the issuer of its metadata, or else of `claims_options`."""
        registered = yield from self._registered()
        if registered.origin._oauth.options.metadata.issuer is not None:
            return registered
        issuer = issuer_in(claims_options)
        if issuer is None:
            raise UsageError(_NO_ISSUER.format(name=self.name))
        values = values_of(self, registered.values["metadata"])
        return self._sets.current({**values, "metadata": {**values["metadata"], "issuer": issuer}})

    def _fetch_jwk_set(self, force: bool = False) -> Flow[dict[str, Any]]:
        """Return the public keys of the provider as a JWK Set: the registered `jwks`, or else the keys at `jwks_uri`.

        force: fetch the keys from `jwks_uri` in any case, even if they are registered or cached.

        Raises `UsageError` if the metadata has no `jwks_uri`, and `TransportError` if the provider is down.
        """
        registered = yield from self._registered()
        metadata = registered.values["metadata"]
        if metadata.get("jwks") and not force:
            known: dict[str, Any] = metadata["jwks"]
            return known
        if not metadata.get("jwks_uri"):
            raise UsageError(f"the metadata of {self.name!r} has no jwks_uri: register it with jwks_uri= or jwks=")
        from doorkey.sources.fetched_once.keys import KeyCore

        session = registered.origin
        core = KeyCore(None, jwks_uri=metadata["jwks_uri"]) if force else session._oauth.keys()
        keys = yield from maybe_await(session._run(core.keys(session._oauth.options.clock)))
        return {"keys": [dict(key.public_jwk()) for key in keys]}

    def _userinfo(
        self, /, token: Mapping[str, Any] | None = None, request: Any = None, **options: Any
    ) -> Flow[UserInfo]:
        """Return the claims of the userinfo endpoint about the user of a token (OpenID Connect Core §5.3).

        token: the token; None: the result of `fetch_token` for `request`.
        request: the request of the framework, for `fetch_token`.
        options: `params`, a mapping or a query as text. With any other option of the HTTP library, `get` sends the
            request, with its own timeout and redirects, and a signed or encrypted response is rejected.

        Raises `VerificationError` for the claims of another user, `ServerError` for an error response, and `UsageError`
        without an endpoint.
        """
        metadata = yield from maybe_await(self.load_server_metadata())
        endpoint = metadata.get("userinfo_endpoint")
        if not endpoint:
            raise UsageError(
                f"the userinfo endpoint of {self.name!r} is not known: register it with userinfo_endpoint="
            )
        token = yield from self._token_of(token, request)
        needs_sub, params = bool(metadata.get("issuer")), options.get("params")
        if options.keys() <= {"params"} and isinstance(params, Mapping | str | None):
            from doorkey.sessions.call_arguments import extra_pairs
            from doorkey.sessions.userinfo import userinfo

            session = (yield from self._registered()).of_user(token)
            query = extra_pairs(options.get("params"), {})
            flow = userinfo(session._oauth, None, None, self._fix(token), needs_sub=needs_sub, query=query)
            info: UserInfo = yield from maybe_await(session._run(flow))
            return info
        how = (yield from self._registered()).origin._oauth.options.openid.protection("userinfo")
        if how.signed or how.encrypted:
            raise UsageError(_NOT_VERIFIED)
        response = yield from maybe_await(self.get(endpoint, token=token, **options))
        return (yield from self._claims_in(response, token, needs_sub=needs_sub))

    def _fix(self, token: Mapping[str, Any]) -> Callable[[dict[str, Any]], Any] | None:
        fix = self.userinfo_compliance_fix
        return None if fix is None else partial(fix, ClientOfUser(self, token))

    def _claims_in(self, response: Any, token: Mapping[str, Any], *, needs_sub: bool) -> Flow[UserInfo]:
        """Return the claims in the HTTP library's `response` to a request with options of the program."""
        from doorkey.oidc.core.user_info import UserInfo
        from doorkey.protocol.userinfo import parse_userinfo
        from doorkey.sessions.openid import subject_of
        from doorkey.sessions.userinfo import checked_sub
        from doorkey.wire.messages import Response

        found = parse_userinfo(Response(response.status_code, tuple(response.headers.items()), response.content))
        if isinstance(found, Secret):
            raise UsageError(_NOT_VERIFIED)
        fix = self._fix(token)
        members = found if fix is None else (yield from maybe_await(fix(found)))
        given = (yield from self._registered()).origin._oauth.given(token)
        return checked_sub(UserInfo(members), None if given is None else subject_of(given.value), needs_sub=needs_sub)

    # -- logout --------------------------------------------------------------------------------------------------------

    def _create_logout_url(
        self,
        /,
        post_logout_redirect_uri: Any = None,
        id_token_hint: str | None = None,
        state: str | None = None,
        **parameters: Any,
    ) -> Flow[dict[str, Any]]:
        """Return the `url` of a logout at the provider and its `state` (OpenID Connect RP-Initiated Logout 1.0 §2).

        post_logout_redirect_uri: the registered URL to which the browser returns, as text or a URL object.
        id_token_hint: an ID token of the user who logs out.
        state: the state of the request; None: a random value if there is a `post_logout_redirect_uri`.
        parameters: further parameters, for instance `logout_hint` and `ui_locales`.

        Raises `UsageError` if the metadata has no `end_session_endpoint`.
        """
        registered = yield from self._registered()
        if not registered.values["metadata"].get("end_session_endpoint"):
            raise UsageError(f"the metadata of {self.name!r} has no end_session_endpoint: this provider has no logout")
        if parameters.get("client_id") == self.client_id:
            del parameters["client_id"]  # it is always sent
        url, own_state = registered.session().create_logout_url(
            None,
            id_token_hint=id_token_hint,
            post_logout_redirect_uri=text_of(post_logout_redirect_uri),
            state=state,
            **parameters,
        )
        return {"url": url, "state": own_state}

    def _logout_redirect(
        self, /, request: Any, post_logout_redirect_uri: Any = None, id_token_hint: str | None = None, **parameters: Any
    ) -> Flow[Any]:
        """Return the redirect to the logout of the provider.

        request: the request of the framework.
        post_logout_redirect_uri, id_token_hint, parameters: as for `create_logout_url`.

        Raises the errors of `create_logout_url`.
        """
        begun = yield from maybe_await(
            self.create_logout_url(
                post_logout_redirect_uri=post_logout_redirect_uri, id_token_hint=id_token_hint, **parameters
            )
        )
        if begun.get("state"):
            data = {"post_logout_redirect_uri": text_of(post_logout_redirect_uri)}
            yield from self.framework._save(self._browser_session(request), begun["state"], data, LOGOUT)
        return self._redirect(begun["url"])

    def _validate_logout_response(self, request: Any) -> Flow[dict[str, Any]]:
        """Check the state with which the browser returns from a logout, and return the data of that logout.

        request: the request of the framework.

        Raises `MismatchingStateError` if this browser began no logout with this state.
        """
        browser = self._browser_session(request)
        state = state_of(self._query(request))
        framework: States = self.framework
        try:
            data = yield from framework._find(browser, state, LOGOUT)
        except NoPendingLogin:
            raise MismatchingStateError("does not belong to a logout that this browser began") from None
        assert state is not None, "a logout was found"
        yield from framework._use_up(browser, state)
        return data

    if TYPE_CHECKING:

        def _query(self, request: Any) -> Any:
            """Return the parameters in the query of a request."""

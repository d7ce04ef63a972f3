"""`OAuth2Client`: the face that every session of the family shares, over whichever HTTP library.

The methods that talk to a server are flows here (their names begin with an underscore); each client class turns them
into methods that block or await, with the same signature, by `doorkey.sessions.blocking_awaiting`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, TypeAlias, cast

from doorkey.errors import UsageError
from doorkey.sessions.attributes import Option

if TYPE_CHECKING:
    from doorkey.protocol.authorization import AuthorizationTransaction
    from doorkey.protocol.client_identity import ClientAuthMethod
    from doorkey.protocol.introspection import Introspection
    from doorkey.protocol.metadata import ServerMetadata
    from doorkey.sessions.callbacks import AuthorizationResponse, Finished
    from doorkey.sessions.core import SessionCore
    from doorkey.sessions.hooks import Hook
    from doorkey.sessions.options import SessionOptions, UpdateToken
    from doorkey.tokens import OAuth2Token
    from doorkey.transport.library import Library
    from doorkey.values import Secret
    from doorkey.wire.flow import Flow

# What an operation needs is imported when it is first called, and the core when the first session is made: importing a
# client is part of starting every program that has one in its reach, used or not.

AuthMethod: TypeAlias = "str | ClientAuthMethod | None"
HeaderItems = Mapping[str, str] | Iterable[tuple[str, str]]


class OAuth2Client:
    """What a session knows and does, whichever HTTP library sends its requests.

    Options of every session: `client_id`; `client_secret`, text or, for private_key_jwt, a PEM, JWK or key object;
    `token_endpoint_auth_method` and `revocation_endpoint_auth_method`, a registered name or a callable; `scope`, text
    or tokens; `state` of a callback still to come; `redirect_uri`; `token`, a mapping as `fetch_token` returns it;
    `token_placement`, "header", "body" or "uri" (RFC 6750 §2); `update_token(token, refresh_token=None,
    access_token=None)`, told of every change of the token before it is used; `leeway`, seconds before expiry at which
    the token is renewed, left out: min(60, lifetime / 2); `code_challenge_method="S256"` (RFC 7636); `token_endpoint`,
    `authorization_endpoint` and the other endpoints, or `metadata` that names them (RFC 8414); `grant_type`, what
    `fetch_token` takes where nothing else says; `exchange`, the bounds of an exchange with the server; `clock`, which
    returns seconds since the epoch; `on_event`, called with each `doorkey.observe.TokenEvent`, and `timer`, which
    returns seconds and measures their durations. An unknown option raises `UsageError`. Most options are
    attributes too, which may be assigned later and are checked in the same way.
    """

    __module__ = "doorkey.oauth2.client"  # the public import path, which `help()` and users' documents print

    _oauth: SessionCore
    _flight: Any  # a SingleFlight or an AsyncSingleFlight, as the HTTP library's world needs
    _blocking: ClassVar[bool]
    _find_authorization_endpoint: Any  # a method of the base that blocks or awaits

    def _set_up(self, options: SessionOptions, library: Library, token: OAuth2Token | None) -> None:
        from doorkey.sessions.core import SessionCore

        self._oauth = SessionCore(options, library, token)

    if TYPE_CHECKING:

        def _sign(self) -> None:
            """Make anew what signs this session's requests."""

    # -- what it knows -----------------------------------------------------------------------------------------------

    @property
    def token(self) -> OAuth2Token | None:
        """The current token, or None. Assign a mapping to use another one; it is not saved by `update_token`."""
        return self._oauth.token_view

    @token.setter
    def token(self, token: Mapping[str, Any] | None) -> None:
        self._oauth.slot.refuse_change("token")
        self._oauth.put(self._oauth.given(token))

    client_id: Option[str, str | None] = Option("The client's identifier at the authorization server.")
    client_secret: Option[Any, Any] = Option("The client's secret or private key, as it was given.")
    token_endpoint_auth_method: Option[AuthMethod, AuthMethod] = Option(
        "How the client authenticates, a name or a callable, or None for the default."
    )
    revocation_endpoint_auth_method: Option[AuthMethod, AuthMethod] = Option(
        "How the client authenticates to revoke a token, where that differs."
    )
    scope: Option[str | None, str | Iterable[str] | None] = Option(
        "The scope that is asked for unless a call says otherwise."
    )
    state: Option[str | None, str | None] = Option("The state of a callback that is still to come.")
    redirect_uri: Option[str | None, str | None] = Option("Where browsers come back to unless a call says otherwise.")
    token_placement: Option[str, str | None] = Option("Where the token goes in a request: header, body or uri.")
    update_token: Option[UpdateToken | None, UpdateToken | None] = Option("Who is told of every change of the token.")
    leeway: Option[float | None, float | None] = Option(
        "The seconds before expiry at which the token is renewed, or None for the default."
    )
    code_challenge_method: Option[str | None, str | None] = Option("S256 where every authorization request has PKCE.")
    grant_type: Option[str | None, str | None] = Option("The grant of a call that names none.")
    metadata: Option[ServerMetadata, ServerMetadata | Mapping[str, Any] | None] = Option(
        "What is known of the authorization server: a value, which an assignment replaces."
    )
    authorization_endpoint: Option[str | None, str | None] = Option("Where browsers are sent to log in.")
    token_endpoint: Option[str | None, str | None] = Option("Where tokens are asked for unless a call says otherwise.")
    revocation_endpoint: Option[str | None, str | None] = Option("Where tokens are revoked.")
    introspection_endpoint: Option[str | None, str | None] = Option("Where it is asked what a token is worth.")

    def _change(self, name: str, value: object) -> None:
        self._oauth.change(name, value, blocking=self._blocking)
        if name == "token_placement":
            self._sign()

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        """Refuse to be pickled or copied: a session holds secrets, and its token is shared by nobody else."""
        raise UsageError(
            "a session is neither pickled nor copied, as it holds secrets: share it, or make one where it is needed"
        )

    # -- what needs no server ----------------------------------------------------------------------------------------

    def create_authorization_url(
        self, url: str | None = None, state: str | None = None, code_verifier: str | None = None, **extra: Any
    ) -> tuple[str, str]:
        """Return (url, state) of a new authorization request (RFC 6749 §4.1.1); keep the state.

        `url` is the authorization endpoint, left out the session's. The session remembers what it made, so that its
        `fetch_token` checks state and sends verifier and redirect URI; another session is given `state=` and
        `code_verifier=`. PKCE is on when `code_verifier` or ``code_challenge_method="S256"`` is given. `extra` become
        parameters. Raises `UsageError`.
        """
        from doorkey.sessions.authorizations import begun

        core = self._oauth
        self._find_authorization_endpoint(url)
        full_url, state, pending, _ = begun(
            core.options, url, extra, state=state, code_verifier=code_verifier, with_pkce=False
        )
        core.authorizations.remember(state, pending)
        return full_url, state

    def begin_authorization(self, url: str | None = None, **extra: Any) -> AuthorizationTransaction:
        """Return a new login with state, nonce and PKCE, for any session of any process to finish (RFC 9700 §2.1).

        `url` is the authorization endpoint, left out the session's; `extra` become parameters. Raises `UsageError`.
        """
        from doorkey.sessions.authorizations import transaction_of

        self._find_authorization_endpoint(url)
        return transaction_of(self._oauth.options, url, extra, self._oauth.options.clock())

    def parse_authorization_response(
        self,
        authorization_response: str | Mapping[str, Any],
        state: str | None = None,
        *,
        transaction: AuthorizationTransaction | None = None,
    ) -> AuthorizationResponse:
        """Check an authorization response of any response type, and return its parameters (RFC 6749 §4.1.2, §4.2.2).

        It is for response types whose ID token or access token comes from the authorization endpoint (``id_token``,
        ``code id_token``, …). Verify the ID token, then give the result to ``fetch_token(authorization_response=…)`` if
        it has a code. The state of the request is used up.

        authorization_response: the URL at which the browser came back, or the posted form of
            ``response_mode=form_post`` as a mapping.
        state: the state that the request sent, if another session made the request.
        transaction: the login that `begin_authorization` returned, in place of `state`.

        Raises `MismatchingStateError` and `VerificationError` for the response to another request, `ServerError` for an
        error response, and `UsageError`.
        """
        from doorkey.sessions.callbacks import parsed

        core = self._oauth
        return parsed(authorization_response, core.options, core.authorizations, state=state, transaction=transaction)

    def register_client_auth_method(self, auth: tuple[str, ClientAuthMethod] | ClientAuthMethod) -> None:
        """Make a client authentication method known by its name: a (name, callable) pair, or a callable with `name`."""
        given = cast("tuple[Any, Any]", auth if isinstance(auth, tuple) else (getattr(auth, "name", None), auth))
        name, method = given
        if not isinstance(name, str) or not callable(method):
            raise UsageError("give a (name, callable) pair, or a callable with a name, for instance PrivateKeyJWT()")
        self._oauth.auth_methods[name] = given[1]

    def register_compliance_hook(self, hook_type: str, hook: Hook) -> None:
        """Have `hook` mend what a server does wrong; hooks of a kind run in the order registered.

        ``access_token_response`` and ``refresh_token_response`` take and return the HTTP library's response;
        ``refresh_token_request``, ``revoke_token_request``, ``introspect_token_request`` and ``protected_request`` take
        and return (url, headers, body). Raises `UsageError` for another kind.
        """
        self._oauth.hooks.add(hook_type, hook)

    # -- what asks the server, as flows --------------------------------------------------------------------------------

    def _discover(self) -> Flow[ServerMetadata]:
        """Return the server's metadata, fetched from the session's `issuer` unless it is known (RFC 8414 §3).

        Every other operation does this by itself when it needs an endpoint that is not known. Callers at the same time
        make one request. Raises `UsageError` without an `issuer`, else as `doorkey.discover` does.
        """
        return (yield from self._oauth.discover())

    def _fetch_token(
        self,
        /,
        url: str | None = None,
        body: str | Mapping[str, Any] | None = None,
        method: str = "POST",
        headers: HeaderItems | None = None,
        auth: Any = None,
        grant_type: str | None = None,
        state: str | None = None,
        *,
        authorization_response: str | Mapping[str, Any] | AuthorizationResponse | None = None,
        code: str | None = None,
        username: str | None = None,
        password: str | None = None,
        transaction: AuthorizationTransaction | None = None,
        **extra: Any,
    ) -> Flow[OAuth2Token]:
        """Get a token, make it the session's, and return it (RFC 6749 §4); what is no access token is only returned.

        `url` is the token endpoint, left out the session's. The grant is `grant_type`, or what is given: a callback's
        URL as `authorization_response` (with `state` or `transaction` where another session began it) or a `code`, a
        `username` and `password`, else the session's `grant_type`, else client credentials. `auth` replaces the
        session's client authentication, `body` and `extra` are further parameters.

        Raises `UsageError` for a call that cannot be, `MismatchingStateError` and `VerificationError` for a callback
        that is not this request's, `ServerError` when the server or its callback says no, `InvalidResponse` when the
        answer is no token, `TransportError` when there is none.
        """
        from doorkey.sessions.callbacks import finish, speaks_of_a_fragment, with_promised
        from doorkey.sessions.grant_inference import grant_of, grant_type_of
        from doorkey.sessions.near_misses import refuse_near_misses
        from doorkey.sessions.token_call import extra_pairs
        from doorkey.sources.token_call import TokenCall
        from doorkey.tokens import NOT_FOR_ACCESS, OAuth2Token
        from doorkey.values import Secret

        core = self._oauth
        core.refuse_within_saving()
        if extra:
            refuse_near_misses(extra)
        given = {**extra, "code": code, "username": username, "password": password}
        finished: Finished | None = None
        if authorization_response is not None:
            if not (fragment := speaks_of_a_fragment(authorization_response)):  # else there may be no code to exchange
                yield from core.located("token", url)  # before the callback, of which the metadata says more
            implicit = url is None and core.options.metadata.token_endpoint is None
            finished = finish(
                authorization_response,
                core.options,
                core.authorizations,
                state=state,
                transaction=transaction,
                token_endpoint=core.known_token_endpoint(url),
                may_read_fragment=implicit and fragment,
            )
            if finished.brings_a_token:
                return (yield from self._take_implicit(finished))
            given["code"] = finished.code()
            grant_type = grant_type or "authorization_code"
        elif transaction is not None:
            raise UsageError("a transaction is finished with the authorization_response= that came back")
        endpoint = yield from core.token_endpoint(url)
        kind = grant_type_of(grant_type, given, core.usual_grant_type())
        if kind == "refresh_token":
            current = given.pop("refresh_token", None)
            overrides = core.overrides_of(body, given, auth, headers, method)
            return (yield from core.refresh_now(url, Secret(current) if current else None, overrides))
        promised = None
        if kind == "authorization_code":
            given = with_promised(given, finished, core.options, body)
            promised = (finished.pending.scope if finished else None) or core.options.scope
        elif given.get("scope") is None and core.options.scope and "scope" not in dict(extra_pairs(body, {})):
            given["scope"] = str(core.options.scope)
        own = core.own_grant()
        repeats = own is not None and kind == own.grant_type and given.get("assertion") is None
        grant = own if own is not None and repeats else grant_of(kind, given)
        call = TokenCall(endpoint, grant, promised=promised, repeats=repeats)
        call = call.overridden(core.overrides_of(body, given, auth, headers, method))
        token = yield from core.ask(call)
        if token.token_type == NOT_FOR_ACCESS:
            return OAuth2Token(token)
        return (yield from core.save_and_adopt(token, call, {}))

    def _token_from_fragment(self, authorization_response: str, state: str | None = None) -> Flow[OAuth2Token]:
        """Take the token from the fragment of a callback's URL (RFC 6749 §4.2.2), for the implicit grant only.

        `state` is what the request sent, where another session made it. Raises as `fetch_token` does.
        """
        from doorkey.sessions.callbacks import finish

        core = self._oauth
        finished = finish(
            authorization_response, core.options, core.authorizations, state=state, may_read_fragment=True
        )
        return (yield from self._take_implicit(finished))

    def _take_implicit(self, finished: Finished) -> Flow[OAuth2Token]:
        from doorkey.protocol.token_endpoint import token_of

        core = self._oauth
        parameters = {k: v for k, v in finished.callback.parameters.items() if k not in ("state", "iss")}
        token = token_of(parameters, asked_at=core.options.clock())
        return (yield from core.save_and_adopt(token, None, {}))

    def _refresh_token(
        self,
        /,
        url: str | None = None,
        refresh_token: str | Secret | None = None,
        body: str | Mapping[str, Any] | None = None,
        auth: Any = None,
        headers: HeaderItems | None = None,
        **extra: Any,
    ) -> Flow[OAuth2Token]:
        """Renew the token now with `refresh_token`, left out the session's own, and return it (RFC 6749 §6).

        Any number of callers at once make one request; it is made though the server may have refused the token before.
        What is left out is as the token was asked for, `audience` and `resource` too; `url`, `auth`, `headers`, `body`
        and `extra` are as for `fetch_token`. Without a refresh token an assertion session signs another assertion, and
        any other raises `MissingTokenError`; else this raises as `fetch_token` does.
        """
        from doorkey.values import Secret

        current = Secret(refresh_token) if refresh_token else None
        return (yield from self._oauth.refresh_now(url, current, self._oauth.overrides_of(body, extra, auth, headers)))

    def _ensure_active_token(self, token: Mapping[str, Any] | None = None) -> Flow[bool]:
        """Renew the session's token if it is about to expire, and return True.

        `token`, where given, is made the session's first if it is another one. Raises `MissingTokenError` without a
        token, `TokenExpiredError` for an expired one that cannot be renewed, and the error of the renewal; of a
        refresh token that the server has refused, its `InvalidGrant` again, without asking.
        """
        from doorkey.renewal.effects import Active

        if token is not None and token is not self._oauth.token_view:
            self._oauth.adopt(self._oauth.given(token))
        yield from Active()
        return True

    def _revoke_token(
        self,
        /,
        url: str | None = None,
        token: str | None = None,
        token_type_hint: str | None = None,
        body: str | Mapping[str, Any] | None = None,
        auth: Any = None,
        headers: HeaderItems | None = None,
        **extra: Any,
    ) -> Flow[Any]:
        """Tell the server that `token`, left out the session's refresh or access token, is no longer used (RFC 7009).

        `url` is the revocation endpoint, left out the session's. Returns the HTTP library's response. Raises
        `ServerError` where the server refuses.
        """
        from doorkey.protocol.revocation import check_revocation, revocation_request

        core = self._oauth
        method = core.options.revocation_endpoint_auth_method or core.options.token_endpoint_auth_method
        overrides = core.overrides_of(body, extra, auth, headers)
        request, response = yield from core.present(
            "revocation", revocation_request, token, token_type_hint, url, overrides, method
        )
        check_revocation(response, core.options.clock())
        return core.library.native_response(response, request)

    def _introspect_token(
        self,
        /,
        url: str | None = None,
        token: str | None = None,
        token_type_hint: str | None = None,
        body: str | Mapping[str, Any] | None = None,
        auth: Any = None,
        headers: HeaderItems | None = None,
        **extra: Any,
    ) -> Flow[Introspection]:
        """Ask the server what `token`, left out the session's, is worth (RFC 7662); the answer is a mapping.

        `url` is the introspection endpoint, left out the session's. Raises `ServerError` where the server refuses,
        `InvalidResponse` where it does not say whether the token is active.
        """
        from doorkey.protocol.introspection import introspection_request, parse_introspection

        core = self._oauth
        method, overrides = core.options.token_endpoint_auth_method, core.overrides_of(body, extra, auth, headers)
        _, response = yield from core.present(
            "introspection", introspection_request, token, token_type_hint, url, overrides, method
        )
        return parse_introspection(response, core.options.clock())


__all__ = ["OAuth2Client"]

"""`OAuth2Client`: the methods and options of every session, for all HTTP libraries.

The methods that send requests to the server are flows here, and their names begin with an underscore. Each client class
turns them into blocking or coroutine methods with the same signature, by `doorkey.sessions.blocking_awaiting`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, TypeAlias, cast

from doorkey.errors import UsageError
from doorkey.sessions.attributes import Option
from doorkey.sessions.device import DeviceOperations
from doorkey.sessions.openid_operations import OpenIDOperations
from doorkey.sessions.token_queries import HeaderItems, TokenQueries
from doorkey.values import Secret, clears_locals

if TYPE_CHECKING:
    from doorkey.protocol.authorization import AuthorizationTransaction
    from doorkey.protocol.client_identity import ClientAuthMethod
    from doorkey.protocol.metadata import ServerMetadata
    from doorkey.sessions.callbacks import AuthorizationResponse
    from doorkey.sessions.core import SessionCore
    from doorkey.sessions.hooks import Hook
    from doorkey.sessions.options import UpdateToken
    from doorkey.sessions.shared_token import SharedToken
    from doorkey.tokens import OAuth2Token
    from doorkey.wire.flow import Flow

# The modules of an operation are imported when it is first called, and the core when the first session is constructed:
# many programs import a client but do not use it.

AuthMethod: TypeAlias = "str | ClientAuthMethod | None"


if TYPE_CHECKING:

    class _Operations(OpenIDOperations, TokenQueries, DeviceOperations):
        """The operations of other modules. They are not inherited at run time, because users know a session's bases."""

else:
    _Operations = object


class OAuth2Client(_Operations):
    """A session at one authorization server: its token, its options, and the requests that renew the token.

    client_id: the client's identifier.
    client_secret: the client's secret as text, or its private key (PEM, JWK or key object).
    token_endpoint_auth_method: name of a method, or a callable; None: the first method that metadata and secret allow.
    revocation_endpoint_auth_method: the same for revocation; None: as for the token endpoint.
    scope: default scope of requests, as text or as scope tokens.
    state: the `state` of an authorization request that another session made, to check its callback.
    redirect_uri: redirection URI of authorization requests.
    token: a saved token, as a mapping in the form that `fetch_token` returns.
    token_placement: "header", "body" or "uri" (RFC 6750 §2).
    update_token: ``update_token(token, refresh_token=None, access_token=None)`` is called with each new token and the
        refresh or access token that it replaces, before the token is used. `fetch_token` calls it too.
    leeway: seconds before expiry at which the token is renewed; None: min(60, lifetime / 2).
    code_challenge_method: "S256" for PKCE in `create_authorization_url` (RFC 7636).
    grant_type: default grant of `fetch_token`.
    token_params: further parameters of each token request, such as `audience`.
    token_request_headers: further headers of each token request.
    token_types: meaning of `token_type` values that only this server uses, for instance ``{"user": "Bearer"}``.
    tls_client_certificate_bound_access_tokens: True if tokens are bound to the client's TLS certificate (RFC 8705 §3).
    rejected_statuses: API statuses that mean a rejected token. An error response with ``Bearer error="invalid_token"``
        always does (RFC 6750 §3.1). None: 401.
    retry_rejected: False to return a rejection unchanged and keep the token.
    issuer: the authorization server, whose metadata is discovered on first use: a URL or an `Issuer`. With an issuer,
        the session verifies every ID token.
    metadata: the server's metadata (RFC 8414), in place of discovery.
    server_metadata_url: URL of the metadata, in place of `issuer`.
    tenant_issuer: a `TenantIssuer`, the policy for the issuers of a multi-tenant server.
    token_endpoint, authorization_endpoint, userinfo_endpoint, end_session_endpoint: URLs of single endpoints.
    revocation_endpoint, introspection_endpoint, device_authorization_endpoint: URLs of single endpoints.
    registration_endpoint, pushed_authorization_request_endpoint, jwks_uri: URLs of single endpoints.
    id_token_signed_response_alg, id_token_encrypted_response_alg, id_token_encrypted_response_enc: registered values of
        `alg` and `enc` for ID tokens; None: the asymmetric signatures that the server and this library both support.
    userinfo_signed_response_alg, userinfo_encrypted_response_alg, userinfo_encrypted_response_enc: the same for
        UserInfo responses.
    decryption_keys: the client's private keys for encrypted responses.
    trusted_audiences: further audiences that an ID token may have.
    id_token_leeway: accepted clock skew between the server and this machine in seconds; None: 60.
    allow_changed_auth_time: True to accept a renewed ID token whose `auth_time` differs from the original (OpenID
        Connect Core §12.2), for servers that report the user's last login in any browser.
    prompt, login_hint, nonce, response_mode, display, max_age, ui_locales, acr_values: parameters of each authorization
        request.
    exchange: bounds of each exchange with the server, an `ExchangePolicy`.
    clock: returns seconds since the epoch; None: time.time.
    sleep: waits for a number of seconds; a coroutine function on an asynchronous client. None: time.sleep, or
        anyio.sleep.
    on_event: called with each `doorkey.observe.TokenEvent`.
    timer: returns seconds, for the durations in events; None: time.monotonic.

    Raises `UsageError` for an unknown option and for an invalid value. Most options are attributes too. An assignment
    is validated in the same way.
    """

    __module__ = "doorkey.oauth2.client"  # the public import path, which `help()` prints

    _oauth: SessionCore
    _shared: SharedToken | None = None
    _flight: Any  # a SingleFlight on a blocking client, an AsyncSingleFlight on an asynchronous client
    _blocking: ClassVar[bool]
    _find_endpoint: Any  # a method of `BlockingSession` or `AwaitingSession`

    if TYPE_CHECKING:

        def _sign(self) -> None:
            """Replace the object that signs this session's requests."""

    # -- token and options -------------------------------------------------------------------------------------------

    @property
    def token(self) -> OAuth2Token | None:
        """The current token, or None. Assign a mapping to use another token; `update_token` is not called for it."""
        return self._oauth.token_view

    @token.setter
    @clears_locals
    def token(self, token: Mapping[str, Any] | None) -> None:
        self._oauth.slot.refuse_change("token")
        self._oauth.set_token(self._oauth.given(token))

    client_id: Option[str, str | None] = Option("The client's identifier at the authorization server.")
    client_secret: Option[Any, Any] = Option("The client's secret or private key, in the form that was passed in.")
    token_endpoint_auth_method: Option[AuthMethod, AuthMethod] = Option(
        "Client authentication at the token endpoint: a name or a callable; None: the default."
    )
    revocation_endpoint_auth_method: Option[AuthMethod, AuthMethod] = Option(
        "Client authentication at the revocation endpoint; None: as at the token endpoint."
    )
    scope: Option[str | None, str | Iterable[str] | None] = Option("Default scope of requests.")
    state: Option[str | None, str | None] = Option("State of a request by another session, for its callback.")
    redirect_uri: Option[str | None, str | None] = Option("Default redirection URI of authorization requests.")
    token_placement: Option[str, str | None] = Option(
        "Place of the token in a request: header, body or uri (RFC 6750 §2)."
    )
    update_token: Option[UpdateToken | None, UpdateToken | None] = Option("Callback for each new token of the session.")
    leeway: Option[float | None, float | None] = Option(
        "Seconds before expiry at which the token is renewed; None: min(60, lifetime / 2)."
    )
    code_challenge_method: Option[str | None, str | None] = Option(
        "S256: each authorization request uses PKCE (RFC 7636)."
    )
    grant_type: Option[str | None, str | None] = Option("Default grant_type of fetch_token.")
    metadata: Option[ServerMetadata, ServerMetadata | Mapping[str, Any] | None] = Option(
        "Metadata of the authorization server (RFC 8414). An assignment replaces all of it."
    )
    authorization_endpoint: Option[str | None, str | None] = Option("Authorization endpoint URL (RFC 6749 §3.1).")
    token_endpoint: Option[str | None, str | None] = Option("Token endpoint URL (RFC 6749 §3.2).")
    revocation_endpoint: Option[str | None, str | None] = Option("Revocation endpoint URL (RFC 7009).")
    introspection_endpoint: Option[str | None, str | None] = Option("Introspection endpoint URL (RFC 7662).")

    @clears_locals
    def _change(self, name: str, value: object) -> None:
        self._oauth.change(name, value, blocking=self._blocking)
        if name == "token_placement":
            self._sign()

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        """Raise `UsageError`: a session holds secrets, and a copy of it would renew the same token."""
        raise UsageError(
            "a session is neither pickled nor copied, because it holds secrets: share it, or construct another one"
        )

    # -- methods without requests -------------------------------------------------------------------------------------

    @clears_locals
    def create_authorization_url(
        self, url: str | None = None, state: str | None = None, code_verifier: str | None = None, **extra: Any
    ) -> tuple[str, str]:
        """Return (url, state) of a new authorization request (RFC 6749 §4.1.1).

        The session remembers the request: its own `fetch_token` checks the state and sends the code verifier and the
        redirection URI. Another session needs `state=` and `code_verifier=`, so keep the state for it.

        url: the authorization endpoint; None: the session's.
        state: the `state` parameter; None: a random value.
        code_verifier: the PKCE code verifier (RFC 7636); None: random if ``code_challenge_method="S256"`` is set, else
            the request has no PKCE.
        extra: further parameters.

        Raises `UsageError`.
        """
        from doorkey.sessions.authorizations import begun

        core = self._oauth
        self._find_endpoint("authorization", url)
        full_url, state, pending, _ = begun(
            core.options, url, extra, state=state, code_verifier=code_verifier, with_pkce=False
        )
        core.authorizations.remember(state, pending)
        return full_url, state

    @clears_locals
    def begin_authorization(self, url: str | None = None, **extra: Any) -> AuthorizationTransaction:
        """Begin a login with state, nonce and PKCE. Any session in any process can finish it (RFC 9700 §2.1).

        url: the authorization endpoint; None: the session's.
        extra: further parameters.

        Raises `UsageError`.
        """
        from doorkey.sessions.authorizations import transaction_of

        self._find_endpoint("authorization", url)
        return transaction_of(self._oauth.options, url, extra, self._oauth.options.clock())

    @clears_locals
    def parse_authorization_response(
        self,
        authorization_response: str | Mapping[str, Any],
        state: str | None = None,
        *,
        transaction: AuthorizationTransaction | None = None,
    ) -> AuthorizationResponse:
        """Check an authorization response of any response type, and return its parameters (RFC 6749 §4.1.2, §4.2.2).

        Only the response type ``id_token`` needs this method: pass the result to `verify_id_token`. Pass all other
        responses to ``fetch_token(authorization_response=…)``. The state of the request cannot be used again.

        authorization_response: the URL of the callback, or the posted form of ``response_mode=form_post`` as a mapping.
        state: the state that the request sent, if another session made the request.
        transaction: the login that `begin_authorization` returned, in place of `state`.

        Raises `MismatchingStateError` and `VerificationError` for the response to another request, `ServerError` for an
        error response, and `UsageError`.
        """
        from doorkey.sessions.callbacks import parsed

        core = self._oauth
        if core.needs_discovery("token"):  # the metadata may promise `iss` in the response (RFC 9207 §3)
            self._find_endpoint("authorization", None)
        return parsed(authorization_response, core.options, core.authorizations, state=state, transaction=transaction)

    def retry_now(self) -> None:
        """End the pause after a failed discovery or a failed fetch of keys. The next call makes a request.

        During the pause, errors have `retry_at`. If the session has an `Issuer`, the pause ends for all its users. In a
        session of a vault, the pause of its vault key ends too.
        """
        self._oauth.retry_now()

    def register_client_auth_method(self, auth: tuple[str, ClientAuthMethod] | ClientAuthMethod) -> None:
        """Register a client authentication method.

        auth: a (name, callable) pair, or a callable with an attribute `name`.

        Raises `UsageError`.
        """
        given = cast("tuple[Any, Any]", auth if isinstance(auth, tuple) else (getattr(auth, "name", None), auth))
        name, method = given
        if not isinstance(name, str) or not callable(method):
            raise UsageError("give a (name, callable) pair, or a callable with a name, for instance PrivateKeyJWT()")
        self._oauth.auth_methods[name] = given[1]

    def register_compliance_hook(self, hook_type: str, hook: Hook) -> None:
        """Register a hook that corrects the messages of a server that violates the protocol.

        hook_type: ``access_token_response`` and ``refresh_token_response`` take and return the HTTP library's response.
            ``refresh_token_request``, ``revoke_token_request``, ``introspect_token_request`` and ``protected_request``
            take and return (url, headers, body).
        hook: the callable. Hooks of one type are called in registration order.

        Raises `UsageError` for another type.
        """
        self._oauth.hooks.add(hook_type, hook)

    # -- methods with requests, as flows ------------------------------------------------------------------------------

    def _discover(self) -> Flow[ServerMetadata]:
        """Return the server's metadata, discovered from the session's `issuer` unless it is known (RFC 8414 §3).

        Every other operation calls this when it needs an unknown endpoint. Concurrent callers share one request. Raises
        `UsageError` without an `issuer`, and the errors of `doorkey.discover`.
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
        nonce: str | None = None,
        **extra: Any,
    ) -> Flow[OAuth2Token]:
        """Get a token, store it in the session, and return it (RFC 6749 §4).

        If the session has an issuer, it verifies the ID token first: issuer, client ID, nonce, code, access token,
        `max_age` and `acr_values` (OpenID Connect Core §3.1.3.7). The claims are `token.id_token_claims`. A response
        without an access token (`N_A`) is returned but not stored.

        url: the token endpoint; None: the session's.
        body: further parameters, as form-encoded text or a mapping.
        method: POST, or GET for a server that requires it.
        headers: further headers. A renewal repeats them.
        auth: client authentication of this call, in place of the session's.
        grant_type: the grant type; None: authorization_code for a callback or a code, password for a username and a
            password, else the session's `grant_type`, else client_credentials.
        state: the state that the authorization request sent, if another session made it.
        authorization_response: the URL of the callback, its posted form as a mapping, or the result of
            `parse_authorization_response`.
        code: an authorization code, in place of `authorization_response`.
        username, password: the account of the password grant.
        transaction: the login that `begin_authorization` returned, in place of `state` and `nonce`.
        nonce: the nonce that the authorization request sent, if another session made it.
        extra: further parameters, and options of the HTTP library such as `timeout`.

        Raises `UsageError` for invalid or conflicting arguments, `MismatchingStateError` and `VerificationError` for
        the callback of another request, `VerificationError` for an invalid ID token, `ServerError` for an error
        response, `InvalidResponse` for a response that is not a token, and `TransportError` without a response.
        """
        from doorkey.sessions.fetching import fetch_token

        given = {**extra, "code": code, "username": username, "password": password}
        how = (body, method, headers, auth, grant_type, state, authorization_response, transaction, nonce)
        return (yield from fetch_token(self._oauth, url, given, *how))

    def _token_from_fragment(self, authorization_response: str, state: str | None = None) -> Flow[OAuth2Token]:
        """Store the token of the implicit grant, from the fragment of a callback URL, and return it (RFC 6749 §4.2.2).

        authorization_response: the URL of the callback.
        state: the state that the authorization request sent, if another session made it.

        Raises the errors of `fetch_token`.
        """
        from doorkey.sessions.fetching import token_from_fragment

        return (yield from token_from_fragment(self._oauth, authorization_response, state))

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
        """Renew the token now, and return the new token (RFC 6749 §6).

        Concurrent callers share one request. It is sent even if the server has rejected the refresh token before. The
        request repeats the client authentication, `audience` and `resource` of the original token request.

        url: the token endpoint; None: the session's.
        refresh_token: the refresh token to present; None: the session's.
        body, auth, headers, extra: as for `fetch_token`.

        Raises `MissingTokenError` without a refresh token (an assertion session signs another assertion instead), and
        the errors of `fetch_token`.
        """
        current = Secret(refresh_token) if refresh_token else None
        return (yield from self._oauth.refresh_now(url, current, self._oauth.overrides_of(body, extra, auth, headers)))

    def _ensure_active_token(self, token: Mapping[str, Any] | None = None) -> Flow[bool]:
        """Renew the session's token if it is about to expire, and return True.

        token: a token to store in the session first, if it is not the session's own.

        Raises `MissingTokenError` without a token, `TokenExpiredError` for an expired token that cannot be renewed, and
        the error of the renewal. If the server has rejected the refresh token before, that `InvalidGrant` is raised
        again without a request.
        """
        from doorkey.renewal.effects import Active

        if token is not None and token is not self._oauth.token_view:
            self._oauth.adopt(self._oauth.given(token))
        yield from Active()
        return True

    if not TYPE_CHECKING:
        _revoke_token = TokenQueries._revoke_token
        _introspect_token = TokenQueries._introspect_token
        _begin_device_authorization = DeviceOperations._begin_device_authorization
        _finish_device_authorization = DeviceOperations._finish_device_authorization
        _verify_id_token = OpenIDOperations._verify_id_token
        _userinfo = OpenIDOperations._userinfo
        _verify_logout_token = OpenIDOperations._verify_logout_token
        create_logout_url = OpenIDOperations.create_logout_url
        validate_logout_response = OpenIDOperations.validate_logout_response
        parse_frontchannel_logout = OpenIDOperations.parse_frontchannel_logout


__all__ = ["OAuth2Client"]

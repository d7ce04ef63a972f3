"""The flows of a session: obtain a token, renew it, revoke it, introspect it.

Every session class uses this logic. It yields requests, but never sends them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar

from doorkey.errors import InvalidResponse, MissingTokenError, ServerError, UsageError
from doorkey.protocol.cached_key import CachedKey
from doorkey.protocol.grants import JWT_BEARER, ClientCredentialsGrant, ExtensionGrant, RefreshTokenGrant
from doorkey.protocol.refresh_scope import with_unchanged_scope
from doorkey.renewal.effects import Active, Renewed, saving
from doorkey.renewal.next_token import ends_the_grant, next_token
from doorkey.renewal.slot import Slot
from doorkey.runtime.deadlock import refuse_reentry
from doorkey.sessions.call_arguments import call_options, extra_pairs
from doorkey.sessions.grant_inference import is_extension
from doorkey.sessions.hooks import ComplianceHooks, HooksOnWire
from doorkey.sessions.issuer import KnownServer, missing_endpoint
from doorkey.sessions.near_misses import refuse_near_misses
from doorkey.sessions.openid import with_verified_claims, with_verified_renewal
from doorkey.sessions.options import SessionOptions, changed, token_given
from doorkey.sessions.pending import Authorizations
from doorkey.sources.token_call import CallOverrides, TokenCall
from doorkey.sources.token_client import TokenClient
from doorkey.tokens import OAuth2Token, OAuthToken
from doorkey.values import RedactedDict, Secret
from doorkey.wire.flow import Flow, Settle
from doorkey.wire.messages import header_pairs
from doorkey.wire.parameters import pairs_of

if TYPE_CHECKING:
    from doorkey.protocol.client_identity import ClientAuthMethod
    from doorkey.protocol.grants import Grant
    from doorkey.renewal.state import TokenState
    from doorkey.transport.library import Library
    from doorkey.wire.messages import Pairs, Request, Response

T = TypeVar("T")

_HOOKS: Final = {"revocation": "revoke_token_request", "introspection": "introspect_token_request"}
_WITHIN_UPDATE_TOKEN: Final = (
    "a token was requested during its own renewal, by update_token, which would then be called again without end: use "
    "the token that update_token receives, or another session"
)


def _always() -> bool:
    return True


class SessionCore(KnownServer):
    """The state and the flows of one session.

    library: the HTTP library of the session.
    state: the state of a token that a vault keeps and other sessions share; None: the session keeps `token` itself.
    origin: the session from which this one is derived. The hooks and client authentication methods are copied from it.
        Both sessions share the keys, and the record of pending and finished logins.
    """

    def __init__(
        self,
        options: SessionOptions,
        library: Library,
        token: OAuth2Token | None,
        state: TokenState | None = None,
        origin: SessionCore | None = None,
    ) -> None:
        super().__init__(options, origin)
        self.library = library
        self.hooks: ComplianceHooks = ComplianceHooks() if origin is None else origin.hooks.copied()
        self.auth_methods: dict[str, ClientAuthMethod] = {} if origin is None else dict(origin.auth_methods)
        self.authorizations: Authorizations = Authorizations() if origin is None else origin.authorizations
        self.logouts = Authorizations()
        self.is_shared = state is not None
        self.slot: TokenState = Slot(self, options.leeway, caps_leeway=False) if state is None else state
        self.token_view: OAuth2Token | None = None
        self.keys_of_client: CachedKey = CachedKey() if origin is None else origin.keys_of_client
        self.initial_grant: Grant | None = None  # of a session that signs its own assertions
        self.client().load()
        if not self.is_shared:
            self.slot.observer = self.observer
            self.set_token(token)

    def change(self, name: str, value: object, *, blocking: bool) -> None:
        """Change an option of the session. Operations in progress keep the old value. Raises `UsageError`."""
        with self._changing:
            options = changed(self.options, {name: value}, blocking=blocking)
            self.slot.refuse_change(name)
            self.options = options
            if name == "leeway":
                self.slot.change_leeway(options.leeway)
            elif name in ("client_id", "metadata", "token_endpoint"):
                self.configure()
                self.slot.observer = self.observer

    def retry_now(self) -> None:
        """End the pauses after a failed request for the metadata or the keys, or for the next token of a vault."""
        self.slot.attempts.retry_now()
        super().retry_now()

    # -- the token -------------------------------------------------------------------------------------------------

    def set_token(self, token: OAuth2Token | None, call: TokenCall | None = None, issued_by: str | None = None) -> None:
        """Make `token` the token of the session. `call` obtained it at the endpoint `issued_by`; None: unknown."""
        self.token_view, self.last_call, self.issued_by = token, call, issued_by
        self.slot.set_token(token.value if token is not None else None)

    def given(self, token: Mapping[str, Any] | OAuthToken | None) -> OAuth2Token | None:
        """Return the token that a user passed in. Its `expires_in` counts from now, on the session's clock."""
        return token_given(token, self.options)

    def adopt(self, token: OAuth2Token | None) -> None:
        """Make a token that is stored elsewhere the token of the session.

        A dead grant stays dead, because the caller may pass the same token again. Raises `UsageError` if a vault keeps
        the session's token.
        """
        self.slot.refuse_change("token")
        dead = self.slot.dead
        self.set_token(token)
        self.slot.dead = dead

    def save_and_adopt(
        self,
        token: OAuthToken,
        call: TokenCall | None,
        replaced: RedactedDict,
        issued_by: str | None = None,
        wanted: Callable[[], bool] = _always,
    ) -> Flow[OAuth2Token]:
        """Save `token` by `update_token`, and then make it the token of the session.

        `replaced` contains the arguments of `update_token` for the old token. `issued_by` is the endpoint that issued
        the token; None: that of `call`. If `update_token` fails, its error is raised, but the session keeps the token,
        because the old one may be invalid by now. If `wanted` returns False, after a login or a logout in the meantime,
        the token is saved but does not become the token of the session.
        """
        view = OAuth2Token(token)
        try:
            yield from saving(self.slot, token, self._save(view, replaced))
        finally:
            if wanted():
                self.set_token(view, call, issued_by or (call.endpoint if call is not None else None))
        return view

    def _save(self, token: OAuth2Token, replaced: RedactedDict) -> Flow[None]:
        if self.options.update_token is not None:
            yield from Settle(self.options.update_token(token, **replaced))

    def keep_rotated(self, token: OAuthToken | None, refresh_token: Secret) -> Flow[None]:
        """Keep and save the refresh token that replaced that of `token`. The rest of the response is not used."""
        if token is None or token.refresh_token is None or not isinstance(self.slot, Slot):
            return
        kept = OAuth2Token(token.with_refresh_token(refresh_token))
        replaced = RedactedDict(refresh_token=token.refresh_token.reveal())
        try:
            yield from saving(self.slot, kept.value, self._save(kept, replaced))
        finally:
            if self.slot.is_current(token):
                self.token_view = kept
                self.slot.rotate(token, refresh_token)

    # -- requests --------------------------------------------------------------------------------------------------

    def client(self) -> TokenClient:
        """Return the client of the server's endpoints, with the current options of the session."""

        options = self.options
        return TokenClient(
            client_id=options.client_id,
            credential=options.credential,
            methods=self._methods(options.token_endpoint_auth_method),
            params=pairs_of(options.token_params) if options.token_params else (),
            headers=options.token_request_headers,
            token_types=options.token_types,
            clock=options.clock,
            observer=self.observer,
            keys=self.keys_of_client,
            has_bound_tokens=options.tls_client_certificate_bound_access_tokens,
            hooks=HooksOnWire(self.hooks, self.library) if self.hooks.registered else None,
            registered=self.auth_methods,
            adapt=self.library.client_auth,
        )

    def _methods(self, configured: str | ClientAuthMethod | None) -> tuple[str | ClientAuthMethod, ...]:
        if configured is None and self.initial_grant is not None and not self.options.client_id:
            return ("anonymous",)
        return () if configured is None else (configured,)

    def request_token(self, call: TokenCall) -> Flow[OAuthToken]:
        """Send one token request and return its token, which is not stored in the session."""
        return self.client().request_token(call, self.options.metadata)

    def present(
        self,
        kind: str,
        build: Callable[..., Request],
        parse: Callable[[Response, float], T],
        token: str | None,
        hint: str | None,
        url: str | None,
        overrides: CallOverrides,
        configured: str | ClientAuthMethod | None,
    ) -> Flow[tuple[Request, Response, T]]:
        """Send a token to the endpoint of this `kind`, and return the request, its response, and the parsed result.

        `token` and `url` default to those of the session. `build` returns the request. `parse` parses the response; its
        second argument is the time. `configured` is the client authentication method of the options. Raises the errors
        of `parse`, `MissingTokenError` without a token, and `UsageError` without an endpoint, for an endpoint of
        another issuer, and for a session token that another server issued.
        """
        endpoint = yield from self.located(kind, url)
        if endpoint is None:
            raise missing_endpoint(self.options.metadata, kind)
        metadata, known = self.options.metadata, self.known_token_endpoint()
        issued_by = self.issued_by if token is None and not url else None
        same_server = issued_by in (None, metadata.token_endpoint) or metadata.is_alias(issued_by or "")
        if not same_server and metadata.token_endpoint is not None:
            raise UsageError(f"this token came from another server than the {kind} endpoint's: give that server's url")
        meant = (yield from self._session_token()) if token is None else Secret(token)
        client = replace(self.client(), methods=self._methods(configured))
        auth = client.method_for(overrides.auth, metadata, kind)
        place = client.placed(endpoint, auth, metadata)
        request = build(place, meant, hint, overrides.extra, headers=overrides.headers, http_hosts=metadata.http_hosts)
        request, response = yield from client.sent(
            request.with_options(overrides.options), auth, metadata, known, kind=kind, before=_HOOKS[kind]
        )
        with client.explain_rejection(request):
            return request, response, parse(response, self.options.clock())

    def _session_token(self) -> Flow[Secret]:
        own = self.slot.token
        if own is None and self.is_shared:
            own = yield from Active()  # this process may not have read the vault's store yet
        if own is None:
            raise MissingTokenError("there is no token: give token=, or call fetch_token() first")
        return own.refresh_token or own.access_token

    def overrides_of(
        self, body: object, extra: dict[str, Any], auth: object, headers: Any, method: str | None = None
    ) -> CallOverrides:
        """Return the overrides of a call. The options of the HTTP library are removed from `extra`.

        Raises `UsageError` for a misspelled parameter.
        """

        options = call_options(self.library, extra)
        if extra:
            refuse_near_misses(extra)
        pairs = () if headers is None else header_pairs(headers, "headers=")
        return CallOverrides(extra_pairs(body, extra), pairs, auth, options, method)

    # -- renewal ---------------------------------------------------------------------------------------------------

    def renewable(self, token: OAuthToken | None) -> bool:
        """Return whether the next token can be requested without a user. Most sessions need one for the first token."""
        if self.issued_by is None and self.known_token_endpoint() is None and not self.may_discover():
            return False
        return (token is not None and token.refresh_token is not None) or self.repeatable(first=token is None)

    def repeatable(self, *, first: bool = False) -> bool:
        """Return whether a token can be requested without a user and without a refresh token."""
        last = self.last_call
        return (not first and last is not None and last.repeatable) or self.own_grant() is not None

    def own_grant(self) -> Grant | None:
        """Return the grant for the session's first token if it needs no user, otherwise None."""
        kind = self.options.grant_type
        if self.initial_grant is not None or kind is None:
            return self.initial_grant
        if kind == ClientCredentialsGrant.grant_type:
            return ClientCredentialsGrant()
        given = self.options.token_params
        is_complete = "assertion" in given if kind == JWT_BEARER else is_extension(kind) and bool(given)
        return ExtensionGrant(kind) if is_complete else None

    def default_grant_type(self) -> str | None:
        """Return the default grant type of a call: that of the options, else that of the initial grant, or None."""
        return self.options.grant_type or (self.initial_grant.grant_type if self.initial_grant is not None else None)

    def repeatable_call(self) -> Flow[TokenCall | None]:
        """Return a call that needs no user: the last call again, else a call with the session's own grant, or None."""
        last, grant = self.last_call, self.own_grant()
        if last is not None and last.repeatable:
            return last
        if grant is None:
            return None
        return TokenCall((yield from self.token_endpoint()), grant, self.scope_pairs(), repeats=True)

    def scope_pairs(self) -> Pairs:
        """Return the session's scope as a parameter."""
        return (("scope", str(self.options.scope)),) if self.options.scope else ()

    def renew(self, token: OAuthToken | None) -> Flow[OAuthToken]:
        """Return the next token, obtained by the refresh token, otherwise by a grant that needs no user.

        Raises `InvalidGrant` without a request if the server has rejected the refresh token before and there is no
        such grant.
        """
        dead, repeatable = self.slot.dead_grant_of(token), self.repeatable(first=token is None)
        return next_token(token, dead, self.refresh, partial(self._repeat, token), repeatable=repeatable)

    def _repeat(
        self, token: OAuthToken | None, overrides: CallOverrides | None = None, url: str | None = None
    ) -> Flow[OAuthToken]:
        """Replace `token` by a token that is requested without a user."""
        call = yield from self.repeatable_call()
        if call is None:
            raise UsageError("this token cannot be renewed: it has no refresh token and its grant needs a user")
        if overrides is not None:
            call = call.overridden(overrides, (yield from self.token_endpoint(url)))
        renewed = yield from with_verified_claims(self, (yield from self.request_token(call)))
        replaced = RedactedDict(access_token=token.access_token.reveal()) if token else RedactedDict()
        yield from self.save_and_adopt(renewed, call, replaced, wanted=partial(self.slot.is_current, token))
        return renewed

    def refuse_within_update_token(self) -> None:
        """Raise `UsageError` if this code is called by `update_token` of this session."""
        refuse_reentry(self.slot, _WITHIN_UPDATE_TOKEN)

    def refresh_now(self, url: str | None, refresh_token: Secret | None, overrides: CallOverrides) -> Flow[OAuth2Token]:
        """Renew the token now, by `refresh_token` or that of the session, and return the new token.

        `url` is the token endpoint, or None for the session's. `overrides` are the options of the caller. A session
        that signs its own assertions needs no refresh token. For a session of a vault, the vault renews the token, for
        all its users. Raises `MissingTokenError` without a refresh token and an assertion, and `UsageError` for a `url`
        or overrides in a session of a vault.
        """
        self.refuse_within_update_token()
        if self.is_shared and refresh_token is None:
            if url is not None or overrides != CallOverrides():
                raise UsageError("a vault renews its tokens with its own settings: call this without arguments")
            return OAuth2Token((yield from Renewed(self.renew)))  # the vault's flight does not call `self.renew`
        own = self.slot.token
        missing = MissingTokenError(
            "there is no refresh token: log in first; many servers issue one only for the scope offline_access"
        )
        if own is None and refresh_token is None and self.initial_grant is None:
            raise missing  # now, because a missing endpoint would raise a less helpful error
        foreign = refresh_token is not None and (own is None or refresh_token != own.refresh_token)
        endpoint = yield from (self.token_endpoint(url) if url or foreign else self.renewal_endpoint())

        def renew(token: OAuthToken | None) -> Flow[OAuthToken]:
            current = refresh_token or (token.refresh_token if token else None)
            if current is not None:
                owner = None if foreign else token
                call = self._refreshing(owner, current, endpoint, foreign=foreign).overridden(overrides)
                return (yield from self.refresh(owner, current, call))
            if self.initial_grant is None:
                raise missing
            return (yield from self._repeat(token, overrides, url))

        return OAuth2Token((yield from renew(None)) if foreign else (yield from Renewed(renew)))

    def _refreshing(
        self, token: OAuthToken | None, refresh_token: Secret, endpoint: str, *, foreign: bool = False
    ) -> TokenCall:
        """Return the call that presents `refresh_token`, with the parameters of the last call.

        A `foreign` refresh token is not the session's: only client authentication and HTTP options are repeated.
        """

        last, call = self.last_call, TokenCall(endpoint, RefreshTokenGrant(refresh_token))
        if foreign:
            return call if last is None else replace(call, auth=last.auth, options=last.options)
        granted = token.scope if token is not None else None
        return (last or call).refreshing(endpoint, refresh_token, granted, self.options.scope)

    def refresh(
        self, token: OAuthToken | None, refresh_token: Secret, call: TokenCall | None = None
    ) -> Flow[OAuthToken]:
        """Present `refresh_token` by `call`, and return the new token. The default call repeats the last one.

        `token` is None if the refresh token is not this session's. If the server rejects the refresh token of `token`,
        its grant is marked dead, unless `call` names another endpoint or client authentication than the session's.
        """
        if call is None:
            call = self._refreshing(token, refresh_token, (yield from self.renewal_endpoint()))
        last, default_endpoint = self.last_call, self.issued_by or self.known_token_endpoint()
        try:
            renewed = yield from self.request_token(call)
        except (ServerError, InvalidResponse) as refused:
            is_default = (default_endpoint, last.auth if last is not None else None) == (call.endpoint, call.auth)
            final = ends_the_grant(refused, repeatable=self.repeatable())
            if token is not None and token.refresh_token == refresh_token and is_default and final:
                self.slot.mark_dead(token, refused)
            raise
        renewed = with_unchanged_scope(renewed, token)
        wanted = _always if token is None else partial(self.slot.is_current, token)
        renewed = yield from with_verified_renewal(self, renewed, token)
        how = call if token is None else last or call  # a foreign token must not be replaced by our own grant later
        replaced = RedactedDict(refresh_token=refresh_token.reveal())
        yield from self.save_and_adopt(renewed, how, replaced, call.endpoint, wanted)
        return renewed

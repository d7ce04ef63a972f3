"""The flows of a session: obtain a token, renew it, revoke it, introspect it.

This is the one body of logic behind every client of the family. It yields requests and never performs one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar

from doorkey.errors import InvalidGrant, InvalidResponse, MissingTokenError, ServerError, UsageError
from doorkey.protocol.grants import ClientCredentialsGrant, ExtensionGrant, RefreshTokenGrant
from doorkey.protocol.kept_key import KeptKey
from doorkey.renewal.effects import Active, Renewed, saving
from doorkey.renewal.slot import Slot
from doorkey.runtime.reentrancy import refuse_reentry
from doorkey.sessions.grant_inference import is_extension
from doorkey.sessions.hooks import ComplianceHooks, HooksOnWire
from doorkey.sessions.issuer import KnownServer
from doorkey.sessions.near_misses import refuse_near_misses
from doorkey.sessions.openid import identified, renewed_by
from doorkey.sessions.options import SessionOptions, changed, token_given
from doorkey.sessions.pending import Authorizations
from doorkey.sessions.token_call import call_options, extra_pairs
from doorkey.sources.next_token import next_token, rejects_the_grant
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
_WITHIN_SAVING: Final = (
    "a token was requested during its own renewal, by update_token, which would be called again without end: use the "
    "token that update_token receives, or a session of its own"
)


def _always() -> bool:
    return True


class SessionCore(KnownServer):
    """The state and the flows of one session; `library` is the HTTP library it runs on.

    `state` is that of a token which a vault keeps, and others share; None: the session keeps `token` itself. `origin`
    is the session of the same client from which this one was derived: it has the same hooks, client authentication
    methods and keys, and both know which logins are finished.
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
        self.keys_of_client: KeptKey = KeptKey() if origin is None else origin.keys_of_client
        self.initial_grant: Grant | None = None  # of a session that signs its own assertions
        self.client().load()
        if not self.is_shared:
            self.slot.observer = self.observer
            self.put(token)

    def change(self, name: str, value: object, *, blocking: bool) -> None:
        """Change an option of the session; operations that have begun keep the old one. Raises `UsageError`."""
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

    def put(self, token: OAuth2Token | None, call: TokenCall | None = None, issued_by: str | None = None) -> None:
        """Make `token` the session's; `call` obtained it at the endpoint `issued_by`, None where that is not known."""
        self.token_view, self.last_call, self.issued_by = token, call, issued_by
        self.slot.put(token.value if token is not None else None)

    def given(self, token: Mapping[str, Any] | OAuthToken | None) -> OAuth2Token | None:
        """Return the token that a user gives, whose `expires_in` counts from now on the session's clock."""
        return token_given(token, self.options)

    def adopt(self, token: OAuth2Token | None) -> None:
        """Make a token the session's that is kept elsewhere, and may be adopted again: a dead grant stays dead.

        Raises `UsageError` if the session's token is kept by a vault.
        """
        self.slot.refuse_change("token")
        dead = self.slot.dead
        self.put(token)
        self.slot.dead = dead

    def save_and_adopt(
        self,
        token: OAuthToken,
        call: TokenCall | None,
        replaced: RedactedDict,
        issued_by: str | None = None,
        wanted: Callable[[], bool] = _always,
    ) -> Flow[OAuth2Token]:
        """Save `token` by `update_token` and then make it the session's.

        `issued_by` is the endpoint that issued it, if not that of the `call`. When saving fails the token is kept all
        the same, because the one it replaces may be dead; the error is raised. The token is saved, but not made the
        session's, if it is no longer `wanted`: after a login or a logout meanwhile.
        """
        view = OAuth2Token(token)
        try:
            yield from saving(self.slot, token, self._save(view, replaced))
        finally:
            if wanted():
                self.put(view, call, issued_by or (call.endpoint if call is not None else None))
        return view

    def _save(self, token: OAuth2Token, replaced: RedactedDict) -> Flow[None]:
        if self.options.update_token is not None:
            yield from Settle(self.options.update_token(token, **replaced))

    def keep_rotated(self, token: OAuthToken | None, refresh_token: Secret) -> Flow[None]:
        """Keep the refresh token that replaced that of `token`, and save it: nothing else of its response is used."""
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
        """Return the client as the endpoints of the server see it: with the options of this moment."""

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

    def ask(self, call: TokenCall) -> Flow[OAuthToken]:
        """Make one token request and return its token, which is not the session's yet."""
        return self.client().ask(call, self.options.metadata)

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

        `token` defaults to the session's own, `url` to the session's endpoint; `build` makes the request, and `parse`
        reads the response at a moment of the clock. Raises as `parse` does, `MissingTokenError` without a token, and
        `UsageError` without an endpoint, for another issuer's, and for a token that another server issued.
        """
        endpoint = yield from self.located(kind, url)
        if endpoint is None:
            raise UsageError(f"give the {kind} endpoint's url, or construct the session with {kind}_endpoint=")
        metadata, known = self.options.metadata, self.known_token_endpoint()
        issued_by = self.issued_by if token is None and not url else None
        same_server = issued_by in (None, metadata.token_endpoint) or metadata.is_alias(issued_by or "")
        if not same_server and metadata.token_endpoint is not None:
            raise UsageError(f"this token came from another server than the {kind} endpoint's: give that server's url")
        meant = (yield from self._own_token()) if token is None else Secret(token)
        client = replace(self.client(), methods=self._methods(configured))
        auth = client.method_for(overrides.auth, metadata, kind)
        place = client.placed(endpoint, auth, metadata)
        request = build(place, meant, hint, overrides.extra, headers=overrides.headers, http_hosts=metadata.http_hosts)
        request, response = yield from client.sent(
            request.with_options(overrides.options), auth, metadata, known, kind=kind, before=_HOOKS[kind]
        )
        with client.explaining(request):
            return request, response, parse(response, self.options.clock())

    def _own_token(self) -> Flow[Secret]:
        own = self.slot.token
        if own is None and self.is_shared:
            own = yield from Active()  # from the store, which this process has not read yet
        if own is None:
            raise MissingTokenError("there is no token: give token=, or call fetch_token() first")
        return own.refresh_token or own.access_token

    def overrides_of(
        self, body: object, extra: dict[str, Any], auth: object, headers: Any, method: str | None = None
    ) -> CallOverrides:
        """Return the overrides of a call; the HTTP library's own options are removed from `extra`.

        Raises `UsageError` for a misspelled parameter.
        """

        options = call_options(self.library, extra)
        if extra:
            refuse_near_misses(extra)
        pairs = () if headers is None else header_pairs(headers, "headers=")
        return CallOverrides(extra_pairs(body, extra), pairs, auth, options, method)

    # -- renewal ---------------------------------------------------------------------------------------------------

    def renewable(self, token: OAuthToken | None) -> bool:
        """Say whether there is a way to the next token without a user; most sessions have none to the first."""
        if self.issued_by is None and self.known_token_endpoint() is None and not self.may_discover():
            return False
        return (token is not None and token.refresh_token is not None) or self.repeatable(first=token is None)

    def repeatable(self, *, first: bool = False) -> bool:
        """Say whether a token can be requested without a user and without a refresh token."""
        last = self.last_call
        return (not first and last is not None and last.repeatable) or self.own_grant() is not None

    def own_grant(self) -> Grant | None:
        """Return the grant by which the session gets its first token, if that needs no user."""

        kind = self.options.grant_type
        if self.initial_grant is not None or kind is None:
            return self.initial_grant
        if kind == ClientCredentialsGrant.grant_type:
            return ClientCredentialsGrant()
        return ExtensionGrant(kind) if is_extension(kind) and self.options.token_params else None

    def usual_grant_type(self) -> str | None:
        """Return the grant of a call that names none: that of the options, or the session's own by assertion."""
        return self.options.grant_type or (self.initial_grant.grant_type if self.initial_grant is not None else None)

    def repeatable_call(self) -> Flow[TokenCall | None]:
        """Return the call that needs no user: the last one again, or the session's own grant."""
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
        """Return the next token: by the refresh token, otherwise by a grant that needs no user.

        Raises `InvalidGrant` without a request if the grant is known to be dead and nothing replaces it.
        """
        dead, repeatable = self.slot.dead_grant_of(token), self.repeatable(first=token is None)
        return next_token(token, dead, self.refresh, partial(self._repeat, token), repeatable=repeatable)

    def _repeat(
        self, token: OAuthToken | None, overrides: CallOverrides | None = None, url: str | None = None
    ) -> Flow[OAuthToken]:
        """Replace `token` by one that is requested without a user."""
        call = yield from self.repeatable_call()
        if call is None:
            raise UsageError("this token cannot be renewed: it has no refresh token and its grant needs a user")
        if overrides is not None:
            call = call.overridden(overrides, (yield from self.token_endpoint(url)))
        renewed = yield from identified(self, (yield from self.ask(call)))
        replaced = RedactedDict(access_token=token.access_token.reveal()) if token else RedactedDict()
        yield from self.save_and_adopt(renewed, call, replaced, wanted=partial(self.slot.is_current, token))
        return renewed

    def refuse_within_saving(self) -> None:
        """Raise `UsageError` if `update_token` of this session is what runs here."""
        refuse_reentry(self.slot, _WITHIN_SAVING)

    def refresh_now(self, url: str | None, refresh_token: Secret | None, overrides: CallOverrides) -> Flow[OAuth2Token]:
        """Return the next token now, by `refresh_token` or the session's own, with the `overrides` of the caller.

        `url` is the token endpoint if the caller named one. A session that signs its own assertions needs no refresh
        token. A vault renews the token of its sessions, for all that share it. Raises `MissingTokenError` without any
        way, and `UsageError` for overrides of a vault's renewal.
        """
        self.refuse_within_saving()
        if self.is_shared and refresh_token is None:
            if url is not None or overrides != CallOverrides():
                raise UsageError("the vault knows how its tokens are renewed: omit the other arguments")
            return OAuth2Token((yield from Renewed(self.renew)))  # the vault's flight renews in its own way
        own = self.slot.token
        missing = MissingTokenError(
            "there is no refresh token: log in first; many servers issue one only for the scope offline_access"
        )
        if own is None and refresh_token is None and self.initial_grant is None:
            raise missing  # before an endpoint is missing
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
        """Return the call that presents `refresh_token`, made as the last one was.

        Of a `foreign` refresh token only the client is known.
        """

        last, call = self.last_call, TokenCall(endpoint, RefreshTokenGrant(refresh_token))
        if foreign:
            return call if last is None else replace(call, auth=last.auth, options=last.options)
        granted = token.scope if token is not None else None
        return (last or call).refreshing(endpoint, refresh_token, granted, self.options.scope)

    def refresh(
        self, token: OAuthToken | None, refresh_token: Secret, call: TokenCall | None = None
    ) -> Flow[OAuthToken]:
        """Present `refresh_token` by `call`, which defaults to the way in which its token was requested.

        `token` is None if the refresh token is not this session's. The grant of `token` is dead once the server has
        refused it, unless another server or client presented it.
        """
        if call is None:
            call = self._refreshing(token, refresh_token, (yield from self.renewal_endpoint()))
        last, usual_endpoint = self.last_call, self.issued_by or self.known_token_endpoint()
        try:
            renewed = yield from self.ask(call)
        except (ServerError, InvalidResponse) as refused:
            usual = (usual_endpoint, last.auth if last is not None else None) == (call.endpoint, call.auth)
            final = isinstance(refused, InvalidGrant) or (self.repeatable() and rejects_the_grant(refused))
            if token is not None and token.refresh_token == refresh_token and usual and final:
                self.slot.mark_dead(token, refused)
            raise
        if renewed.scope is None and token is not None:
            renewed = replace(renewed, scope=token.scope)  # unchanged if the answer names none (RFC 6749 §6)
        wanted = _always if token is None else partial(self.slot.is_current, token)
        renewed = yield from renewed_by(self, renewed, token)
        how = call if token is None else last or call  # a foreign token is not requested again by our own grant
        replaced = RedactedDict(refresh_token=refresh_token.reveal())
        yield from self.save_and_adopt(renewed, how, replaced, call.endpoint, wanted)
        return renewed

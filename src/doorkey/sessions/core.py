"""What a session does, as flows: get a token, renew it, revoke it, ask about it, sign with it.

This is the one body of logic behind every client of the family. It yields requests and never performs one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from doorkey.errors import InvalidGrant, MissingTokenError, UsageError
from doorkey.observe.observer import Observer
from doorkey.renewal.effects import Renewed, saving
from doorkey.renewal.slot import Slot
from doorkey.runtime.preload import signing
from doorkey.sessions.hooks import ComplianceHooks
from doorkey.sessions.issuer import endpoint_of
from doorkey.sessions.options import SessionOptions, changed
from doorkey.sessions.pending import Authorizations
from doorkey.sessions.token_call import CallOverrides, TokenCall, call_options, extra_pairs
from doorkey.tokens import OAuth2Token, OAuthToken
from doorkey.values import Secret
from doorkey.wire.flow import Flow, Settle
from doorkey.wire.urls import check_endpoint, origin_of

if TYPE_CHECKING:
    from doorkey.protocol.client_identity import ClientAuthMethod, ClientIdentity
    from doorkey.protocol.grants import Grant
    from doorkey.transport.library import Library
    from doorkey.wire.messages import Pairs, Request, Response

# What only a token request needs is imported where one is made: a program that brings its token never waits for it.

_HOOKS: Final = {"revocation": "revoke_token_request", "introspection": "introspect_token_request"}


def _always() -> bool:
    return True


class SessionCore:
    """The state and the flows of one session; `library` is the HTTP library it runs on."""

    def __init__(self, options: SessionOptions, library: Library, token: OAuth2Token | None) -> None:
        self.options = options
        self.library = library
        self.hooks = ComplianceHooks()
        self.auth_methods: dict[str, ClientAuthMethod] = {}
        self.authorizations = Authorizations()
        self.slot = Slot(self, options.leeway)
        self._observe()
        self.view: OAuth2Token | None = None
        self.asked: TokenCall | None = None
        self.home: str | None = None
        self.first: Grant | None = None  # of a session that gets its first token by itself
        if str(options.token_endpoint_auth_method).endswith("_jwt"):
            signing()
        self.put(token)

    def _observe(self) -> None:
        options = self.options
        self.observer = Observer(options.client_id, self._server, options.on_event, options.timer)
        self.slot.observer = self.observer

    def change(self, name: str, value: object, *, blocking: bool) -> None:
        """Change an option of the session; what is under way goes on as it began. Raises `UsageError`."""
        options = changed(self.options, {name: value}, blocking=blocking)
        self.slot.refuse_change(name)
        self.options = options
        if name == "leeway":
            self.slot.leeway = options.leeway
            self.slot.drop_fast_path()  # the moment at which the token becomes stale was another
        elif name == "client_id":
            self._observe()

    def put(self, token: OAuth2Token | None, asked: TokenCall | None = None, home: str | None = None) -> None:
        """Take `token` as the session's; `asked` is how it was got and `home` where, None where nobody knows."""
        self.view, self.asked, self.home = token, asked, home
        self.slot.put(token.value if token is not None else None)

    def bring(self, token: OAuth2Token | None) -> None:
        """Take a token that is kept elsewhere, and may be brought again: a grant that is dead stays dead.

        Raises `UsageError` where the session's token is kept by a vault.
        """
        self.slot.refuse_change("token")
        dead = self.slot.dead
        self.put(token)
        self.slot.dead = dead

    # -- getting a token -------------------------------------------------------------------------------------------

    def take(
        self,
        token: OAuthToken,
        asked: TokenCall | None,
        replaced: Mapping[str, str],
        home: str | None = None,
        wanted: Callable[[], bool] = _always,
    ) -> Flow[OAuth2Token]:
        """Save `token` by `update_token` and then make it the session's; `home` is where, if not where it was `asked`.

        When saving fails the token is kept all the same, because the one it replaces may be dead; the error is raised.
        It is saved, but not made the session's, where it is no longer `wanted`: after a login or a logout meanwhile.
        """
        view = OAuth2Token(token)
        try:
            yield from saving(self.slot, token, self._save(view, replaced))
        finally:
            if wanted():
                self.put(view, asked, home or (asked.endpoint if asked is not None else None))
        return view

    def ask(self, asking: TokenCall, response_hook: str, request_hook: str | None = None) -> Flow[OAuthToken]:
        """Make one token request and return its token, which nobody has seen yet."""
        with self.observer.asking(asking.grant.grant_type, self.options.metadata.issuer or asking.endpoint):
            return (yield from self._answer(asking, response_hook, request_hook))

    def _answer(self, asking: TokenCall, response_hook: str, request_hook: str | None) -> Flow[OAuthToken]:
        from doorkey.protocol.grants import RefreshTokenGrant
        from doorkey.protocol.token_endpoint import (
            asks_for_a_bound_token,
            asks_for_an_id_token,
            parse_token,
            token_request,
        )

        now = self.options.clock()
        request = token_request(
            asking.endpoint, asking.grant, asking.extra, method=asking.method, headers=asking.headers
        )
        method = self.client_auth(asking.auth, self.options.token_endpoint_auth_method)
        request = yield from self._ready(request.with_options(asking.options), method, request_hook, asking.endpoint)
        response = yield from self._sent(request, response_hook)
        refresh_token = asking.grant.refresh_token if isinstance(asking.grant, RefreshTokenGrant) else None
        bound = asks_for_a_bound_token(request)
        openid = asks_for_an_id_token(asking.grant, asking.extra, asking.promised)
        return parse_token(
            response, asked_at=now, refresh_token=refresh_token, bound=bound, openid=openid, grant=asking.grant
        )

    def present(
        self,
        kind: str,
        build: Callable[..., Request],
        token: str | None,
        hint: str | None,
        url: str | None,
        told: CallOverrides,
        configured: str | ClientAuthMethod | None,
    ) -> Flow[tuple[Request, Response]]:
        """Present a token at the endpoint of this `kind`, and return the request and its response.

        `token` is left out for the session's own, `url` for the session's endpoint; `build` makes the request. Raises
        `MissingTokenError` without a token.
        """
        endpoint = self.endpoint(url, kind, own=token is None)
        meant = self._own_token() if token is None else Secret(token)
        request = build(endpoint, meant, hint, told.extra, headers=told.headers).with_options(told.options)
        leaving = yield from self._ready(request, self.client_auth(told.auth, configured), _HOOKS[kind])
        return request, (yield from self._sent(leaving, None))

    def _own_token(self) -> Secret:
        own = self.slot.token
        if own is None:
            raise MissingTokenError("there is no token: give token=, or call fetch_token() first")
        return own.refresh_token or own.access_token

    def _ready(
        self, request: Request, auth: ClientAuthMethod, hook: str | None, token_endpoint: str | None = None
    ) -> Flow[Request]:
        """Return `request` as it leaves: as the hooks want it, and authenticated."""
        from doorkey.protocol.client_auth import authenticate
        from doorkey.wire.messages import body_bytes

        if hook and self.hooks.of(hook):
            body = request.content.decode("utf-8", "surrogateescape")
            url, headers, data = yield from self.hooks.on_request(hook, (request.url, dict(request.headers), body))
            content = body_bytes(data, f"the body that a {hook} hook returns")
            request = replace(
                request,
                url=check_endpoint(url, f"URL of a {hook} hook"),
                headers=tuple(headers.items()),
                form=(),
                body=content,
            )
        return authenticate(request, self._identity(request.url, token_endpoint), auth)

    def _sent(self, request: Request, hook: str | None) -> Flow[Response]:
        """Return the response to `request`, as the hooks leave it."""
        response = yield from request
        if hook and self.hooks.of(hook):
            native = self.library.native_response(response, request)
            native = yield from self.hooks.on_response(hook, native)
            response = replace(self.library.plain_response(native), asked=request)
        return response

    # -- renewing it -----------------------------------------------------------------------------------------------

    def renewable(self, token: OAuthToken | None) -> bool:
        """Say whether there is a way to the next token without a person; most sessions have none to the first."""
        if token is None:
            return self.first is not None
        if self.renewal_endpoint() is None:
            return False
        return token.refresh_token is not None or self.repeated_call() is not None

    def repeated_call(self) -> TokenCall | None:
        """Return how to ask again without a person: as before, or with the grant the session was constructed for."""
        from doorkey.protocol.grants import ClientCredentialsGrant

        asked, grant = self.asked, self.first
        if asked is not None and asked.grant.repeatable:
            return asked
        if grant is None and self.options.grant_type == "client_credentials":
            grant = ClientCredentialsGrant()
        endpoint = self.token_endpoint()
        return None if grant is None or endpoint is None else TokenCall(endpoint, grant, self.scope_pairs())

    def usual_grant_type(self) -> str | None:
        """Return the grant of a call that names none: that of the options, or the session's own by assertion."""
        return self.options.grant_type or (self.first.grant_type if self.first is not None else None)

    def own_grant(self, kind: str, given: Mapping[str, Any]) -> Grant | None:
        """Return the grant by which the session gets its first token, if that is the `kind` and nobody gave another."""
        own = self.first is not None and kind == self.first.grant_type and given.get("assertion") is None
        return self.first if own else None

    def repeatable(self) -> bool:
        """Say whether a token can be asked for again without a person."""
        return self.repeated_call() is not None

    def renew(self, token: OAuthToken | None) -> Flow[OAuthToken]:
        """Bring the next token: by refresh token, and by the first grant where that one is dead or missing.

        Raises `InvalidGrant` without asking where the grant is known to be dead and there is no other.
        """
        again, dead = self.repeated_call(), self.slot.dead_grant_of(token)
        if dead is not None and again is None:
            raise dead.error()
        if token is not None and token.refresh_token is not None and dead is None:
            try:
                return (yield from self.refresh(token, token.refresh_token))
            except InvalidGrant:
                if again is None:
                    raise
        if again is None:
            raise UsageError("this token cannot be renewed: it has no refresh token and its grant needs a person")
        return (yield from self._ask_again(token, again))

    def _ask_again(self, token: OAuthToken | None, again: TokenCall) -> Flow[OAuthToken]:
        """Replace `token` by one that is asked for without a person."""
        renewed = yield from self.ask(again, "access_token_response")
        replaced = {"access_token": token.access_token.reveal()} if token else {}
        yield from self.take(renewed, again, replaced, wanted=partial(self.slot.holds, token))
        return renewed

    def refresh_now(self, url: str | None, refresh_token: Secret | None, told: CallOverrides) -> Flow[OAuth2Token]:
        """Bring the next token now, by `refresh_token` or the session's own, asked for as the caller has told.

        `url` is the token endpoint if the caller named one. A session that gets its first token by itself needs no
        refresh token. Raises `MissingTokenError` without any way.
        """
        own = self.slot.token
        missing = MissingTokenError("there is no refresh token: the server gave none, or the token is another's")
        if own is None and refresh_token is None and self.first is None:
            raise missing  # before anybody is asked for an endpoint
        foreign = refresh_token is not None and (own is None or refresh_token != own.refresh_token)
        endpoint = self.token_endpoint(url) if url or foreign else self.renewal_endpoint()
        if endpoint is None:
            raise UsageError("give the token endpoint's url, or construct the session with token_endpoint=")

        def renew(token: OAuthToken | None) -> Flow[OAuthToken]:
            current = refresh_token or (token.refresh_token if token else None)
            if current is not None:
                asking = self._refreshing(current, endpoint, foreign=foreign)
                return (yield from self.refresh(None if foreign else token, current, asking.told(told)))
            again = self.repeated_call() if self.first is not None else None
            if again is None:
                raise missing
            return (yield from self._ask_again(token, again.told(told, self.token_endpoint(url))))

        return OAuth2Token((yield from renew(None)) if foreign else (yield from Renewed(renew)))

    def _refreshing(self, refresh_token: Secret, endpoint: str, *, foreign: bool = False) -> TokenCall:
        """Return how to use `refresh_token`: as its token was got; of a `foreign` one only the client is known."""
        from doorkey.protocol.grants import RefreshTokenGrant

        asked = self.asked
        if asked is not None and not foreign:
            return asked.refreshing(endpoint, refresh_token)
        usual = TokenCall(endpoint, RefreshTokenGrant(refresh_token))
        return usual if asked is None else usual.told(CallOverrides(auth=asked.auth, options=asked.options))

    def refresh(
        self, token: OAuthToken | None, refresh_token: Secret, asking: TokenCall | None = None
    ) -> Flow[OAuthToken]:
        """Use `refresh_token`; `asking` says how where the caller did, else the way the token was got.

        `token` is None where the refresh token is not this session's. What `token` was got with is dead once the
        server has refused it, unless another server or client asked.
        """
        asked, usual_endpoint = self.asked, self.renewal_endpoint()
        if asking is None:
            assert usual_endpoint is not None, "renewable() asks first"
            asking = self._refreshing(refresh_token, usual_endpoint)
        try:
            renewed = yield from self.ask(asking, "refresh_token_response", "refresh_token_request")
        except InvalidGrant as refused:
            usual = (self.renewal_endpoint(), asked.auth if asked is not None else None)
            if token is not None and token.refresh_token == refresh_token and usual == (asking.endpoint, asking.auth):
                self.slot.mark_dead(token, refused)
            raise
        if renewed.scope is None and token is not None:
            renewed = replace(renewed, scope=token.scope)  # unchanged where the answer is silent (RFC 6749 §6)
        wanted = _always if token is None else partial(self.slot.holds, token)
        how = asking if token is None else asked or asking  # another's is not got again by our own grant
        yield from self.take(renewed, how, {"refresh_token": refresh_token.reveal()}, asking.endpoint, wanted)
        return renewed

    # -- what requests are made of -----------------------------------------------------------------------------------

    def token_endpoint(self, given: str | None = None) -> str | None:
        """Return where tokens are asked for: as `given`, as the session was told, else where it asked last.

        Raises `UsageError` for another issuer's.
        """
        told = endpoint_of(self.options.metadata, given, "token")
        return told or (self.asked.endpoint if self.asked else None)

    def renewal_endpoint(self) -> str | None:
        """Return where the session's own refresh token may be presented: where it came from, and nowhere else."""
        return self.home or self.token_endpoint()

    def endpoint(self, given: str | None, kind: str, *, own: bool) -> str:
        """Return the endpoint of this `kind` for a token, the session's `own` or one that a caller named.

        Raises `UsageError` without any, for another issuer's, and for a token that came from another server.
        """
        endpoint = endpoint_of(self.options.metadata, given, kind)
        if endpoint is None:
            raise UsageError(f"give the {kind} endpoint's url, or construct the session with {kind}_endpoint=")
        known = self.options.metadata.token_endpoint
        if own and not given and self.home is not None and known is not None and self.home != known:
            raise UsageError(f"this token came from another server than the {kind} endpoint's: give that server's url")
        return endpoint

    def _server(self) -> str | None:
        return self.options.metadata.issuer or self.token_endpoint()

    def scope_pairs(self) -> Pairs:
        """Return the session's scope as a parameter."""
        return (("scope", str(self.options.scope)),) if self.options.scope else ()

    def client_auth(self, given: object, configured: str | ClientAuthMethod | None) -> ClientAuthMethod:
        """Return the client authentication method: the one `given` for this call, else the `configured` one, else
        client_secret_basic where there is a secret and none where there is not."""
        chosen = given if given is not None else configured
        if chosen is None and self.first is not None and not self.options.client_id:
            chosen = "anonymous"
        if chosen is None:
            chosen = "none" if self.options.credential in (None, Secret("")) else "client_secret_basic"
        if isinstance(chosen, str):
            from doorkey.protocol.client_auth import auth_method_named

            return auth_method_named(chosen, self.auth_methods)
        return self.library.client_auth(chosen)

    def _identity(self, url: str, token_endpoint: str | None) -> ClientIdentity:
        """Return who the client is, for one request to `url`, and for whom an assertion in it is meant."""
        from doorkey.protocol.client_identity import ClientIdentity

        options = self.options
        token_endpoint = token_endpoint or self.token_endpoint()
        near = token_endpoint is not None and origin_of(token_endpoint) == origin_of(url)
        audience = options.metadata.issuer or (token_endpoint if near else None) or url
        return ClientIdentity(options.client_id, options.credential, audience, options.clock())

    def told(
        self, body: object, extra: dict[str, Any], auth: object, headers: Any, method: str | None = None
    ) -> CallOverrides:
        """Return what the arguments of a call say; the HTTP library's own options are taken out of `extra`."""
        from doorkey.wire.messages import header_pairs

        options = call_options(self.library, extra)
        pairs = header_pairs(headers if headers is not None else (), "headers=")
        return CallOverrides(extra_pairs(body, extra), pairs, auth, options, method)

    def _save(self, token: OAuth2Token, replaced: Mapping[str, str]) -> Flow[None]:
        if self.options.update_token is not None:
            yield from Settle(self.options.update_token(token, **replaced))

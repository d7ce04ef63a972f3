"""The client of the token endpoint: it authenticates, sends a token request, and parses the response.

Sessions, token sources and vaults all ask through a `TokenClient`. It selects the client authentication method, builds
the request, lets the hooks of a session change it, authenticates it, sends it, and parses the response.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from doorkey.observe.observer import Observer
from doorkey.protocol.client_auth import CertificateMethod, auth_method_named, authenticate
from doorkey.protocol.client_auth_choice import chosen_method, default_methods, supported
from doorkey.protocol.client_auth_hints import explaining
from doorkey.protocol.client_identity import ClientAuthMethod, ClientIdentity
from doorkey.protocol.grants import RefreshTokenGrant, presented
from doorkey.protocol.kept_key import KeptKey
from doorkey.protocol.metadata import ServerMetadata
from doorkey.protocol.token_endpoint import asks_for_a_bound_token, asks_for_an_id_token, parse_token, token_request
from doorkey.sources.token_call import CallOverrides, TokenCall
from doorkey.tokens import OAuthToken
from doorkey.values import Scope
from doorkey.wire.flow import Flow
from doorkey.wire.messages import Pairs, Request, Response
from doorkey.wire.urls import origin_of

if TYPE_CHECKING:
    from doorkey.protocol.device import DeviceAuthorization

__all__: list[str] = []


class RequestHooks(Protocol):
    """A user's hooks, seen from the token request: `kind` is the hook's name, for instance `refresh_token_request`."""

    def on_request(self, kind: str, request: Request) -> Flow[Request]:
        """Return the request as the hooks want it, before it is authenticated."""
        ...

    def on_response(self, kind: str, request: Request, response: Response) -> Flow[Response]:
        """Return the response to `request` as the hooks want it."""
        ...


def load_signing() -> None:
    """Import what signing an assertion needs. Call it when an object is constructed that signs."""
    # Their users import them when they sign.
    from doorkey.jose import signers  # noqa: F401  # pyright: ignore[reportUnusedImport]
    from doorkey.protocol import client_assertion  # noqa: F401  # pyright: ignore[reportUnusedImport]


def _as_given(auth: Any) -> ClientAuthMethod:
    method: ClientAuthMethod = auth
    return method


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class TokenClient:
    """One client, as the endpoints of an authorization server see it.

    client_id: the client's identifier.
    credential: its secret, or the private key that signs its assertions; None for a public client.
    methods: client authentication methods, most preferred first; empty for those that suit the credential.
    params: parameters of every token request, unless the call sets them.
    headers: headers of every token request, unless the call sets them.
    token_types: the meaning of `token_type` values that only this server uses, as `check_token_types` returns them.
    clock: returns seconds since the epoch.
    observer: is told of each token request.
    hooks: the compliance hooks of a session.
    has_bound_tokens: the client's tokens are bound to its TLS certificate (RFC 8705 §3).
    keys: keeps the credential as a key once it has been read.
    registered: client authentication methods that a session knows by name.
    adapt: makes a client authentication method of an `auth=` value of an HTTP library.
    """

    client_id: str
    credential: object
    methods: tuple[str | ClientAuthMethod, ...] = ()
    params: Pairs = ()
    headers: Pairs = ()
    token_types: Mapping[str, str] = field(default_factory=dict[str, str])
    clock: Callable[[], float]
    observer: Observer
    hooks: RequestHooks | None = None
    has_bound_tokens: bool = False
    keys: KeptKey = field(default_factory=KeptKey)
    registered: Mapping[str, ClientAuthMethod] | None = None
    adapt: Callable[[object], ClientAuthMethod] = field(default=_as_given)

    def load(self) -> None:
        """Import what signing needs if the client may have to sign assertions: an event loop does not wait for that."""
        several = self.methods or default_methods(self.credential)
        if any(isinstance(one, str) and one.endswith("_jwt") for one in several):
            load_signing()

    def ask(self, call: TokenCall, metadata: ServerMetadata) -> Flow[OAuthToken]:
        """Make the token request of `call` at the server of `metadata`, and return its token (RFC 6749 §5).

        Raises `UsageError` for a call that cannot be made, else as `parse_token`, and the error of the transport.
        """
        with self.observer.asking(call.grant.grant_type, metadata.issuer or call.endpoint):
            token = yield from self._token(call, metadata)
        if token.dropped:
            self.observer.dropped(token.dropped)
        return token

    def _token(self, call: TokenCall, metadata: ServerMetadata) -> Flow[OAuthToken]:
        grant, now = (yield from presented(call.grant)), self.clock()
        refresh_token = grant.refresh_token if isinstance(grant, RefreshTokenGrant) else None
        extra = self._completed(call)
        headers = (*self.headers, *call.headers)
        auth = self.method_for(call.auth, metadata, "token")
        endpoint = self.placed(call.endpoint, auth, metadata)
        request = token_request(
            endpoint, grant, extra, method=call.method, headers=headers, http_hosts=metadata.http_hosts
        )
        before, after = (None, "access_token_response")
        if refresh_token is not None:
            before, after = "refresh_token_request", "refresh_token_response"
        if call.options:
            request = request.with_options(call.options)
        request, response = yield from self.sent(request, auth, metadata, call.endpoint, before=before, after=after)
        with self.explaining(request):
            return parse_token(
                response,
                asked_at=now,
                refresh_token=refresh_token,
                bound=asks_for_a_bound_token(request),
                openid=asks_for_an_id_token(grant, extra, call.promised),
                grant=grant,
                token_types=self.token_types,
            )

    def authorize_device(
        self,
        endpoint: str,
        parameters: Pairs,
        metadata: ServerMetadata,
        token_endpoint: str | None,
        overrides: CallOverrides,
    ) -> Flow[DeviceAuthorization]:
        """Request a device code and a user code at the device authorization `endpoint` (RFC 8628 §3.1).

        The client authenticates as at the token endpoint. Raises as `parse_device_authorization`, and the error of the
        transport.
        """
        from doorkey.protocol.device import device_authorization_request, parse_device_authorization

        auth = self.method_for(overrides.auth, metadata, "token")
        request = device_authorization_request(
            self.placed(endpoint, auth, metadata),
            parameters,
            headers=(*self.headers, *overrides.headers),
            http_hosts=metadata.http_hosts,
        )
        asked_at = self.clock()
        request, response = yield from self.sent(
            request.with_options(overrides.options), auth, metadata, token_endpoint
        )
        with self.explaining(request):
            device = parse_device_authorization(response, asked_at=asked_at)
        requested = " ".join(value for name, value in parameters if name == "scope")
        return replace(device, scope=Scope.of(requested), issuer=metadata.issuer)

    def poll(self, call: TokenCall, device: DeviceAuthorization, metadata: ServerMetadata) -> Flow[OAuthToken]:
        """Repeat the token request of `call` until the user has finished the login of `device` (RFC 8628 §3.4).

        All its requests are one event for the observer. Raises as `polled`.
        """
        from doorkey.protocol.device import polled

        with self.observer.asking(call.grant.grant_type, metadata.issuer or call.endpoint):
            token = yield from polled(device, partial(self._token, call, metadata), self.clock)
        if token.dropped:
            self.observer.dropped(token.dropped)
        return token

    def explaining(self, request: Request) -> AbstractContextManager[None]:
        """Return the block that reads the answer to `request`: an error says why the client may have been refused."""
        return explaining(request, self.client_id, self.credential)

    def _completed(self, call: TokenCall) -> Pairs:
        """Return the parameters of `call`, and those of the client that the call does not set."""
        given = {name for name, _ in call.extra}
        return (*call.extra, *(pair for pair in self.params if pair[0] not in given))

    def sent(
        self,
        request: Request,
        auth: ClientAuthMethod,
        metadata: ServerMetadata,
        token_endpoint: str | None,
        *,
        kind: str = "token",
        before: str | None = None,
        after: str | None = None,
    ) -> Flow[tuple[Request, Response]]:
        """Authenticate `request` by `auth` and send it; return it as it was sent, and its response.

        `kind` is that of the endpoint. `before` and `after` name the hooks that may change request and response.
        """
        if self.proves_certificate(auth):
            request = replace(request, needs_certificate=True)
        if before is not None and self.hooks is not None:
            request = yield from self.hooks.on_request(before, request)
        identity = self._identity(request.url, metadata, token_endpoint, kind)
        request = yield from authenticate(request, identity, auth)
        response = yield from request
        if after is not None and self.hooks is not None:
            response = yield from self.hooks.on_response(after, request, response)
        return request, response

    def proves_certificate(self, auth: ClientAuthMethod | None = None) -> bool:
        """Return whether a request with this client authentication method has to prove the client's certificate."""
        return self.has_bound_tokens or isinstance(auth, CertificateMethod)

    def placed(self, endpoint: str, auth: ClientAuthMethod, metadata: ServerMetadata) -> str:
        """Return where a request for `endpoint` goes: to its alias if it proves the certificate (RFC 8705 §5)."""
        return metadata.for_mutual_tls(endpoint) if self.proves_certificate(auth) else endpoint

    def method_for(self, given: object, metadata: ServerMetadata, kind: str) -> ClientAuthMethod:
        """Return the client authentication method of a request to the endpoint of this `kind`.

        It is the one `given` for this call, else the first of the client's methods that the server supports.
        """
        chosen = given
        if chosen is None:
            listed = supported(metadata.extra, kind, "auth_methods")
            chosen = chosen_method(self.methods or default_methods(self.credential), listed)
        return auth_method_named(chosen, self.registered) if isinstance(chosen, str) else self.adapt(chosen)

    def _identity(self, url: str, metadata: ServerMetadata, token_endpoint: str | None, kind: str) -> ClientIdentity:
        """Return the client's identity in one request to `url`, with what an assertion in it needs (RFC 7523 §3)."""
        near = token_endpoint is not None and (token_endpoint == url or origin_of(token_endpoint) == origin_of(url))
        audience = metadata.issuer or (token_endpoint if near else None) or url
        algs = supported(metadata.extra, kind, "auth_signing_alg_values")
        return ClientIdentity(self.client_id, self.credential, audience, self.clock(), algs, self.keys)

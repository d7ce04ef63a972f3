"""The client of the token endpoint: it authenticates, sends a token request, and parses the response.

Sessions, token sources and vaults all request tokens by a `TokenClient`. It selects the client authentication method,
builds the request, calls the session's hooks, which may change it, authenticates it, sends it, and parses the response.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from doorkey.observe.observer import Observer
from doorkey.protocol.cached_key import CachedKey
from doorkey.protocol.client_auth import CertificateMethod, auth_method_named, authenticate
from doorkey.protocol.client_auth_choice import chosen_method, default_methods, supported
from doorkey.protocol.client_auth_hints import explain_rejection
from doorkey.protocol.client_identity import ClientAuthMethod, ClientIdentity
from doorkey.protocol.grants import RefreshTokenGrant, grant_to_send
from doorkey.protocol.metadata import ServerMetadata
from doorkey.protocol.token_endpoint import parse_token, requests_bound_token, requests_id_token, token_request
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
    """A user's hooks for token requests. `kind` is the name of a hook, for instance `refresh_token_request`."""

    def on_request(self, kind: str, request: Request) -> Flow[Request]:
        """Return the request with the changes of the hooks. It is authenticated afterwards."""
        ...

    def on_response(self, kind: str, request: Request, response: Response) -> Flow[Response]:
        """Return the response to `request` with the changes of the hooks."""
        ...


def load_signing() -> None:
    """Import the modules that sign assertions, when an object is constructed that will sign.

    Otherwise they would be imported at the first signature, which might block an event loop.
    """
    from doorkey.jose import signers  # noqa: F401  # pyright: ignore[reportUnusedImport]
    from doorkey.protocol import client_assertion  # noqa: F401  # pyright: ignore[reportUnusedImport]


def _as_given(auth: Any) -> ClientAuthMethod:
    method: ClientAuthMethod = auth
    return method


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class TokenClient:
    """An OAuth client at the endpoints of one authorization server.

    client_id: the client's identifier.
    credential: its secret, or the private key that signs its assertions; None: a public client.
    methods: client authentication methods, most preferred first; empty: all that the credential supports.
    params: parameters of every token request, unless the call sets them.
    headers: headers of every token request, unless the call sets them.
    token_types: the meaning of `token_type` values that only this server uses, as returned by `check_token_types`.
    clock: returns seconds since the epoch.
    observer: receives an event for each token request.
    hooks: the compliance hooks of a session.
    has_bound_tokens: the client's tokens are bound to its TLS certificate (RFC 8705 §3).
    keys: caches the key that was read from the credential.
    registered: client authentication methods that a session registered, by name.
    adapt: converts an `auth=` value of an HTTP library to a client authentication method.
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
    keys: CachedKey = field(default_factory=CachedKey)
    registered: Mapping[str, ClientAuthMethod] | None = None
    adapt: Callable[[object], ClientAuthMethod] = field(default=_as_given)

    def load(self) -> None:
        """Import the modules for signing now if the client may sign assertions, so that no event loop waits later."""
        methods = self.methods or default_methods(self.credential)
        if any(isinstance(method, str) and method.endswith("_jwt") for method in methods):
            load_signing()

    def request_token(self, call: TokenCall, metadata: ServerMetadata) -> Flow[OAuthToken]:
        """Send the token request of `call` to the server of `metadata`, and return its token (RFC 6749 §5).

        Raises `UsageError` for an invalid call, the errors of `parse_token`, and the error of the transport.
        """
        with self.observer.requesting(call.grant.grant_type, metadata.issuer or call.endpoint):
            token = yield from self._token(call, metadata)
        if token.dropped:
            self.observer.dropped(token.dropped)
        return token

    def _token(self, call: TokenCall, metadata: ServerMetadata) -> Flow[OAuthToken]:
        grant, now = (yield from grant_to_send(call.grant)), self.clock()
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
        with self.explain_rejection(request):
            return parse_token(
                response,
                requested_at=now,
                refresh_token=refresh_token,
                bound=requests_bound_token(request),
                openid=requests_id_token(grant, extra, call.promised),
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

        The client authenticates as at the token endpoint. Raises the errors of `parse_device_authorization` and of the
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
        requested_at = self.clock()
        request, response = yield from self.sent(
            request.with_options(overrides.options), auth, metadata, token_endpoint
        )
        with self.explain_rejection(request):
            device = parse_device_authorization(response, requested_at=requested_at)
        requested = " ".join(value for name, value in parameters if name == "scope")
        return replace(device, scope=Scope.of(requested), issuer=metadata.issuer)

    def poll(self, call: TokenCall, device: DeviceAuthorization, metadata: ServerMetadata) -> Flow[OAuthToken]:
        """Repeat the token request of `call` until the user has finished the login of `device` (RFC 8628 §3.4).

        The observer reports all these requests as one. Raises the errors of `poll_for_token`.
        """
        from doorkey.protocol.device import poll_for_token

        with self.observer.requesting(call.grant.grant_type, metadata.issuer or call.endpoint):
            token = yield from poll_for_token(device, partial(self._token, call, metadata), self.clock)
        if token.dropped:
            self.observer.dropped(token.dropped)
        return token

    def explain_rejection(self, request: Request) -> AbstractContextManager[None]:
        """Return a context manager for reading the response to `request`. It adds to an error why the server may have
        rejected the client."""
        return explain_rejection(request, self.client_id, self.credential)

    def _completed(self, call: TokenCall) -> Pairs:
        """Return the parameters of `call`, and the parameters of the client that the call does not set."""
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
        """Authenticate `request` by `auth` and send it. Return the request as it was sent, and the response.

        `kind` is the kind of the endpoint. `before` and `after` name the hooks that may change request and response.
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
        """Return whether a request with this client authentication method must use the client's TLS certificate."""
        return self.has_bound_tokens or isinstance(auth, CertificateMethod)

    def placed(self, endpoint: str, auth: ClientAuthMethod, metadata: ServerMetadata) -> str:
        """Return the URL for a request to `endpoint`: its mutual TLS alias if it uses a certificate (RFC 8705 §5)."""
        return metadata.for_mutual_tls(endpoint) if self.proves_certificate(auth) else endpoint

    def method_for(self, given: object, metadata: ServerMetadata, kind: str) -> ClientAuthMethod:
        """Return the client authentication method of a request to the endpoint of this `kind`.

        It is the method `given` for this call, otherwise the first of the client's methods that the server supports.
        """
        chosen = given
        if chosen is None:
            listed = supported(metadata.extra, kind, "auth_methods")
            chosen = chosen_method(self.methods or default_methods(self.credential), listed)
        return auth_method_named(chosen, self.registered) if isinstance(chosen, str) else self.adapt(chosen)

    def _identity(self, url: str, metadata: ServerMetadata, token_endpoint: str | None, kind: str) -> ClientIdentity:
        """Return the client's identity for one request to `url`, with the values for an assertion (RFC 7523 §3)."""
        near = token_endpoint is not None and (token_endpoint == url or origin_of(token_endpoint) == origin_of(url))
        audience = metadata.issuer or (token_endpoint if near else None) or url
        algs = supported(metadata.extra, kind, "auth_signing_alg_values")
        return ClientIdentity(self.client_id, self.credential, audience, self.clock(), algs, self.keys)

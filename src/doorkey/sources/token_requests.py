"""The token requests for `Credentials` at one authorization server, as flows, for sources and vaults."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from doorkey.credentials import Credentials
from doorkey.errors import OAuthError, UsageError
from doorkey.observe.observer import Observer
from doorkey.protocol.grants import Grant
from doorkey.protocol.metadata import ServerMetadata
from doorkey.protocol.refresh_scope import with_unchanged_scope
from doorkey.sources.fetched_once.discovery import AuthorizationServer
from doorkey.sources.renewed_tokens import keeping_rotated, same_login
from doorkey.sources.token_call import (
    REPLAYED,
    CallOverrides,
    HeaderItems,
    TokenCall,
    token_params,
    token_request_headers,
)
from doorkey.sources.token_client import TokenClient
from doorkey.tokens import OAuthToken
from doorkey.values import Secret
from doorkey.wire.flow import Flow, maybe_await

__all__: list[str] = []


class TokenRequests:
    """The token requests for `credentials`, sent to the token endpoint of `server`.

    `clock` returns seconds since the epoch. `observer` receives an event for each request. `params` and `headers` are
    the user's parameters and headers of every token request. Raises `UsageError`.
    """

    def __init__(
        self,
        credentials: Credentials,
        server: AuthorizationServer,
        clock: Callable[[], float],
        observer: Observer,
        *,
        params: Mapping[str, Any] | None = None,
        headers: HeaderItems | None = None,
    ) -> None:
        self._parameters = credentials.parameters()
        self._allow_changed_auth_time = credentials.allow_changed_auth_time
        self._server, self._observer, self._clock = server, observer, clock
        self._client = TokenClient(
            client_id=credentials.client_id,
            credential=credentials.client_secret,
            methods=credentials.auth_methods,
            params=token_params(params),
            headers=token_request_headers(headers or ()),
            token_types=dict(credentials.token_types),
            has_bound_tokens=credentials.tls_client_certificate_bound_access_tokens,
            clock=clock,
            observer=observer,
        )
        self._client.load()

    def metadata(self) -> Flow[ServerMetadata]:
        """Return metadata that has a token endpoint, discovered unless it is known.

        Raises `UsageError` if the server publishes no token endpoint, and the errors of the discovery.
        """
        with self._observer.preparing():
            metadata = yield from self._server.metadata(self._clock)
            if metadata.token_endpoint is None:
                raise UsageError("the metadata of this issuer names no token_endpoint: give token_endpoint=")
        return metadata

    def refresh(
        self, metadata: ServerMetadata, token: OAuthToken, keep: Callable[[Secret], Flow[None]]
    ) -> Flow[OAuthToken]:
        """Present the refresh token of `token`. The scope is unchanged if the response names none (RFC 6749 §6).

        Raises `VerificationError` if the ID token of the response is not for the same login. The renewed token is then
        neither used nor saved. `keep` is called with its refresh token, unless the ID token is another user's.
        """
        assert token.refresh_token is not None, "the caller has checked"
        endpoint = _endpoint_of(metadata)
        call = self._call(endpoint, Grant()).refreshing(endpoint, token.refresh_token, token.scope)
        renewed = yield from self._client.request_token(call, metadata)
        checked = same_login(renewed, token, allow_changed_auth_time=self._allow_changed_auth_time)
        renewed = yield from keeping_rotated(checked, renewed, token, keep)
        return with_unchanged_scope(renewed, token)

    def request_token(self, metadata: ServerMetadata, grant: Grant) -> Flow[OAuthToken]:
        """Present `grant`, and return the token of the response."""
        return self._client.request_token(self._call(_endpoint_of(metadata), grant), metadata)

    def log_in_by_device(self, metadata: ServerMetadata, show: Callable[..., object]) -> Flow[OAuthToken]:
        """Begin a login on another device, `show` it to the user, and return its token (RFC 8628).

        Raises `UsageError` if the server has no device authorization endpoint or `show` fails, and the errors of the
        device authorization request and of `poll_for_token`.
        """
        from doorkey.protocol.grants import DeviceCodeGrant

        endpoint, place = _endpoint_of(metadata), metadata.device_authorization_endpoint
        with self._observer.preparing():
            if place is None:
                raise UsageError(
                    "the metadata of this server names no device_authorization_endpoint, so it may have no device "
                    "flow: give metadata= with that endpoint, or use another grant"
                )
            begun = self._client.authorize_device(place, self._parameters, metadata, endpoint, CallOverrides())
            device = yield from begun
            try:
                yield from maybe_await(show(device))
            except OAuthError:
                raise
            except Exception as error:
                raise UsageError(f"show, which shows a login to the user, failed: {type(error).__name__}") from error
        repeated = tuple(pair for pair in self._parameters if pair[0] in REPLAYED)
        call = TokenCall(endpoint, DeviceCodeGrant(device.device_code), repeated, promised=device.scope or None)
        return (yield from self._client.poll(call, device, metadata))

    def _call(self, endpoint: str, grant: Grant) -> TokenCall:
        return TokenCall(endpoint, grant, self._parameters)


def _endpoint_of(metadata: ServerMetadata) -> str:
    assert metadata.token_endpoint is not None, "checked by `metadata`"
    return metadata.token_endpoint

"""The token requests of one client at one authorization server, as flows: what sources and vaults ask."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from doorkey.credentials import Credentials
from doorkey.errors import UsageError
from doorkey.observe.observer import Observer
from doorkey.protocol.client_auth import auth_method_named, authenticate
from doorkey.protocol.client_identity import ClientAuthMethod, ClientIdentity
from doorkey.protocol.grants import Grant, RefreshTokenGrant
from doorkey.protocol.metadata import ServerMetadata
from doorkey.protocol.token_endpoint import asks_for_a_bound_token, asks_for_an_id_token, parse_token, token_request
from doorkey.runtime.preload import signing
from doorkey.sources.authorization_server import AuthorizationServer
from doorkey.tokens import OAuthToken
from doorkey.values import Secret
from doorkey.wire.flow import Flow

__all__: list[str] = []

_DEFAULTS: Final = ("client_secret_basic", "client_secret_post")
_KEY: Final = re.compile(r'-----BEGIN |^\s*\{.*"kty"', re.DOTALL)  # PEM, JWK


class TokenRequests:
    """The requests of the client that `credentials` name, with their parameters, to the token endpoint of `server`.

    `clock` returns seconds since the epoch; `observer` is told of each request.
    """

    def __init__(
        self,
        credentials: Credentials,
        server: AuthorizationServer,
        clock: Callable[[], float],
        observer: Observer,
    ) -> None:
        self._credentials, self._server, self._clock, self._observer = credentials, server, clock, observer
        if any(isinstance(name, str) and name.endswith("_jwt") for name in self._preferred()):
            signing()

    def ready(self) -> Flow[ServerMetadata]:
        """Return the metadata, with a token endpoint: discovered unless it is known."""
        with self._observer.preparing():
            metadata = yield from self._server.known(self._clock)
            if metadata.token_endpoint is None:
                raise UsageError("the metadata of this issuer names no token_endpoint: give token_endpoint=")
        return metadata

    def refresh(self, metadata: ServerMetadata, token: OAuthToken) -> Flow[OAuthToken]:
        """Present the refresh token of `token` (RFC 6749 §6); the scope stays where the answer is silent about it."""
        assert token.refresh_token is not None, "who wants this has looked"
        renewed = yield from self.ask(metadata, RefreshTokenGrant(token.refresh_token))
        return renewed if renewed.scope is not None else replace(renewed, scope=token.scope)

    def ask(self, metadata: ServerMetadata, grant: Grant) -> Flow[OAuthToken]:
        """Present `grant`, and return the token that it brings."""
        with self._observer.asking(grant.grant_type):
            return (yield from self._answer(metadata, grant))

    def _answer(self, metadata: ServerMetadata, grant: Grant) -> Flow[OAuthToken]:
        assert metadata.token_endpoint is not None, "checked where it came from"
        now = self._clock()
        refreshing = grant.refresh_token if isinstance(grant, RefreshTokenGrant) else None
        wanted = self._credentials.parameters()
        if refreshing is not None:
            wanted = tuple(pair for pair in wanted if pair[0] != "scope")  # what was granted stays (RFC 6749 §6)
        request = token_request(metadata.token_endpoint, grant, wanted)
        audience = metadata.issuer or self._server.issuer or metadata.token_endpoint
        identity = ClientIdentity(self._credentials.client_id, self._credentials.client_secret, audience, now)
        request = authenticate(request, identity, self._method(metadata))
        response = yield from request
        bound, openid = asks_for_a_bound_token(request), asks_for_an_id_token(grant, wanted)
        return parse_token(response, asked_at=now, refresh_token=refreshing, bound=bound, openid=openid, grant=grant)

    def _method(self, metadata: ServerMetadata) -> ClientAuthMethod:
        """Return the first method of the credentials that the server lists, or simply the first."""
        preferred = self._preferred()
        listed = metadata.extra.get("token_endpoint_auth_methods_supported")
        usable = [one for one in preferred if not isinstance(one, str) or not isinstance(listed, list) or one in listed]
        chosen = (usable or list(preferred))[0]
        return auth_method_named(chosen) if isinstance(chosen, str) else chosen

    def _preferred(self) -> Sequence[str | ClientAuthMethod]:
        return self._credentials.auth_methods or _methods_for(self._credentials.client_secret)


def _methods_for(secret: object) -> tuple[str, ...]:
    """Return the methods to try where none is preferred: a private key is never sent as if it were a secret."""
    if secret is None or secret == Secret(""):
        return ("none",)
    if not isinstance(secret, Secret) or _KEY.search(secret.reveal()):
        return ("private_key_jwt",)
    return _DEFAULTS

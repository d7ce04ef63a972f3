"""Introspection at one issuer. Callers with the same token share one request (RFC 7662, RFC 9701)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, Final

from doorkey.arguments import LATEST
from doorkey.errors import InvalidResponse, OAuthError, VerificationError
from doorkey.jose.algorithms import ASYMMETRIC
from doorkey.jose.claim_rules import numeric_date
from doorkey.jose.encryption import decrypt, is_encrypted
from doorkey.jose.encryption_algorithms import DEFAULT_MANAGEMENT
from doorkey.jose.verification import verify
from doorkey.observe.observer import Observer
from doorkey.protocol.client_identity import ClientAuthMethod
from doorkey.protocol.http_caching import CacheEntry
from doorkey.protocol.introspection import (
    JWT_MEDIA_TYPE,
    JWT_TYPE,
    Introspection,
    introspection_request,
    parse_introspection,
    parse_signed,
    signed_response,
)
from doorkey.protocol.metadata import ServerMetadata
from doorkey.resource.server_pause import ServerPause
from doorkey.resource.trusted_issuer import IntrospectionClient
from doorkey.runtime.bounded_cache import BoundedCache
from doorkey.runtime.clock import monotonic_time
from doorkey.sources.fetched_once.discovery import AuthorizationServer
from doorkey.sources.fetched_once.document import Fetched
from doorkey.sources.issuer_core import IssuerCore
from doorkey.sources.token_client import TokenClient
from doorkey.values import Secret
from doorkey.wire.flow import Flow
from doorkey.wire.messages import Request

__all__: list[str] = []

Clock = Callable[[], float]

MAX_INACTIVE: Final = 5.0
"""Seconds for which an inactive response is cached. It is short because a slow server may not know a new token yet."""
_IDLE: Final = 60.0


class Introspector:
    """Introspects tokens at one authorization server.

    client: the client that sends the requests, and its options.
    core, server: the keys and the metadata of the issuer.
    names: the names of this API at the issuer. A signed response must be for one of them, or for the client.
    clock, leeway: returns seconds since the epoch; the seconds by which two clocks may differ.
    entries: the maximum number of cached responses.
    """

    def __init__(
        self,
        client: IntrospectionClient,
        core: IssuerCore,
        server: AuthorizationServer,
        names: Collection[str],
        *,
        clock: Clock,
        leeway: float,
        entries: int,
    ) -> None:
        self._options, self._core, self._server = client, core, server
        self._names, self._clock, self._leeway = (client.client_id, *names), clock, leeway
        self._client = TokenClient(
            client_id=client.client_id,
            credential=client.client_secret,
            methods=client.auth_methods,
            clock=clock,
            observer=Observer(client.client_id, server.name, None, monotonic_time),
        )
        self._pause = ServerPause()
        self._responses: BoundedCache[bytes, Fetched[Introspection]] = BoundedCache(entries, _IDLE, monotonic_time)

    def members(self, token: str, digest: bytes) -> Flow[CacheEntry[Introspection]]:
        """Return the members of the response for `token`, and the time until which they may be used.

        digest: the hash of the token.

        Concurrent callers with the same token share one request, and its failure. After a failure
        for this token, or several failures of the server, there is a pause: no request is sent, and the last failure is
        raised.

        Raises `TransportError`, `ServerError` or `InvalidResponse`, and `VerificationError` for an invalid signed
        response.
        """
        secret = Secret(token)

        def fetch(clock: Clock) -> Flow[CacheEntry[Introspection]]:
            members = yield from self._introspected(secret)
            now = clock()
            until = self._usable_until(members, now)
            return CacheEntry(members, now, until, until)

        response = self._responses.get(digest, lambda: Fetched(fetch, "introspecting this token"))
        entry, now = response.entry, self._clock()
        if (entry is None or not entry.is_fresh(now)) and not response.pauses(now):
            self._pause.check(now)
        return (yield from response.current(self._clock))

    def _usable_until(self, members: Mapping[str, Any], now: float) -> float:
        """Return the time until which a response may be used, at most until the token expires."""
        if members["active"] is not True:
            return now + min(MAX_INACTIVE, self._options.cache_for)
        try:
            expires = numeric_date(members, "exp")
        except VerificationError:  # the check of the token raises it again
            return now
        return min(now + self._options.cache_for, LATEST if expires is None else expires)

    def _introspected(self, token: Secret) -> Flow[Introspection]:
        options, client = self._options, self._client
        metadata = yield from self._server.naming("introspection_endpoint", self._clock)
        endpoint = options.endpoint or metadata.introspection_endpoint
        if endpoint is None:
            raise InvalidResponse(
                "metadata",
                "the metadata of this issuer names no introspection_endpoint: give IntrospectionClient(endpoint=…)",
            )
        headers = (("Accept", JWT_MEDIA_TYPE),) if options.signed else ()
        auth = client.method_for(None, metadata, "introspection")
        url = client.placed(endpoint, auth, metadata)
        request = introspection_request(url, token, "access_token", headers=headers, http_hosts=self._server.http_hosts)
        try:
            found = yield from self._response_to(request, auth, metadata)
        except OAuthError as error:
            self._pause.failed(error, self._clock())
            raise
        self._pause.succeeded()
        return (yield from self._verified(self._decrypted(found))) if isinstance(found, str) else found

    def _response_to(
        self, request: Request, auth: ClientAuthMethod, metadata: ServerMetadata
    ) -> Flow[Introspection | str]:
        """Send `request`, and return the members of the response, or the JWT of a signed response."""
        request, response = yield from self._client.sent(
            request, auth, metadata, metadata.token_endpoint, kind="introspection"
        )
        with self._client.explain_rejection(request):
            now = self._clock()
            return signed_response(response, now) if self._options.signed else parse_introspection(response, now)

    def _decrypted(self, token: str) -> str:
        """Return the signed JWT, decrypted if it is encrypted. The caller must check its signature and type."""
        if not is_encrypted(token):
            return token
        keys = self._options.decryption_keys
        if keys is None:
            raise InvalidResponse(
                "encrypted", "the introspection response is encrypted: give IntrospectionClient(decryption_keys=…)"
            )
        return decrypt(token, keys, algorithms=DEFAULT_MANAGEMENT).decode("ascii", "replace")

    def _verified(self, signed: str) -> Flow[Introspection]:
        verified = yield from self._core.keys.checked(
            lambda keys: verify(signed, keys, algorithms=ASYMMETRIC, typ=JWT_TYPE), self._clock
        )
        now, issuer = self._clock(), self._server.issuer or ""
        return parse_signed(verified.claims, issuer=issuer, recipients=self._names, now=now, leeway=self._leeway)

"""What a token source does, as flows: discover, ask, refresh, ask again. Sources add a gate and a driver."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from doorkey.credentials import Credentials
from doorkey.errors import InvalidGrant, ServerError, UsageError
from doorkey.gate import Gate
from doorkey.protocol.backoff import Backoff
from doorkey.protocol.client_auth import METHODS, ClientAuthMethod, ClientIdentity, authenticate
from doorkey.protocol.discovery import discover_flow
from doorkey.protocol.endpoint import check_endpoint
from doorkey.protocol.flow import Effect, Flow
from doorkey.protocol.grants import Grant, RefreshTokenGrant
from doorkey.protocol.metadata import ServerMetadata
from doorkey.protocol.renewal import Slot
from doorkey.protocol.token_endpoint import parse_token, token_request
from doorkey.tokens import OAuthToken
from doorkey.values import Secret

PATIENCE: Final = 10.0
"""Seconds of `Retry-After` that are waited out within one call; a longer pause is told to the caller."""
TRIES: Final = 3

_DEFAULTS: Final = ("client_secret_basic", "client_secret_post")


@dataclass(frozen=True, slots=True)
class Sleep(Effect[None]):
    """Ask for `seconds` to pass."""

    seconds: float


class SourceCore:
    """One token for `credentials` at one authorization server.

    `issuer` is discovered on first use; `token_endpoint` or `metadata` make that unnecessary. `leeway` is in seconds.
    `chance` returns 0…1 and spreads callers over time.
    """

    def __init__(
        self,
        credentials: Credentials,
        *,
        issuer: str | None = None,
        token_endpoint: str | None = None,
        metadata: ServerMetadata | Mapping[str, Any] | None = None,
        leeway: float | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        known = ServerMetadata.of(metadata)
        if token_endpoint is not None:
            known = replace(known, token_endpoint=check_endpoint(token_endpoint, "token endpoint"))
        if issuer is None and known.token_endpoint is None:
            raise UsageError("say whom to ask: give issuer=, token_endpoint= or metadata=")
        self.credentials = credentials
        self.clock = clock
        self.slot = Slot(self.renew, self.renewable, leeway, Backoff())
        self.gate = Gate()
        self._issuer = issuer
        self._metadata = known if known.token_endpoint is not None else None
        self._dead: InvalidGrant | None = None

    def renewable(self, token: OAuthToken | None) -> bool:
        """Say whether a token can be got: the first one always, another where the grant or the server allows it."""
        return token is None or token.refresh_token is not None or self.credentials.repeatable

    def reject(self, token: OAuthToken) -> bool:
        """Forget `token`, if it is still the current one; say whether there may be another."""
        self.slot.reject(token)
        return self.renewable(token)

    def renew(self, token: OAuthToken | None) -> Flow[OAuthToken]:
        """Bring the first or the next token: by refresh token where there is one, else by the credentials."""
        if self._dead is not None:
            raise self._dead.for_waiter()
        metadata = yield from self._known()
        if token is not None and token.refresh_token is not None:
            try:
                renewed = yield from self._ask(metadata, RefreshTokenGrant(token.refresh_token))
            except InvalidGrant as refused:
                if not self.credentials.repeatable:
                    self._dead = refused.for_waiter()
                    raise
            else:
                return renewed if renewed.scope is not None else replace(renewed, scope=token.scope)
        try:
            return (yield from self._ask_patiently(metadata))
        except InvalidGrant as refused:
            if not self.credentials.repeatable:
                self._dead = refused.for_waiter()
            raise

    def _known(self) -> Flow[ServerMetadata]:
        if self._metadata is None:
            assert self._issuer is not None, "the constructor asks for one of them"
            found = yield from discover_flow(self._issuer)
            if found.token_endpoint is None:
                raise UsageError("the metadata of this issuer names no token_endpoint: give token_endpoint=")
            self._metadata = found
        return self._metadata

    def _ask_patiently(self, metadata: ServerMetadata) -> Flow[OAuthToken]:
        """Ask by the credentials; wait out a short `Retry-After` where asking again burns nothing."""
        for left in range(TRIES - 1, -1, -1):
            try:
                return (yield from self._ask(metadata, self.credentials.grant()))
            except ServerError as busy:
                pause = busy.retry_after
                if not left or pause is None or pause > PATIENCE or not self.credentials.repeatable:
                    raise
            yield from Sleep(pause)
        raise AssertionError("the last try returns or raises")

    def _ask(self, metadata: ServerMetadata, grant: Grant) -> Flow[OAuthToken]:
        assert metadata.token_endpoint is not None, "checked where it came from"
        now = self.clock()
        refreshing = grant.refresh_token if isinstance(grant, RefreshTokenGrant) else None
        wanted = self.credentials.parameters()
        if refreshing is not None:
            wanted = tuple(pair for pair in wanted if pair[0] != "scope")  # what was granted stays (RFC 6749 §6)
        request = token_request(metadata.token_endpoint, grant, wanted)
        audience = metadata.issuer or metadata.token_endpoint
        identity = ClientIdentity(self.credentials.client_id, self.credentials.client_secret, audience, now)
        response = yield from authenticate(request, identity, self._method(metadata))
        return parse_token(response, asked_at=now, refresh_token=refreshing)

    def _method(self, metadata: ServerMetadata) -> ClientAuthMethod:
        """Return the first method of the credentials that the server lists, or simply the first."""
        preferred = self.credentials.auth_methods
        if not preferred:
            preferred = _DEFAULTS if self.credentials.client_secret not in (None, Secret("")) else ("none",)
        listed = metadata.extra.get("token_endpoint_auth_methods_supported")
        usable = [one for one in preferred if not isinstance(one, str) or not isinstance(listed, list) or one in listed]
        chosen = (usable or list(preferred))[0]
        if not isinstance(chosen, str):
            return chosen
        if chosen not in METHODS:
            raise UsageError(f"there is no client authentication method {chosen!r}; known: {', '.join(METHODS)}")
        return METHODS[chosen]

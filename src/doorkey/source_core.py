"""What a token source does, as flows: discover, ask, refresh, ask again. Sources add a gate and a driver."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from random import random
from typing import Any, Final

from doorkey.arguments import function, instance, seconds
from doorkey.clock import monotonic_time, wall_time
from doorkey.credentials import Credentials
from doorkey.errors import InvalidGrant, OAuthError, ServerError, UsageError
from doorkey.gate import Gate
from doorkey.inside import inside
from doorkey.observe.observer import Observer, OnEvent, reject
from doorkey.protocol.backoff import Backoff, says_come_back
from doorkey.protocol.client_auth import METHODS, ClientAuthMethod, ClientIdentity, authenticate
from doorkey.protocol.discovery import discover_flow
from doorkey.protocol.endpoint import check_endpoint
from doorkey.protocol.flow import Effect, Flow
from doorkey.protocol.grants import Grant, RefreshTokenGrant
from doorkey.protocol.metadata import ServerMetadata, check_one_issuer
from doorkey.protocol.renewal import Slot
from doorkey.protocol.token_endpoint import asks_for_a_bound_token, asks_for_an_id_token, parse_token, token_request
from doorkey.tokens import OAuthToken
from doorkey.turns import Turn
from doorkey.values import Secret

LONGEST_PAUSE: Final = 10.0
"""Seconds of `Retry-After` that are waited out within one call; a longer pause is told to the caller."""
TRIES: Final = 3

_DEFAULTS: Final = ("client_secret_basic", "client_secret_post")
_KEY: Final = re.compile(r'-----BEGIN |^\s*\{.*"kty"', re.DOTALL)  # PEM, JWK


@dataclass(frozen=True, slots=True)
class Sleep(Effect[None]):
    """Ask for `seconds` to pass."""

    seconds: float


class Server:
    """Whom sources ask: its metadata, discovered once for all that share this where no `token_endpoint` is known.

    A flow that asks for it yields `Turn` beside its requests.
    """

    def __init__(self, issuer: str | None, metadata: ServerMetadata) -> None:
        check_one_issuer(issuer, metadata)
        issuer = issuer if issuer is not None else metadata.issuer
        if issuer is None and metadata.token_endpoint is None:
            raise UsageError("say whom to ask: give issuer=, token_endpoint= or metadata=")
        self.issuer = None if issuer is None else check_endpoint(issuer, "issuer")
        self.found = metadata if metadata.token_endpoint is not None else None
        self.gate = Gate()
        self._attempts = 0
        self._error: Exception | None = None

    def name(self) -> str | None:
        """Return what tells this server from others: its issuer, else its token endpoint."""
        return self.issuer or (self.found.token_endpoint if self.found is not None else None)

    def known(self, clock: Callable[[], float]) -> Flow[ServerMetadata]:
        """Return the metadata; whoever comes while it is being discovered waits for that. Raises as `discover_flow`.

        A failure is told to those who waited and to nobody later; a cancelled leader hands over. `clock` returns
        seconds since the epoch.
        """
        seen = self._attempts
        while (found := self.found) is None:
            if self._attempts != seen:
                assert self._error is not None, "what has ended without metadata has failed"
                raise self._error.for_waiter() if isinstance(self._error, OAuthError) else self._error
            lead = yield from Turn(self.gate, "discovering this issuer")
            if lead is not None:
                try:
                    if self.found is None and self._attempts == seen:
                        self.found = yield from inside(self.gate, self._discovered(clock()))
                finally:
                    self.gate.leave(lead)
        return found

    def _discovered(self, now: float) -> Flow[ServerMetadata]:
        assert self.issuer is not None, "the constructor asks for one of them"
        try:
            return (yield from discover_flow(self.issuer, now))
        except Exception as error:
            self._error = error.for_waiter() if isinstance(error, OAuthError) else error
            self._attempts += 1  # last: who sees it finds the error
            raise


class SourceCore:
    """One token for `credentials` at one authorization server.

    `issuer` is discovered on first use; `token_endpoint` or `metadata` make that unnecessary; `server` is all of that,
    shared with others. `leeway` is in seconds. `chance` returns 0…1 and spreads renewals and retries over time.
    """

    def __init__(
        self,
        credentials: Credentials,
        *,
        issuer: str | None = None,
        token_endpoint: str | None = None,
        metadata: ServerMetadata | Mapping[str, Any] | None = None,
        server: Server | None = None,
        leeway: float | None = None,
        clock: Callable[[], float] = wall_time,
        chance: Callable[[], float] = random,
        on_event: OnEvent | None = None,
        timer: Callable[[], float] = monotonic_time,
    ) -> None:
        instance(credentials, Credentials, "a token source takes credentials")
        known = ServerMetadata.of(metadata)
        if token_endpoint is not None:
            known = replace(known, token_endpoint=check_endpoint(token_endpoint, "token endpoint"))
        if leeway is not None:
            leeway = seconds(leeway, "leeway")
        function(clock, "clock is a callable that returns seconds since the epoch")
        function(chance, "chance is a callable that returns a number from 0 to 1")
        self.credentials = credentials
        self.clock = clock
        self.slot = Slot(self.renew, self.renewable, leeway, Backoff(), chance, lambda: credentials.repeatable)
        self.gate = Gate()
        self._server = server or Server(issuer, known)
        self.observer = self.slot.observer = Observer(credentials.client_id, self._server.name, on_event, timer)

    def renewable(self, token: OAuthToken | None) -> bool:
        """Say whether a token can be got: the first one always, another where the grant or the server allows it."""
        return token is None or token.refresh_token is not None or self.credentials.repeatable

    def reject(self, token: OAuthToken) -> bool:
        """Forget `token`, if it is still the current one; say whether there may be another."""
        reject(self.slot, token)
        return self.renewable(token)

    def renew(self, token: OAuthToken | None) -> Flow[OAuthToken]:
        """Bring the first or the next token: by a refresh token that works, else by the credentials.

        Raises `InvalidGrant` without asking where the grant is known to be dead and cannot be presented again.
        """
        dead, repeatable = self.slot.dead_grant_of(token), self.credentials.repeatable
        if dead is not None and not repeatable:
            raise dead.error()
        with self.observer.preparing():
            metadata = yield from self._server.known(self.clock)
            if metadata.token_endpoint is None:
                raise UsageError("the metadata of this issuer names no token_endpoint: give token_endpoint=")
        if token is not None and token.refresh_token is not None and dead is None:
            try:
                renewed = yield from self._ask(metadata, RefreshTokenGrant(token.refresh_token))
            except InvalidGrant as refused:
                self.slot.bury(token, refused)
                if not repeatable:
                    raise
            else:
                return renewed if renewed.scope is not None else replace(renewed, scope=token.scope)
        try:
            return (yield from self._ask_patiently(metadata))
        except InvalidGrant as refused:
            if not repeatable:
                self.slot.bury(token, refused)
            raise

    def _ask_patiently(self, metadata: ServerMetadata) -> Flow[OAuthToken]:
        """Ask by the credentials; wait out a short `Retry-After` where asking again burns nothing."""
        for left in range(TRIES - 1, -1, -1):
            with self.observer.preparing():
                grant = self.credentials.grant()
            try:
                return (yield from self._ask(metadata, grant))
            except ServerError as busy:
                pause = busy.retry_after
                waits = left and pause is not None and pause <= LONGEST_PAUSE and says_come_back(busy)
                if not waits or not self.credentials.repeatable:
                    raise
            yield from Sleep(pause or 0.0)
        raise AssertionError("the last try returns or raises")

    def _ask(self, metadata: ServerMetadata, grant: Grant) -> Flow[OAuthToken]:
        with self.observer.asking(grant.grant_type):
            return (yield from self._answer(metadata, grant))

    def _answer(self, metadata: ServerMetadata, grant: Grant) -> Flow[OAuthToken]:
        assert metadata.token_endpoint is not None, "checked where it came from"
        now = self.clock()
        refreshing = grant.refresh_token if isinstance(grant, RefreshTokenGrant) else None
        wanted = self.credentials.parameters()
        if refreshing is not None:
            wanted = tuple(pair for pair in wanted if pair[0] != "scope")  # what was granted stays (RFC 6749 §6)
        request = token_request(metadata.token_endpoint, grant, wanted)
        audience = metadata.issuer or self._server.issuer or metadata.token_endpoint
        identity = ClientIdentity(self.credentials.client_id, self.credentials.client_secret, audience, now)
        request = authenticate(request, identity, self._method(metadata))
        response = yield from request
        bound, openid = asks_for_a_bound_token(request), asks_for_an_id_token(grant, wanted)
        return parse_token(response, asked_at=now, refresh_token=refreshing, bound=bound, openid=openid, grant=grant)

    def _method(self, metadata: ServerMetadata) -> ClientAuthMethod:
        """Return the first method of the credentials that the server lists, or simply the first."""
        preferred = self.credentials.auth_methods
        if not preferred:
            preferred = _methods_for(self.credentials.client_secret)
        listed = metadata.extra.get("token_endpoint_auth_methods_supported")
        usable = [one for one in preferred if not isinstance(one, str) or not isinstance(listed, list) or one in listed]
        chosen = (usable or list(preferred))[0]
        if not isinstance(chosen, str):
            return chosen
        if chosen not in METHODS:
            raise UsageError(f"there is no client authentication method {chosen!r}; known: {', '.join(METHODS)}")
        return METHODS[chosen]


def _methods_for(secret: object) -> tuple[str, ...]:
    """Return the methods to try where none is preferred: a private key is never sent as if it were a secret."""
    if secret is None or secret == Secret(""):
        return ("none",)
    if not isinstance(secret, Secret) or _KEY.search(secret.reveal()):
        return ("private_key_jwt",)
    return _DEFAULTS

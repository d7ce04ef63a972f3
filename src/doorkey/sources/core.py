"""The flows of a token source: refresh the token, present the grant again, wait. A source adds the driver."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from random import random as draw
from typing import TYPE_CHECKING, Any, Final

from doorkey import arguments
from doorkey.credentials import Credentials, DeviceGrant
from doorkey.errors import AccessDenied, ExpiredDeviceCode, InvalidGrant, InvalidResponse, ServerError
from doorkey.observe.observer import Observer, OnEvent
from doorkey.protocol.metadata import ServerMetadata
from doorkey.renewal.backoff import Backoff, is_transient
from doorkey.renewal.leader_lock import LeaderLock
from doorkey.renewal.next_token import ends_the_grant, next_token
from doorkey.renewal.slot import Slot
from doorkey.renewal.state import reject
from doorkey.runtime.clock import monotonic_time, wall_time
from doorkey.sources.fetched_once.discovery import AuthorizationServer
from doorkey.sources.shared_issuer import server_of
from doorkey.sources.token_call import HeaderItems
from doorkey.sources.token_requests import TokenRequests
from doorkey.tokens import OAuthToken
from doorkey.values import Secret
from doorkey.wire.flow import Flow, Sleep
from doorkey.wire.limits import ExchangePolicy, policy_of

if TYPE_CHECKING:
    from doorkey.sources.issuer import Issuer

LONGEST_PAUSE: Final = 10.0
"""The longest `Retry-After`, in seconds, that one call waits for. For a longer one, the error is raised."""
TRIES: Final = 3
"""Token requests by the credentials in one call, if the server responds with such a `Retry-After`."""


class SourceCore:
    """One token for `credentials` at one authorization server.

    server: the authorization server, shared with others; None: that of `issuer`, `token_endpoint` and `metadata`.
    exchange: allows plain http to the hosts that it names.

    The other parameters are those of `TokenSource`. Raises `UsageError`.
    """

    def __init__(
        self,
        credentials: Credentials,
        *,
        issuer: str | Issuer | None = None,
        token_endpoint: str | None = None,
        metadata: ServerMetadata | Mapping[str, Any] | None = None,
        server: AuthorizationServer | None = None,
        exchange: ExchangePolicy | None = None,
        leeway: float | None = None,
        clock: Callable[[], float] | None = None,
        random: Callable[[], float] | None = None,
        on_event: OnEvent | None = None,
        timer: Callable[[], float] | None = None,
        token_params: Mapping[str, Any] | None = None,
        token_request_headers: HeaderItems | None = None,
    ) -> None:
        arguments.instance(credentials, Credentials, "a token source takes credentials")
        if leeway is not None:
            leeway = arguments.seconds(leeway, "leeway")
        clock = wall_time if clock is None else clock
        timer = monotonic_time if timer is None else timer
        arguments.clock(clock)
        random = draw if random is None else random
        arguments.function(random, "random must be a callable that returns a number from 0 to 1")
        self.credentials = credentials
        self.clock = clock
        self.slot = Slot(self, leeway, Backoff(), random)
        self.lock = LeaderLock()
        server = server or server_of(issuer, token_endpoint, metadata, policy_of(exchange))
        self._server = server
        self._observer = self.slot.observer = Observer(credentials.client_id, server.name, on_event, timer)
        self._requests = TokenRequests(
            credentials, server, clock, self._observer, params=token_params, headers=token_request_headers
        )

    def renewable(self, token: OAuthToken | None) -> bool:
        """Return whether a token can be requested.

        The first token always can. Another one needs a refresh token or repeatable credentials.
        """
        return token is None or token.refresh_token is not None or self.credentials.repeatable

    def repeatable(self) -> bool:
        """Return whether the credentials can be presented again."""
        return self.credentials.repeatable

    def reject(self, token: OAuthToken) -> bool:
        """Forget `token` if it is still the current token. Return whether another token can be requested."""
        reject(self.slot, token)
        return self.renewable(token)

    def retry_now(self) -> None:
        """End the pause after a failed token request or a failed discovery.

        For a device grant whose login has failed, or whose token can be neither sent nor renewed, the next call begins
        a new login.
        """
        if isinstance(self.credentials, DeviceGrant):
            token, ended = self.slot.token, self.slot.dead is not None
            if ended or (
                token is not None and not self.renewable(token) and not self.slot.is_usable(token, self.clock())
            ):
                self.slot.set_token(None)
        self.slot.attempts.retry_now()
        self._server.retry_now()

    def renew(self, token: OAuthToken | None) -> Flow[OAuthToken]:
        """Return the first or the next token, obtained by the refresh token, otherwise by the credentials.

        Raises `InvalidGrant` without a request if the server has rejected the grant before and the credentials cannot
        be presented again.
        """
        return next_token(
            token,
            self.slot.dead_grant_of(token),
            self._refresh,
            partial(self._present, token),
            repeatable=self.credentials.repeatable,
        )

    def _refresh(self, token: OAuthToken, refresh_token: Secret) -> Flow[OAuthToken]:
        metadata = yield from self._requests.metadata()
        try:
            return (yield from self._requests.refresh(metadata, token, partial(self._keep_rotated, token)))
        except (ServerError, InvalidResponse) as refused:
            if ends_the_grant(refused, repeatable=self.credentials.repeatable):
                self.slot.mark_dead(token, refused)
            raise

    def _keep_rotated(self, token: OAuthToken, refresh_token: Secret) -> Flow[None]:
        yield from ()  # a flow without effects
        self.slot.rotate(token, refresh_token)

    def _present(self, token: OAuthToken | None) -> Flow[OAuthToken]:
        """Present the credentials. If `token` is still valid, make only one attempt: no caller waits for it."""
        metadata = yield from self._requests.metadata()
        try:
            if isinstance(self.credentials, DeviceGrant):
                return (yield from self._requests.log_in_by_device(metadata, self.credentials.show))
            tries = 1 if token is not None and self.slot.is_usable(token, self.clock()) else TRIES
            return (yield from self._request_with_retries(metadata, tries))
        except (InvalidGrant, AccessDenied, ExpiredDeviceCode) as refused:
            if isinstance(self.credentials, DeviceGrant):
                refused.add_note(
                    "The login has ended. After retry_now() of the source, the next call begins a new one."
                )
            if not self.credentials.repeatable:
                self.slot.mark_dead(token, refused)
            raise

    def _request_with_retries(self, metadata: ServerMetadata, tries: int) -> Flow[OAuthToken]:
        """Present the credentials up to `tries` times. Before each retry, wait for the `Retry-After` of the response.

        Raises the error if that pause is longer than `LONGEST_PAUSE`, if the error is not transient, or if the
        credentials cannot be presented again.
        """
        for left in range(tries - 1, -1, -1):
            with self._observer.preparing():
                grant = self.credentials.grant()
            try:
                return (yield from self._requests.request_token(metadata, grant))
            except ServerError as busy:
                pause = busy.retry_after
                waits = left and pause is not None and pause <= LONGEST_PAUSE and is_transient(busy)
                if not waits or not self.credentials.repeatable:
                    raise
            yield from Sleep(pause or 0.0)
        raise AssertionError("the last try returns or raises")

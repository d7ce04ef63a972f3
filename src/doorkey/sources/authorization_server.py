"""One authorization server, discovered once for all sources, sessions and keys of a vault that share it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final, Self

from doorkey.errors import OAuthError, UsageError
from doorkey.protocol.discovery import discover_flow
from doorkey.protocol.metadata import ENDPOINTS, ServerMetadata, check_one_issuer
from doorkey.renewal.backoff import Backoff, counts_for_backoff
from doorkey.renewal.leader_lock import AcquireOrWait, LeaderLock
from doorkey.runtime.reentrancy import entered
from doorkey.wire.flow import Flow
from doorkey.wire.limits import ExchangePolicy
from doorkey.wire.urls import check_endpoint

__all__: list[str] = []


_DEADLOCK: Final = "deadlock while discovering this issuer: does the transport of the http_client use the same source?"
_TIMEOUT: Final = (
    "another caller has been discovering this issuer for {seconds} s and is not done: is its HTTP client stuck?"
)


class AuthorizationServer:
    """An authorization server: its metadata, discovered once for all that share this, unless `token_endpoint` is known.

    Plain http may reach the `http_hosts` of `metadata` beside loopback. A flow that asks for it yields `AcquireOrWait`
    beside its requests.
    """

    def __init__(self, issuer: str | None, metadata: ServerMetadata) -> None:
        self.http_hosts = metadata.http_hosts
        check_one_issuer(issuer, metadata)
        issuer = issuer if issuer is not None else metadata.issuer
        if issuer is None and metadata.token_endpoint is None:
            raise UsageError("the authorization server is missing: give issuer=, token_endpoint= or metadata=")
        self.issuer = None if issuer is None else check_endpoint(issuer, "issuer", self.http_hosts)
        self.found = None if metadata.token_endpoint is None else replace(metadata, issuer=self.issuer)
        self.lock = LeaderLock()
        self._attempts = self._failures = 0
        self._error: Exception | None = None
        self._retry_at = self._pause = 0.0

    @classmethod
    def told(
        cls,
        issuer: str | None,
        token_endpoint: str | None,
        metadata: ServerMetadata | Mapping[str, Any] | None,
        policy: ExchangePolicy,
    ) -> Self:
        """Return the server that the arguments of a source or a vault mean. Raises `UsageError`."""
        known = ServerMetadata.of(metadata, policy.http_hosts)
        if token_endpoint is not None:
            known = replace(known, token_endpoint=check_endpoint(token_endpoint, "token endpoint", policy.http_hosts))
        return cls(issuer, known)

    def name(self) -> str | None:
        """Return what tells this server from others: its issuer, else its token endpoint."""
        return self.issuer or (self.found.token_endpoint if self.found is not None else None)

    def known(self, clock: Callable[[], float]) -> Flow[ServerMetadata]:
        """Return the metadata, discovered once for all callers. Raises as `discover_flow`.

        Callers that come during a discovery share its outcome. After a failure there is a pause, during which callers
        get a copy of the error without a request. A caller that is canceled hands over. `clock` returns seconds since
        the epoch.
        """
        seen = self._attempts
        while (found := self.found) is None:
            if self._attempts != seen or self._pauses(clock()):
                assert self._error is not None, "a discovery that ended without metadata has failed"
                raise self._error.for_waiter() if isinstance(self._error, OAuthError) else self._error
            holder = yield from AcquireOrWait(self.lock, _DEADLOCK, _TIMEOUT)
            if holder is not None:
                try:
                    if self.found is None and self._attempts == seen:
                        self.found = yield from entered(self.lock, self._attempted(clock))
                finally:
                    self.lock.release(holder)
        return found

    def _pauses(self, now: float) -> bool:
        """Say whether the pause after the last failure goes on at `now`; a clock that was set back ends it."""
        return 0 < self._retry_at - now <= self._pause

    def _attempted(self, clock: Callable[[], float]) -> Flow[ServerMetadata]:
        """Discover the metadata, and begin a pause after a failure."""
        try:
            return (yield from self._discovered(clock()))
        except Exception as error:
            self._failures += 1
            counts = isinstance(error, OAuthError) and counts_for_backoff(error)
            self._pause = Backoff().pause(self._failures, error, 0.0) if counts else 0.0
            try:
                self._retry_at = clock() + self._pause
            finally:
                self._attempts += 1  # last: a caller that sees it finds the error
            raise

    def _discovered(self, now: float) -> Flow[ServerMetadata]:
        assert self.issuer is not None, "the constructor asks for one of them"
        try:
            return (yield from discover_flow(self.issuer, now, self.http_hosts))
        except Exception as error:
            self._error = error.for_waiter() if isinstance(error, OAuthError) else error
            raise


def completed(given: ServerMetadata, found: ServerMetadata) -> ServerMetadata:
    """Return the metadata that was `found` at the issuer; what the user has `given` wins."""
    endpoints = {name: value for name in ENDPOINTS if (value := getattr(given, name)) is not None}
    return replace(found, **endpoints, extra={**found.extra, **given.extra})

"""One authorization server, discovered once for all sources, sessions and keys that share it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Self

from doorkey.errors import UsageError
from doorkey.protocol.discovery import fetch_metadata
from doorkey.protocol.http_caching import CacheEntry
from doorkey.protocol.metadata import ENDPOINTS, ServerMetadata, check_one_issuer
from doorkey.sources.fetched_once.document import Fetched
from doorkey.wire.flow import Flow
from doorkey.wire.limits import ExchangePolicy
from doorkey.wire.urls import check_endpoint

__all__: list[str] = []


class AuthorizationServer:
    """An authorization server. Its metadata is discovered once for all users of this object, and again when it expires.

    issuer: the issuer's URL; None: that of `metadata`.
    metadata: known metadata. Its members take precedence over discovery. Plain http is allowed to its
        `http_hosts`, in addition to loopback.

    The flows yield `AcquireOrWait` in addition to requests. Raises `UsageError` if the arguments identify no server.
    """

    def __init__(self, issuer: str | None, metadata: ServerMetadata) -> None:
        self.http_hosts = metadata.http_hosts
        check_one_issuer(issuer, metadata)
        issuer = issuer if issuer is not None else metadata.issuer
        if issuer is None and metadata.token_endpoint is None:
            raise UsageError("the authorization server is missing: give issuer=, token_endpoint= or metadata=")
        self.issuer = None if issuer is None else check_endpoint(issuer, "issuer", self.http_hosts)
        self.given = replace(metadata, issuer=self.issuer)
        self.discovery: Fetched[ServerMetadata] = Fetched(self._discovered, "discovering this issuer")

    @classmethod
    def of_arguments(
        cls,
        issuer: str | None,
        token_endpoint: str | None,
        metadata: ServerMetadata | Mapping[str, Any] | None,
        policy: ExchangePolicy,
    ) -> Self:
        """Return the server that these arguments of a source or a vault describe. Raises `UsageError`."""
        known = ServerMetadata.of(metadata, policy.http_hosts)
        if token_endpoint is not None:
            checked = check_endpoint(token_endpoint, "token endpoint", policy.http_hosts)
            known = known.replaced({"token_endpoint": checked})
        return cls(issuer, known)

    @property
    def known_metadata(self) -> ServerMetadata | None:
        """The metadata available without a request: given with a token endpoint, or already discovered; else None."""
        if self.given.token_endpoint is not None:
            return self.given
        entry = self.discovery.entry
        return None if entry is None else entry.value

    def name(self) -> str | None:
        """Return the name of this server: its issuer, else its token endpoint."""
        return self.issuer or self.given.token_endpoint

    def metadata(self, clock: Callable[[], float]) -> Flow[ServerMetadata]:
        """Return the given metadata if it has a token endpoint, otherwise the discovered metadata.

        Concurrent callers share one discovery. After a failure there is a pause, during which callers get a copy of the
        error without a request. `clock` returns seconds since the epoch. Raises the errors of `fetch_metadata`.
        """
        return self.naming("token_endpoint", clock)

    def naming(self, member: str, clock: Callable[[], float]) -> Flow[ServerMetadata]:
        """Return the given metadata if it has this `member` ("jwks_uri", …), otherwise the discovered metadata.

        The member of the result is None if the server does not publish it, or if there is no issuer to discover.
        """
        if getattr(self.given, member) is not None or self.issuer is None:
            return self.given
        return (yield from self.discovery.current(clock)).value

    def retry_now(self) -> None:
        """End the pause after a failed discovery."""
        self.discovery.retry_now()

    def _discovered(self, clock: Callable[[], float]) -> Flow[CacheEntry[ServerMetadata]]:
        assert self.issuer is not None, "`naming` has checked it"
        entry = yield from fetch_metadata(self.issuer, clock(), self.http_hosts)
        return replace(entry, value=completed(self.given, entry.value))


def completed(given: ServerMetadata, found: ServerMetadata) -> ServerMetadata:
    """Return the discovered metadata `found`, with its members replaced by those that the user has `given`."""
    endpoints = {name: value for name in ENDPOINTS if (value := getattr(given, name)) is not None}
    own = found.replaced(endpoints)
    return replace(own, extra={**own.extra, **given.extra})

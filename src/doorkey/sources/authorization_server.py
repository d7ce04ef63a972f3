"""One authorization server, discovered once for all sources, sessions and keys of a vault that share it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Self

from doorkey.errors import UsageError
from doorkey.protocol.discovery import kept_metadata
from doorkey.protocol.http_caching import Kept
from doorkey.protocol.metadata import ENDPOINTS, ServerMetadata, check_one_issuer
from doorkey.sources.fetched import Fetched
from doorkey.wire.flow import Flow
from doorkey.wire.limits import ExchangePolicy
from doorkey.wire.urls import check_endpoint

__all__: list[str] = []


class AuthorizationServer:
    """An authorization server: its metadata, discovered once for all that share this, and again when it gets old.

    What `metadata` contains is used as it is, and never discovered. Plain http may reach the `http_hosts` of `metadata`
    beside loopback. A flow that asks for it yields `AcquireOrWait` beside its requests.
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
        """Return the server of these arguments of a source or a vault. Raises `UsageError`."""
        known = ServerMetadata.of(metadata, policy.http_hosts)
        if token_endpoint is not None:
            checked = check_endpoint(token_endpoint, "token endpoint", policy.http_hosts)
            known = known.replaced({"token_endpoint": checked})
        return cls(issuer, known)

    @property
    def known_metadata(self) -> ServerMetadata | None:
        """The metadata that is known without a request: given with a token endpoint, or discovered; else None."""
        if self.given.token_endpoint is not None:
            return self.given
        kept = self.discovery.kept
        return None if kept is None else kept.value

    def name(self) -> str | None:
        """Return the name of this server: its issuer, else its token endpoint."""
        return self.issuer or self.given.token_endpoint

    def metadata(self, clock: Callable[[], float]) -> Flow[ServerMetadata]:
        """Return the metadata with the token endpoint: as given, else discovered. Raises as `discover_flow`.

        Callers that come during a discovery share its outcome. After a failure there is a pause, during which callers
        get a copy of the error without a request. `clock` returns seconds since the epoch.
        """
        return self.naming("token_endpoint", clock)

    def naming(self, member: str, clock: Callable[[], float]) -> Flow[ServerMetadata]:
        """Return metadata for a caller that needs this `member` of it ("jwks_uri", …): as given, else discovered.

        The member is None where the server publishes none, and where it cannot be discovered for lack of an issuer.
        """
        if getattr(self.given, member) is not None or self.issuer is None:
            return self.given
        return (yield from self.discovery.current(clock)).value

    def retry_now(self) -> None:
        """End the pause after a failed discovery."""
        self.discovery.retry_now()

    def _discovered(self, clock: Callable[[], float]) -> Flow[Kept[ServerMetadata]]:
        assert self.issuer is not None, "checked by the callers"
        kept = yield from kept_metadata(self.issuer, clock(), self.http_hosts)
        return replace(kept, value=completed(self.given, kept.value))


def completed(given: ServerMetadata, found: ServerMetadata) -> ServerMetadata:
    """Return the metadata that was `found` at the issuer, with the members that the user has `given`."""
    endpoints = {name: value for name in ENDPOINTS if (value := getattr(given, name)) is not None}
    own = found.replaced(endpoints)
    return replace(own, extra={**own.extra, **given.extra})

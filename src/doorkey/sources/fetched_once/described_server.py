"""An authorization server whose metadata is at a configured URL, or names its issuer by a template."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from doorkey.protocol.discovery import fetch_metadata, issuer_of_document
from doorkey.protocol.http_caching import CacheEntry
from doorkey.protocol.metadata import ServerMetadata
from doorkey.sources.fetched_once.discovery import AuthorizationServer, completed
from doorkey.wire.flow import Flow

__all__: list[str] = []


class DescribedServer(AuthorizationServer):
    """An authorization server whose metadata may name the issuer differently.

    document: the URL of the metadata; None: the well-known URLs of `issuer`. With a document, the metadata may name
        `issuer` with or without a trailing slash.
    template: the `issuer` value in the metadata of a multi-tenant server, which is accepted in place of `issuer`.
    """

    def __init__(
        self, issuer: str, metadata: ServerMetadata, *, document: str | None = None, template: str | None = None
    ) -> None:
        super().__init__(issuer, metadata)
        self._document = document
        self._known_as = {} if template is None else {template: issuer}
        if document is not None and not issuer.endswith("/"):
            self._known_as[f"{issuer}/"] = f"{issuer}/"

    @classmethod
    def at(cls, document: str, metadata: ServerMetadata, template: str | None = None) -> DescribedServer:
        """Return the server whose metadata is at the URL `document`. Raises `UsageError`."""
        issuer = issuer_of_document(document, metadata.http_hosts)
        return cls(issuer, metadata, document=document, template=template)

    def _discovered(self, clock: Callable[[], float]) -> Flow[CacheEntry[ServerMetadata]]:
        assert self.issuer is not None, "given to the constructor"
        found = fetch_metadata(self.issuer, clock(), self.http_hosts, url=self._document, known_as=self._known_as)
        entry = yield from found
        return replace(entry, value=completed(self.given, entry.value))

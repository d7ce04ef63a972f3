"""Which endpoints are those of a session's authorization server: what is held for one is never offered to another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from doorkey.arguments import text
from doorkey.errors import UsageError, printable
from doorkey.protocol.metadata import ENDPOINTS, ServerMetadata
from doorkey.wire.urls import origin_of


def endpoint_of(metadata: ServerMetadata, given: str | None, kind: str) -> str | None:
    """Return the endpoint of this `kind` ("token", "revocation", …): the `given` one, else that of the metadata.

    A session that knows its issuer asks nobody else: `given` is then an endpoint that the metadata names (also below
    `mtls_endpoint_aliases`, RFC 8705 §5), or, where it names none of this kind, one at the issuer's origin. Raises
    `UsageError` for any other.
    """
    own: str | None = getattr(metadata, f"{kind}_endpoint")
    if given is None or not text(given, f"the {kind} endpoint's url"):
        return own
    if metadata.issuer is None or given in _named(metadata):
        return given
    if own is None and origin_of(given) == origin_of(metadata.issuer):
        return given
    raise UsageError(
        f"this session is for {printable(metadata.issuer, 80)}, and {printable(given, 80)} is no endpoint of that "
        f"issuer: construct another session for another server, or this one with {kind}_endpoint="
    )


def _named(metadata: ServerMetadata) -> set[object]:
    aliases: object = metadata.extra.get("mtls_endpoint_aliases")
    members: Mapping[str, object] = cast("Any", aliases) if isinstance(aliases, Mapping) else {}
    texts = [alias for alias in members.values() if isinstance(alias, str)]
    return {*(getattr(metadata, name) for name in ENDPOINTS), *texts}

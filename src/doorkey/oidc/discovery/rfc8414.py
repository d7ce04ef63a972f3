"""Where an authorization server publishes its metadata (RFC 8414 §3)."""

from __future__ import annotations

from doorkey.arguments import text
from doorkey.oidc.discovery.well_known import published_at
from doorkey.wire.urls import split_url


def get_well_known_url(issuer: str, external: bool = False, suffix: str = "oauth-authorization-server") -> str:
    """Return the path of the metadata of `issuer`: the `suffix` is before the issuer's own path (RFC 8414 §3.1).

    `issuer` is an absolute URL. With `external`, the result is an absolute URL. Raises `UsageError` for another text.
    """
    path = f"/.well-known/{text(suffix, 'suffix')}{split_url(issuer, 'issuer').path.rstrip('/')}"
    return published_at(issuer, path, external)

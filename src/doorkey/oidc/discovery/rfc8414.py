"""The URL at which an authorization server publishes its metadata (RFC 8414 §3)."""

from __future__ import annotations

from doorkey.arguments import text
from doorkey.oidc.discovery.well_known import published_at
from doorkey.wire.urls import split_url


def get_well_known_url(issuer: str, external: bool = False, suffix: str = "oauth-authorization-server") -> str:
    """Return the path of the metadata of `issuer`: the `suffix` is before the issuer's own path (RFC 8414 §3.1).

    issuer: an absolute URL.
    external: True to return an absolute URL in place of the path.
    suffix: the name after ``/.well-known/``.

    Raises `UsageError` for an issuer that is not an absolute URL.
    """
    path = f"/.well-known/{text(suffix, 'suffix')}{split_url(issuer, 'issuer').path.rstrip('/')}"
    return published_at(issuer, path, external)

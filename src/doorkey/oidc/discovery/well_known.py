"""The URL at which an OpenID provider publishes its metadata (OpenID Connect Discovery 1.0 §4)."""

from __future__ import annotations

from urllib.parse import urlunsplit

from doorkey.wire.urls import split_url


def get_well_known_url(issuer: str, external: bool = False) -> str:
    """Return the path of the metadata of `issuer`: its own path and the suffix (OpenID Connect Discovery 1.0 §4).

    issuer: an absolute URL.
    external: True to return an absolute URL in place of the path.

    Raises `UsageError` for an issuer that is not an absolute URL.
    """
    path = split_url(issuer, "issuer").path.rstrip("/") + "/.well-known/openid-configuration"
    return published_at(issuer, path, external)


def published_at(issuer: str, path: str, external: bool) -> str:
    """Return `path`, or with `external` the absolute URL of `path` at the host of `issuer`."""
    return urlunsplit((*split_url(issuer)[:2], path, "", "")) if external else path

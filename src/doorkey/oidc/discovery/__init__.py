"""Metadata documents, and where they are published, as programs import them."""

from doorkey.oidc.discovery.models import OpenIDProviderMetadata
from doorkey.oidc.discovery.well_known import get_well_known_url

__all__ = ["OpenIDProviderMetadata", "get_well_known_url"]

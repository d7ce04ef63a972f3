"""Import path of metadata documents and their URLs (OpenID Connect Discovery 1.0)."""

from doorkey.oidc.discovery.models import OpenIDProviderMetadata
from doorkey.oidc.discovery.well_known import get_well_known_url

__all__ = ["OpenIDProviderMetadata", "get_well_known_url"]

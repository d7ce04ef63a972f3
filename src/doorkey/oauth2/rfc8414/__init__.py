"""Import path of metadata documents of authorization servers (RFC 8414)."""

from doorkey.oidc.discovery.models import AuthorizationServerMetadata
from doorkey.oidc.discovery.rfc8414 import get_well_known_url

__all__ = ["AuthorizationServerMetadata", "get_well_known_url"]

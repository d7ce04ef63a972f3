"""OpenID Connect Core: ID tokens and UserInfo as programs import them."""

from doorkey.oidc.core.claim_sources import AggregatedClaims, DistributedClaims
from doorkey.oidc.core.id_token import CodeIDToken, HybridIDToken, IDToken, ImplicitIDToken
from doorkey.oidc.core.issuers import TenantIssuer
from doorkey.oidc.core.user_info import UserInfo

__all__ = [
    "AggregatedClaims",
    "CodeIDToken",
    "DistributedClaims",
    "HybridIDToken",
    "IDToken",
    "ImplicitIDToken",
    "TenantIssuer",
    "UserInfo",
]

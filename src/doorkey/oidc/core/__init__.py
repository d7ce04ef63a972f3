"""OpenID Connect Core: ID tokens and UserInfo as programs import them."""

from typing import TYPE_CHECKING, NoReturn

from doorkey.oidc.core.claim_sources import AggregatedClaims, DistributedClaims
from doorkey.oidc.core.id_token import CodeIDToken, HybridIDToken, IDToken, ImplicitIDToken
from doorkey.oidc.core.issuers import TenantIssuer
from doorkey.oidc.core.user_info import UserInfo
from doorkey.runtime.absent import absent

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

if not TYPE_CHECKING:  # a type checker then still finds a misspelled name

    def __getattr__(name: str) -> NoReturn:
        raise absent(__name__, name)

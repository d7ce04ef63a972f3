"""Import path of ID tokens and UserInfo (OpenID Connect Core)."""

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

if not TYPE_CHECKING:  # hidden from type checkers, which would accept any name otherwise

    def __getattr__(name: str) -> NoReturn:
        raise absent(__name__, name)

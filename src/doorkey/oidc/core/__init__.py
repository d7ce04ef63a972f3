"""OpenID Connect Core: ID tokens and UserInfo as programs import them."""

from doorkey.oidc.core.id_token import CodeIDToken, HybridIDToken, IDToken, ImplicitIDToken
from doorkey.oidc.core.user_info import UserInfo

__all__ = ["CodeIDToken", "HybridIDToken", "IDToken", "ImplicitIDToken", "UserInfo"]

"""What every integration shares and users' programs import from here: the errors."""

from doorkey.integrations.base_client.errors import (
    InvalidTokenError,
    MismatchingStateError,
    MissingTokenError,
    OAuthError,
    TokenExpiredError,
    UnsupportedTokenTypeError,
)

__all__ = [
    "InvalidTokenError",
    "MismatchingStateError",
    "MissingTokenError",
    "OAuthError",
    "TokenExpiredError",
    "UnsupportedTokenTypeError",
]

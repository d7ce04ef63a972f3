"""The errors, with the names that the integrations export."""

from doorkey.errors import (
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

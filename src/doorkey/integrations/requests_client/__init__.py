"""doorkey on requests: `OAuth2Session` gets, keeps and sends tokens; `OAuth2Auth` sends them on any other session."""

from doorkey.integrations.base_client.errors import (
    InvalidTokenError,
    MismatchingStateError,
    MissingTokenError,
    OAuthError,
    TokenExpiredError,
    UnsupportedTokenTypeError,
)
from doorkey.integrations.requests_client.assertion_session import AssertionSession
from doorkey.integrations.requests_client.oauth2_auth import OAuth2Auth
from doorkey.integrations.requests_client.oauth2_session import OAuth2Session

__all__ = [
    "AssertionSession",
    "InvalidTokenError",
    "MismatchingStateError",
    "MissingTokenError",
    "OAuth2Auth",
    "OAuth2Session",
    "OAuthError",
    "TokenExpiredError",
    "UnsupportedTokenTypeError",
]

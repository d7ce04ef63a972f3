"""OAuth 2 and OpenID Connect for Python: get a token, keep it fresh exactly once, send it.

Sessions are in `doorkey.integrations`, one folder for each HTTP library; a server to try them on is in `doorkey.dev`.
Importing this imports no HTTP library, no framework and no cryptography.
"""

from doorkey.discovery import adiscover, discover
from doorkey.errors import (
    InvalidGrant,
    InvalidResponse,
    OAuthError,
    ServerError,
    TransportError,
    UsageError,
    VerificationError,
)
from doorkey.protocol.authorization import AuthorizationTransaction
from doorkey.protocol.exchange import ExchangePolicy
from doorkey.protocol.metadata import ServerMetadata
from doorkey.tokens import OAuth2Token, OAuthToken
from doorkey.values import Scope, Secret

__all__ = [
    "AuthorizationTransaction",
    "ExchangePolicy",
    "InvalidGrant",
    "InvalidResponse",
    "OAuth2Token",
    "OAuthError",
    "OAuthToken",
    "Scope",
    "Secret",
    "ServerError",
    "ServerMetadata",
    "TransportError",
    "UsageError",
    "VerificationError",
    "adiscover",
    "discover",
]

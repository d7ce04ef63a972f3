"""Transports of httpx2 and httpx that negotiate an access token and put it into each request they send.

They wrap the transport of any client, through ``transport=`` or ``mounts=``; code that uses the client stays as it is.
"""

from doorkey.credentials import ClientCredentials, ResourceOwnerCredentials, TokenExchange
from doorkey.errors import OAuthError as OAuthAuthorityError
from doorkey.integrations.httpx_transport.authority import AsyncOAuthAuthorityClient, OAuthAuthorityClient
from doorkey.integrations.httpx_transport.factory import (
    AsyncAuthenticatingTransportFactory,
    AuthenticatingTransportFactory,
    Scopes,
)
from doorkey.tokens import OAuthToken

__all__ = [
    "AsyncAuthenticatingTransportFactory",
    "AsyncOAuthAuthorityClient",
    "AuthenticatingTransportFactory",
    "ClientCredentials",
    "OAuthAuthorityClient",
    "OAuthAuthorityError",
    "OAuthToken",
    "ResourceOwnerCredentials",
    "Scopes",
    "TokenExchange",
]

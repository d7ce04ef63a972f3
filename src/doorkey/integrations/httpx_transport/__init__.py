"""Transports of httpx2 and httpx that request an access token and send it with each request.

They wrap the transport of any client, by ``transport=`` or ``mounts=``. Code that uses the client stays unchanged.
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

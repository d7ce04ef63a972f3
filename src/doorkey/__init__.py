"""OAuth 2 and OpenID Connect for Python: get a token, renew it exactly once when it expires, send it.

The clients are in `doorkey.integrations`, one folder for each HTTP library. `OAuth2Session` (requests), `OAuth2Client`
and `AsyncOAuth2Client` (httpx2 or httpx) can also be imported from here. `doorkey.dev` is an authorization server to
try them with. Importing this module imports no HTTP library, no framework and no cryptography.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from doorkey.auth import OAuth2Auth
    from doorkey.credentials import (
        ClientCredentials,
        DeviceGrant,
        JWTBearer,
        RefreshToken,
        ResourceOwnerCredentials,
        TokenExchange,
    )
    from doorkey.discovery import adiscover, adiscover_issuer, discover, discover_issuer
    from doorkey.errors import (
        InvalidGrant,
        InvalidResponse,
        OAuthError,
        ServerError,
        TransportError,
        UsageError,
        VerificationError,
    )
    from doorkey.integrations.httpx_client import AsyncOAuth2Client as AsyncOAuth2Client
    from doorkey.integrations.httpx_client import OAuth2Client as OAuth2Client
    from doorkey.integrations.requests_client import OAuth2Session as OAuth2Session
    from doorkey.protocol.authorization import AuthorizationTransaction
    from doorkey.protocol.device import DeviceAuthorization
    from doorkey.protocol.metadata import ServerMetadata
    from doorkey.registration import RegisteredClient, aregister_client, register_client
    from doorkey.sources import AsyncKeySource, AsyncTokenSource, Issuer, KeySource, TokenSource
    from doorkey.tokens import OAuth2Token, OAuthToken
    from doorkey.values import Scope, Secret
    from doorkey.vault import AsyncTokenVault, TokenVault
    from doorkey.wire.addresses import public_address
    from doorkey.wire.limits import ExchangePolicy

__version__ = "0.2.0.dev0"

__all__ = [
    "AsyncKeySource",
    "AsyncTokenSource",
    "AsyncTokenVault",
    "AuthorizationTransaction",
    "ClientCredentials",
    "DeviceAuthorization",
    "DeviceGrant",
    "ExchangePolicy",
    "InvalidGrant",
    "InvalidResponse",
    "Issuer",
    "JWTBearer",
    "KeySource",
    "OAuth2Auth",
    "OAuth2Token",
    "OAuthError",
    "OAuthToken",
    "RefreshToken",
    "RegisteredClient",
    "ResourceOwnerCredentials",
    "Scope",
    "Secret",
    "ServerError",
    "ServerMetadata",
    "TokenExchange",
    "TokenSource",
    "TokenVault",
    "TransportError",
    "UsageError",
    "VerificationError",
    "__version__",
    "adiscover",
    "adiscover_issuer",
    "aregister_client",
    "discover",
    "discover_issuer",
    "public_address",
    "register_client",
]

_MODULES = {
    "AsyncKeySource": "doorkey.sources",
    "AsyncTokenSource": "doorkey.sources",
    "AsyncTokenVault": "doorkey.vault",
    "AuthorizationTransaction": "doorkey.protocol.authorization",
    "ClientCredentials": "doorkey.credentials",
    "DeviceAuthorization": "doorkey.protocol.device",
    "DeviceGrant": "doorkey.credentials",
    "ExchangePolicy": "doorkey.wire.limits",
    "InvalidGrant": "doorkey.errors",
    "InvalidResponse": "doorkey.errors",
    "Issuer": "doorkey.sources",
    "JWTBearer": "doorkey.credentials",
    "KeySource": "doorkey.sources",
    "OAuth2Auth": "doorkey.auth",
    "OAuth2Token": "doorkey.tokens",
    "OAuthError": "doorkey.errors",
    "OAuthToken": "doorkey.tokens",
    "RefreshToken": "doorkey.credentials",
    "RegisteredClient": "doorkey.registration",
    "ResourceOwnerCredentials": "doorkey.credentials",
    "Scope": "doorkey.values",
    "Secret": "doorkey.values",
    "ServerError": "doorkey.errors",
    "ServerMetadata": "doorkey.protocol.metadata",
    "TokenExchange": "doorkey.credentials",
    "TokenSource": "doorkey.sources",
    "TokenVault": "doorkey.vault",
    "TransportError": "doorkey.errors",
    "UsageError": "doorkey.errors",
    "VerificationError": "doorkey.errors",
    "adiscover": "doorkey.discovery",
    "adiscover_issuer": "doorkey.discovery",
    "aregister_client": "doorkey.registration",
    "discover": "doorkey.discovery",
    "discover_issuer": "doorkey.discovery",
    "public_address": "doorkey.wire.addresses",
    "register_client": "doorkey.registration",
}
_CLIENTS = {
    "AsyncOAuth2Client": "doorkey.integrations.httpx_client",
    "OAuth2Client": "doorkey.integrations.httpx_client",
    "OAuth2Session": "doorkey.integrations.requests_client",
}
"""Names that need an HTTP library. `__all__` omits them, so that `from doorkey import *` works without one."""


def __getattr__(name: str) -> Any:
    # Imported on first use: a program that needs only the errors does not wait for the rest.
    from doorkey.runtime.lazy import lazy_name

    return lazy_name(__name__, {**_MODULES, **_CLIENTS}, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *_CLIENTS})

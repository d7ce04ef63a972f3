"""Protecting an API: checking the access token of each request (RFC 6750, RFC 9068, RFC 7662, RFC 9728).

`AccessTokenVerifier` and `AsyncAccessTokenVerifier` check a token. `Guard` decides about a whole request; the
integrations with web frameworks are made of it. Importing this package imports no framework and no cryptography.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from doorkey.protocol.protected_resource import ProtectedResource
    from doorkey.protocol.rejections import (
        InsufficientPrivileges,
        InvalidAccessToken,
        MalformedRequest,
        MissingAccessToken,
        RequestRejected,
        StepUpRequired,
    )
    from doorkey.protocol.token_profiles import AUTH0, ENTRA, KEYCLOAK, RFC9068, TokenProfile
    from doorkey.resource.access_token import AccessToken
    from doorkey.resource.guard import Guard
    from doorkey.resource.messages import ApiRequest, Rejection, Reply
    from doorkey.resource.requirement import Requirement
    from doorkey.resource.trusted_issuer import IntrospectionClient, TrustedIssuer
    from doorkey.resource.verifier import AccessTokenVerifier, AsyncAccessTokenVerifier

__all__ = [
    "AUTH0",
    "ENTRA",
    "KEYCLOAK",
    "RFC9068",
    "AccessToken",
    "AccessTokenVerifier",
    "ApiRequest",
    "AsyncAccessTokenVerifier",
    "Guard",
    "InsufficientPrivileges",
    "IntrospectionClient",
    "InvalidAccessToken",
    "MalformedRequest",
    "MissingAccessToken",
    "ProtectedResource",
    "Rejection",
    "Reply",
    "RequestRejected",
    "Requirement",
    "StepUpRequired",
    "TokenProfile",
    "TrustedIssuer",
]

_REJECTIONS = ("InsufficientPrivileges", "InvalidAccessToken", "MalformedRequest", "MissingAccessToken")
_MODULES = {
    **dict.fromkeys(("AUTH0", "ENTRA", "KEYCLOAK", "RFC9068", "TokenProfile"), "doorkey.protocol.token_profiles"),
    **dict.fromkeys((*_REJECTIONS, "RequestRejected", "StepUpRequired"), "doorkey.protocol.rejections"),
    **dict.fromkeys(("AccessTokenVerifier", "AsyncAccessTokenVerifier"), "doorkey.resource.verifier"),
    **dict.fromkeys(("ApiRequest", "Rejection", "Reply"), "doorkey.resource.messages"),
    **dict.fromkeys(("IntrospectionClient", "TrustedIssuer"), "doorkey.resource.trusted_issuer"),
    "AccessToken": "doorkey.resource.access_token",
    "Guard": "doorkey.resource.guard",
    "ProtectedResource": "doorkey.protocol.protected_resource",
    "Requirement": "doorkey.resource.requirement",
}


def __getattr__(name: str) -> Any:
    from doorkey.runtime.lazy import named

    return named(__name__, _MODULES, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

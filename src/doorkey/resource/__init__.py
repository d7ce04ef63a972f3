"""Protection of an API: it checks the access token of each request (RFC 6750, RFC 9068, RFC 7662, RFC 9728).

`AccessTokenVerifier` and `AsyncAccessTokenVerifier` verify a token. `Guard` accepts or rejects a whole request; the
guards for web frameworks are built on it. Importing this package imports no framework and no cryptography.
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
    from doorkey.resource.client_certificates import certificate_header
    from doorkey.resource.guard import Guard
    from doorkey.resource.messages import ApiRequest, Rejection, Reply
    from doorkey.resource.on_asgi import ASGIGuard
    from doorkey.resource.on_django import DjangoGuard as DjangoGuard
    from doorkey.resource.on_fastapi import FastAPIGuard as FastAPIGuard
    from doorkey.resource.on_flask import FlaskGuard as FlaskGuard
    from doorkey.resource.on_rest_framework import RestFrameworkGuard as RestFrameworkGuard
    from doorkey.resource.on_starlette import StarletteGuard as StarletteGuard
    from doorkey.resource.on_wsgi import WSGIGuard
    from doorkey.resource.requirement import Requirement
    from doorkey.resource.trusted_issuer import IntrospectionClient, TrustedIssuer
    from doorkey.resource.verifier import AccessTokenVerifier, AsyncAccessTokenVerifier

__all__ = [
    "AUTH0",
    "ENTRA",
    "KEYCLOAK",
    "RFC9068",
    "ASGIGuard",
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
    "WSGIGuard",
    "certificate_header",
]

_REJECTIONS = ("InsufficientPrivileges", "InvalidAccessToken", "MalformedRequest", "MissingAccessToken")
_MODULES = {
    **dict.fromkeys(("AUTH0", "ENTRA", "KEYCLOAK", "RFC9068", "TokenProfile"), "doorkey.protocol.token_profiles"),
    **dict.fromkeys((*_REJECTIONS, "RequestRejected", "StepUpRequired"), "doorkey.protocol.rejections"),
    **dict.fromkeys(("AccessTokenVerifier", "AsyncAccessTokenVerifier"), "doorkey.resource.verifier"),
    **dict.fromkeys(("ApiRequest", "Rejection", "Reply"), "doorkey.resource.messages"),
    **dict.fromkeys(("IntrospectionClient", "TrustedIssuer"), "doorkey.resource.trusted_issuer"),
    "ASGIGuard": "doorkey.resource.on_asgi",
    "AccessToken": "doorkey.resource.access_token",
    "Guard": "doorkey.resource.guard",
    "ProtectedResource": "doorkey.protocol.protected_resource",
    "Requirement": "doorkey.resource.requirement",
    "WSGIGuard": "doorkey.resource.on_wsgi",
    "certificate_header": "doorkey.resource.client_certificates",
}
_FRAMEWORKS = {
    "DjangoGuard": "doorkey.resource.on_django",
    "FastAPIGuard": "doorkey.resource.on_fastapi",
    "FlaskGuard": "doorkey.resource.on_flask",
    "RestFrameworkGuard": "doorkey.resource.on_rest_framework",
    "StarletteGuard": "doorkey.resource.on_starlette",
}
"""Names that need a framework. `__all__` omits them, so that `from doorkey.resource import *` needs none."""


def __getattr__(name: str) -> Any:
    from doorkey.runtime.lazy import lazy_name

    return lazy_name(__name__, {**_MODULES, **_FRAMEWORKS}, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *_FRAMEWORKS})

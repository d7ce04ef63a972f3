"""The error for a name that a package does not have: an import of a name of Authlib says what to use instead."""

from __future__ import annotations

from typing import Final

__all__: list[str] = []

_OAUTH_1: Final = "OAuth 1 is not supported: keep Authlib for it"
_SERVER: Final = "authorization servers are not built with doorkey; for tests, use doorkey.testing.Provider"

INSTEAD: Final = {
    **dict.fromkeys(("OAuth1Session", "OAuth1Client", "AsyncOAuth1Client", "OAuth1Auth"), _OAUTH_1),
    **dict.fromkeys(("FlaskOAuth1App", "DjangoOAuth1App", "StarletteOAuth1App"), _OAUTH_1),
    **dict.fromkeys(("AuthorizationServer", "RevocationEndpoint", "grants", "ClientMixin", "TokenMixin"), _SERVER),
    "OAuth2ClientAuth": "auth= takes an (id, secret) pair, a callable, or an auth of your HTTP library",
    "Key": "import it from doorkey.jose.keys",
    "BaseClaims": "use JWTClaims",
    "get_claim_cls_by_response_type": "use CodeIDToken, ImplicitIDToken or HybridIDToken, as the response type needs",
}
"""Names of Authlib, and what to use instead: docs/from-authlib.md."""


def absent(package: str, name: str) -> AttributeError | ImportError:
    """Return what the `__getattr__` of a `package` raises for a `name` that is not there (PEP 562).

    An `ImportError` for a name of Authlib: Python replaces the message of an `AttributeError` in an import statement.
    """
    if name in INSTEAD:
        return ImportError(f"{package} has no {name}: {INSTEAD[name]}", name=package)
    return AttributeError(f"module {package!r} has no attribute {name!r}")

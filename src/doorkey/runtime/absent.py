"""The error for a missing name of a package. For a name of Authlib, it names the replacement."""

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
"""Names of Authlib and their replacements, as in docs/from-authlib.md."""

INSTEAD_OF_ALL: Final = {
    "doorkey.oauth2.auth": "auth= takes an (id, secret) pair, a callable, or an auth of your HTTP library",
    "doorkey.oauth2.rfc7009": f"sessions have revoke_token(); {_SERVER}",
    "doorkey.oauth2.rfc7591": f"doorkey.register_client() registers a client; {_SERVER}",
    "doorkey.oauth2.rfc7636": "with code_challenge_method='S256', a session makes and sends the challenge",
    "doorkey.oauth2.rfc8628": f"sessions have begin_device_authorization(); {_SERVER}",
}
"""Modules of Authlib of which doorkey has no name at all, and their replacements."""


def absent(package: str, name: str) -> AttributeError | ImportError:
    """Return the error that the `__getattr__` of a `package` raises for a missing `name` (PEP 562).

    It is an `ImportError` for a name of Authlib, because an import statement replaces the message of an
    `AttributeError`.
    """
    instead = INSTEAD.get(name) if name.startswith("_") else INSTEAD_OF_ALL.get(package, INSTEAD.get(name))
    if instead is not None:
        return ImportError(f"{package} has no {name}: {instead}", name=package)
    return AttributeError(f"module {package!r} has no attribute {name!r}")

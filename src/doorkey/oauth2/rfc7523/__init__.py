"""Import path of client authentication by assertion, and of JWTs as access tokens (RFC 7523)."""

from typing import TYPE_CHECKING, Any

from doorkey.protocol.client_assertion import ClientSecretJWT, PrivateKeyJWT

if TYPE_CHECKING:
    from doorkey.resource.validators.public_key import JWTBearerToken, JWTBearerTokenValidator

__all__ = ["ClientSecretJWT", "JWTBearerToken", "JWTBearerTokenValidator", "PrivateKeyJWT"]

_PLACE = "doorkey.resource.validators.public_key"
_MODULES: dict[str, str] = {"JWTBearerToken": _PLACE, "JWTBearerTokenValidator": _PLACE}


def __getattr__(name: str) -> Any:
    # Imported on first use: a client that authenticates by assertion need not load the code of resource servers.
    from doorkey.runtime.lazy import lazy_name

    return lazy_name(__name__, _MODULES, name)

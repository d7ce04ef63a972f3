"""Signed and encrypted tokens: the strict layer over joserfc, and the only place that imports it.

`keys` reads and checks keys, `signing` signs tokens, `verification` verifies them, `encryption` encrypts and decrypts
tokens, and `claims` validates claims. The classes of this module offer all of this under the names of Authlib. Each
submodule is imported on first use.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from doorkey.jose.claims import JWTClaims
    from doorkey.jose.errors import JoseError
    from doorkey.jose.json_web_encryption import JsonWebEncryption
    from doorkey.jose.json_web_key import JsonWebKey
    from doorkey.jose.json_web_signature import JsonWebSignature
    from doorkey.jose.json_web_token import JsonWebToken, jwt
    from doorkey.jose.key_set import KeySet
    from doorkey.jose.keys import ECKey, OctKey, OKPKey, RSAKey

__all__ = [
    "ECKey",
    "JWTClaims",
    "JoseError",
    "JsonWebEncryption",
    "JsonWebKey",
    "JsonWebSignature",
    "JsonWebToken",
    "KeySet",
    "OKPKey",
    "OctKey",
    "RSAKey",
    "jwt",
]

_MODULES = {
    "JWTClaims": "doorkey.jose.claims",
    "JoseError": "doorkey.jose.errors",
    "JsonWebEncryption": "doorkey.jose.json_web_encryption",
    "JsonWebKey": "doorkey.jose.json_web_key",
    "JsonWebSignature": "doorkey.jose.json_web_signature",
    "JsonWebToken": "doorkey.jose.json_web_token",
    "KeySet": "doorkey.jose.key_set",
    **dict.fromkeys(("ECKey", "OKPKey", "OctKey", "RSAKey"), "doorkey.jose.keys"),
    "jwt": "doorkey.jose.json_web_token",
}


def __getattr__(name: str) -> Any:
    from doorkey.runtime.lazy import lazy_name

    return lazy_name(__name__, _MODULES, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

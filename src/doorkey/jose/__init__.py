"""Signed tokens: the strict layer over joserfc, and the only place that imports it.

`keys` reads and judges keys, `signing` makes signed tokens, `verification` checks them, `claims` judges what they say;
`jwt` is all of it under the names that programs know. Nothing is imported before it is used.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from doorkey.jose.claims import JWTClaims
    from doorkey.jose.json_web_key import JsonWebKey
    from doorkey.jose.json_web_token import JsonWebToken, jwt
    from doorkey.jose.key_set import KeySet
    from doorkey.jose.keys import ECKey, OctKey, OKPKey, RSAKey

__all__ = ["ECKey", "JWTClaims", "JsonWebKey", "JsonWebToken", "KeySet", "OKPKey", "OctKey", "RSAKey", "jwt"]

_MODULES = {
    "JWTClaims": "doorkey.jose.claims",
    "JsonWebKey": "doorkey.jose.json_web_key",
    "JsonWebToken": "doorkey.jose.json_web_token",
    "KeySet": "doorkey.jose.key_set",
    **dict.fromkeys(("ECKey", "OKPKey", "OctKey", "RSAKey"), "doorkey.jose.keys"),
    "jwt": "doorkey.jose.json_web_token",
}


def __getattr__(name: str) -> Any:
    from doorkey.runtime.lazy import named

    return named(__name__, _MODULES, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

"""A program that verifies ID tokens: the kind of claims that was asked for is the kind that comes back."""

from collections.abc import Mapping
from typing import Any, assert_type

from doorkey import OAuth2Token
from doorkey.jose import (
    JsonWebEncryption,
    JsonWebKey,
    JsonWebSignature,
    JsonWebToken,
    JWTClaims,
    KeySet,
    RSAKey,
    jwt,
)
from doorkey.jose.encryption import decrypt, decrypt_nested
from doorkey.jose.keys import Key
from doorkey.oidc.core import CodeIDToken, HybridIDToken, UserInfo


def verified(resp: OAuth2Token, keys: dict[str, Any]) -> str:
    claims = jwt.decode(resp["id_token"], keys, claims_cls=CodeIDToken)
    assert_type(claims, CodeIDToken)
    claims.validate()
    claims.validate(now=1_700_000_000, leeway=30)
    assert_type(claims.sub, Any)
    assert_type(claims.header, Mapping[str, Any])
    assert_type(jwt.decode("a.b.c", keys), JWTClaims)
    assert_type(jwt.decode(b"a.b.c", keys, HybridIDToken, {"iss": {"essential": True}}, {"nonce": "n"}), HybridIDToken)
    user = UserInfo(claims)
    user.check_sub(claims.sub)
    return str(user.email)


def opened(pem: bytes) -> Any:
    assert_type(RSAKey.import_key(pem), RSAKey)
    assert_type(decrypt("a.b.c.d.e", pem, algorithms=["RSA-OAEP"]), bytes)
    assert_type(decrypt_nested("a.b.c.d.e", pem, algorithms="RSA-OAEP"), str)
    assert_type(JsonWebSignature(["RS256"]).deserialize_compact("a.b.c", pem).header, dict[str, Any])
    return (
        JsonWebEncryption().deserialize_compact(b"a.b.c.d.e", lambda header: header["kid"], decode=bytes.decode).payload
    )


def made(pem: str) -> bytes:
    assert_type(JsonWebKey.import_key(pem), Key)
    assert_type(JsonWebKey.import_key_set({"keys": []}), KeySet)
    JsonWebToken(["RS256"]).decode("a.b.c", lambda header: header["kid"])
    jwt.decode("a.b.c", pem, dict)  # type: ignore[type-var]  # pyright: ignore[reportArgumentType, reportCallIssue]
    return jwt.encode({"alg": "RS256"}, {"iss": "https://as.example"}, pem)

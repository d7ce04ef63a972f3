"""Seeds of the fuzz targets: inputs that the parsers accept, or reject only late.

The keys are generated when this module is imported, so that a mutated token is still checked with a key.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from doorkey.jose.encryption import encrypt
from doorkey.jose.generation import generate_key
from doorkey.jose.keys import import_key
from doorkey.jose.signing import sign
from doorkey.oidc.logout import EVENT
from tools.fuzz.messages import ISSUER, NOW, as_json, response

SIGNS = generate_key("ES256")
SECRET = b"s" * 32
DECRYPTS = [
    generate_key("ES256").as_dict(is_private=True, use="enc", alg=alg, kid=alg) for alg in ("ECDH-ES", "ECDH-ES+A128KW")
]
CLAIMS: dict[str, Any] = {
    "iss": ISSUER,
    "sub": "alice",
    "aud": ["client-1", "api"],
    "azp": "client-1",
    "exp": NOW + 300,
    "iat": NOW,
    "nbf": NOW,
    "auth_time": NOW,
    "nonce": "nonce",
    "acr": "2",
    "amr": ["pwd"],
    "client_id": "client-1",
    "jti": "1",
    "scope": "read write",
    "sid": "session",
    "cnf": {"x5t#S256": "A" * 43, "jkt": "B" * 43},
}
NAMED_SOURCES = {
    "_claim_names": {"address": "one", "income": "two"},
    "_claim_sources": {"one": {"JWT": "a.b.c"}, "two": {"endpoint": "https://claims.example/", "access_token": "at"}},
}
METADATA = {
    "issuer": ISSUER,
    "authorization_endpoint": f"{ISSUER}/authorize",
    "token_endpoint": f"{ISSUER}/token",
    "jwks_uri": f"{ISSUER}/jwks",
    "userinfo_endpoint": f"{ISSUER}/userinfo",
    "mtls_endpoint_aliases": {"token_endpoint": "https://mtls.as.example/token"},
    "authorization_response_iss_parameter_supported": True,
}


def _signed(claims: Mapping[str, object], typ: str = "JWT") -> bytes:
    return sign(claims, SIGNS, alg="ES256", header={"typ": typ}).encode()


def _encrypted(alg: str, enc: str) -> bytes:
    key = SECRET if alg == "A256KW" else next(key for key in DECRYPTS if key["alg"] == alg)
    return encrypt(_signed(CLAIMS), key, alg=alg, enc=enc, header={"cty": "JWT"}).encode()


TOKEN = {"access_token": "at", "token_type": "Bearer", "expires_in": 300, "refresh_token": "rt", "scope": "a b"}
SEEDS: dict[str, list[bytes]] = {
    "token_response": [
        response(TOKEN),
        response({**TOKEN, "id_token": _signed(CLAIMS).decode(), "token_type": "dpop", "expires_in": "300"}),
        response({"error": "invalid_grant", "error_description": "x", "error_uri": "https://e"}, 400),
        response({"error": "slow_down"}, 429, retry_after="5"),
        response(b"<html>", 502, "text/html"),
    ],
    "callback": [
        b"https://app.example/cb?code=c&state=state&iss=https%3A%2F%2Fas.example",
        b"https://app.example/cb#access_token=at&token_type=bearer&expires_in=300&state=state&id_token=a.b.c",
        b"https://app.example/cb?error=access_denied&error_description=no&state=state",
        as_json({"code": "c", "state": "state", "iss": ISSUER}),
        as_json({"url": ISSUER, "state": "state", "code_verifier": "v" * 43, "nonce": "n", "expires_at": NOW}),
    ],
    "jwt": [
        _signed(CLAIMS),
        _signed(CLAIMS, "at+jwt"),
        sign(CLAIMS, SECRET, alg="HS256").encode(),
        b"eyJhbGciOiJub25lIn0.e30.",
    ],
    "id_token": [as_json(CLAIMS), as_json({**CLAIMS, "at_hash": "x", "c_hash": "y"}), b"{}"],
    "logout": [
        as_json({**{name: CLAIMS[name] for name in ("iss", "aud", "iat", "exp", "jti", "sub")}, "events": {EVENT: {}}}),
        _signed({**CLAIMS, "events": {EVENT: {}}}, "logout+jwt"),
        b"https://app.example/logout?iss=https%3A%2F%2Fas.example&sid=session&state=state",
    ],
    "jwe": [
        _encrypted("ECDH-ES", "A128GCM"),
        _encrypted("ECDH-ES+A128KW", "A128CBC-HS256"),
        _encrypted("A256KW", "A256GCM"),
        as_json(CLAIMS),
    ],
    "jwks": [
        response({"keys": [SIGNS.as_dict(), import_key(SIGNS.as_pem()).as_dict(), {"kty": "AKP"}]}),
        response({"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "A" * 43, "use": "sig", "key_ops": ["verify"]}]}),
        response({"keys": [{"kty": "RSA", "n": "w" * 342, "e": "AQAB", "alg": "RS256", "x5c": ["AA"]}]}),
        response(SIGNS.as_pem()),
        response(as_json(SIGNS.as_dict(is_private=True))),
    ],
    "metadata": [
        response(METADATA),
        response({"resource": "https://api.example", "authorization_servers": [ISSUER], "scopes_supported": ["a"]}),
        response({"error": "not_found"}, 404),
    ],
    "challenge": [
        b'Bearer realm="x", error="invalid_token", error_description="y"',
        b'DPoP algs="ES256", Bearer error="insufficient_scope", scope="a b"',
        b"503\nRetry-After: Wed, 21 Oct 2026 07:28:00 GMT\nCache-Control: max-age=60, private\nAge: 3\n\n",
        b"200\nAuthorization: Bearer at\nExpires: 0\nDate: Wed, 21 Oct 2026 07:28:00 GMT\n\naccess_token=at",
    ],
    "introspection": [
        response({"active": True, **CLAIMS}),
        response({"active": False}),
        response(
            _signed({**CLAIMS, "token_introspection": {"active": True}}), 200, "application/token-introspection+jwt"
        ),
        response({**CLAIMS, "token_introspection": {"active": True, "exp": NOW + 60}}),
    ],
    "userinfo": [
        response({"sub": "alice", "name": "Alice", **NAMED_SOURCES}),
        response(_signed({"sub": "alice"}), 200, "application/jwt"),
        response({"error": "invalid_token"}, 401),
    ],
}

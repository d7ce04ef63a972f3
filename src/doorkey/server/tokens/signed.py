"""Signing and encrypting tokens and responses with the client's registered algorithms (RFC 7591 §2, OIDC Registration
§2)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Literal

from doorkey.arguments import members
from doorkey.errors import UsageError
from doorkey.jose.encryption import encrypt
from doorkey.jose.keys import import_key
from doorkey.jose.signing import sign
from doorkey.server.context import At
from doorkey.server.registrations import DEFAULT_ENC, SECRET_ALGS, Client

INTROSPECTION_TYPE = "token-introspection+jwt"


def id_token_alg(at: At, client: Client) -> str:
    """Return the algorithm of the client's ID tokens: the registered one, or the realm's default."""
    return client.id_token_signed_response_alg or at.settings.signing_alg


def userinfo_token(at: At, client: Client, claims: Mapping[str, Any]) -> str | None:
    """Return a userinfo response as the client registered it: signed, encrypted, or both (OpenID Connect Core §5.3.2).

    Return None if the client registered neither, so that the response is JSON.
    """
    alg = client.userinfo_signed_response_alg
    if alg is not None:
        signed = signed_for(at, client, {"iss": at.issuer, "aud": client.client_id, **claims}, alg)
        return encrypted_for(client, "userinfo", signed)
    if client.userinfo_encrypted_response_alg is None:
        return None
    return encrypted_for(client, "userinfo", json.dumps(dict(claims)), cty=None)


def encrypted_for(
    client: Client, what: Literal["id_token", "userinfo"], content: str, *, cty: str | None = "JWT"
) -> str:
    """Return `content` encrypted to a key of the client, or unchanged if the client registered no encryption of `what`.

    Raises `UsageError` if no key of the client fits its algorithm.
    """
    alg: str | None = getattr(client, f"{what}_encrypted_response_alg")
    enc: str | None = getattr(client, f"{what}_encrypted_response_enc")
    if alg is None:
        return content
    refused = UsageError(f"the client has no key for {alg}")
    for jwk in members((client.jwks or {}).get("keys", ()), "keys of a JWK Set must be a list"):
        try:
            header = {} if cty is None else {"cty": cty}
            return encrypt(content, import_key(jwk), alg=alg, enc=enc or DEFAULT_ENC, header=header)
        except UsageError as error:
            refused = error
    raise refused


def introspection_token(at: At, client: Client, response: Mapping[str, Any]) -> str:
    """Return an introspection response as a JWT (RFC 9701 §5)."""
    alg = client.introspection_signed_response_alg or at.settings.signing_alg
    claims = {"iss": at.issuer, "aud": client.client_id, "iat": int(at.now), "token_introspection": dict(response)}
    return signed_for(at, client, claims, alg, typ=INTROSPECTION_TYPE)


def signed_for(at: At, client: Client, claims: Mapping[str, Any], alg: str, *, typ: str = "JWT") -> str:
    """Return a JWT for `client`, signed with a key of the realm, or with the client's secret if `alg` is an HMAC.

    Raises `UsageError` if this secret is missing or too short for the algorithm (OIDC Core §10.1).
    """
    if alg not in SECRET_ALGS:
        return sign(claims, at.keys.signer(alg), alg=alg, header={"typ": typ})
    if client.secret is None:
        raise UsageError(f"{alg} signs with the client's secret, and this client has none")
    return sign(claims, client.secret, alg=alg, header={"typ": typ})

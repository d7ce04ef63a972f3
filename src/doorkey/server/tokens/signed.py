"""Signing what a client is sent by the algorithm that is registered for it (RFC 7591 §2, OIDC Registration §2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from doorkey.errors import UsageError
from doorkey.jose.signing import sign
from doorkey.server.context import At
from doorkey.server.registrations import SECRET_ALGS, Client

INTROSPECTION_TYPE = "token-introspection+jwt"


def id_token_alg(at: At, client: Client) -> str:
    """Return the algorithm of the client's ID tokens: its own, or the realm's."""
    return client.id_token_signed_response_alg or at.settings.signing_alg


def userinfo_token(at: At, client: Client, claims: Mapping[str, Any]) -> str:
    """Return a userinfo response as a JWT (OpenID Connect Core §5.3.2)."""
    alg = client.userinfo_signed_response_alg or at.settings.signing_alg
    return signed_for(at, client, {"iss": at.issuer, "aud": client.client_id, **claims}, alg)


def introspection_token(at: At, client: Client, response: Mapping[str, Any]) -> str:
    """Return an introspection response as a JWT (RFC 9701 §5)."""
    alg = client.introspection_signed_response_alg or at.settings.signing_alg
    claims = {"iss": at.issuer, "aud": client.client_id, "iat": int(at.now), "token_introspection": dict(response)}
    return signed_for(at, client, claims, alg, typ=INTROSPECTION_TYPE)


def signed_for(at: At, client: Client, claims: Mapping[str, Any], alg: str, *, typ: str = "JWT") -> str:
    """Return a JWT for `client`: signed with a key of the realm, or for HMAC with the client's secret.

    Raises `UsageError` for a secret that is missing or too short for the algorithm (OIDC Core §10.1).
    """
    if alg not in SECRET_ALGS:
        return sign(claims, at.keys.signer(alg), alg=alg, header={"typ": typ})
    if client.secret is None:
        raise UsageError(f"{alg} signs with the client's secret, and this client has none")
    return sign(claims, client.secret, alg=alg, header={"typ": typ})

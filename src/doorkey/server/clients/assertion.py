"""Client authentication by a signed assertion: client_secret_jwt and private_key_jwt (RFC 7523 §3)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from doorkey.errors import InvalidClient, UsageError, VerificationError
from doorkey.jose.algorithms import ASYMMETRIC
from doorkey.jose.verification import unsafe_claims, verify
from doorkey.server.clients.assertion_claims import AssertionClaims
from doorkey.server.context import At
from doorkey.server.registrations import CLIENT_SECRET_JWT, PRIVATE_KEY_JWT, Client
from doorkey.server.storage.effects import UseOnce
from doorkey.wire.flow import Flow

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
CLIENT_ASSERTION = "client assertion"
UNKNOWN = "Invalid client or Invalid client credentials"
MAX_LIFETIME = 300
"""Seconds that `exp` may lie in the future, because a longer-lived assertion is more likely to be stolen."""

_SYMMETRIC = ("HS256", "HS384", "HS512")


def subject_of(assertion: str, client_id: str | None) -> str:
    """Return the client ID in an assertion, for finding its registration. Nothing is verified yet.

    Raises `InvalidClient` if the assertion cannot be read, or differs from the `client_id` parameter.
    """
    try:
        subject = unsafe_claims(assertion).get("sub")
    except VerificationError:
        raise _unknown() from None
    if not isinstance(subject, str) or not subject:
        raise _unknown()
    if client_id not in (None, subject):
        raise _invalid_client("client_id parameter does not match sub claim")
    return subject


def check_assertion(assertion: str, client: Client, at: At) -> Flow[None]:
    """Check the signature of an assertion, its `iss`, `sub`, `aud`, `exp`, `nbf` and `iat`, and that its `jti` is new.

    Raises `InvalidClient`.
    """
    claims = _verified(assertion, client)
    if claims.get("iss") != client.client_id or claims.get("sub") != client.client_id:
        raise _unknown()
    reader = AssertionClaims(claims, _invalid_client)
    ends = at.endpoints
    reader.check_audience((at.issuer, ends.token, ends.introspection, ends.revocation))
    expires_at = _check_times(reader, at)
    # Last, so that only an otherwise valid assertion is used up.
    # JSON delimits the parts, so that no client can use up the `jti` of another client by a slash in its own.
    used = json.dumps([CLIENT_ASSERTION, client.client_id, reader.token_id()])
    if not (yield from UseOnce(used, expires_at + at.settings.clock_skew)):
        raise _invalid_client("Token reuse detected")


def _verified(assertion: str, client: Client) -> Mapping[str, Any]:
    keys, possible = _registered(client)
    allowed = [name for name in possible if not client.auth_algorithms or name in client.auth_algorithms]
    try:
        return verify(assertion, keys, algorithms=allowed).claims
    except (VerificationError, UsageError):
        raise _unknown() from None


def _registered(client: Client) -> tuple[object, tuple[str, ...]]:
    if CLIENT_SECRET_JWT in client.auth_methods and client.secret is not None:
        return client.secret, _SYMMETRIC
    if PRIVATE_KEY_JWT in client.auth_methods and client.jwks is not None:
        return client.jwks, ASYMMETRIC
    raise _invalid_client("the client does not authenticate by an assertion")


def _check_times(reader: AssertionClaims, at: At) -> float:
    skew = at.settings.clock_skew
    expires_at = reader.expires_at()
    if expires_at <= at.now - skew:
        raise _invalid_client("Token is not active")
    if expires_at > at.now + MAX_LIFETIME + skew:
        raise _invalid_client("Token expiration is too far in the future")
    for name in ("nbf", "iat"):
        if (reader.time(name) or 0) > at.now + skew:
            raise _invalid_client("Token is not active")
    return expires_at


def _invalid_client(description: str) -> InvalidClient:
    return InvalidClient(description=description, status=400)


def _unknown() -> InvalidClient:
    return InvalidClient(description=UNKNOWN, status=401)

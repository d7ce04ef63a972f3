"""The JWT bearer grant (RFC 7523 §2.1): an assertion of an issuer that the realm trusts identifies the user.

There is no session and no refresh token. A client that needs another token sends another assertion.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from doorkey.errors import InvalidGrant, UsageError, VerificationError
from doorkey.jose.algorithms import ASYMMETRIC
from doorkey.jose.verification import unsafe_claims, unsafe_header, verify
from doorkey.protocol.grants import JWT_BEARER
from doorkey.server.clients.assertion_claims import AssertionClaims
from doorkey.server.clients.scopes import granted_scope
from doorkey.server.context import At
from doorkey.server.registrations import Client, TrustedIssuer
from doorkey.server.responses.parameters import Parameters
from doorkey.server.storage.effects import FindLinkedUser, UseOnce
from doorkey.server.tokens.claims import about_user, profile
from doorkey.server.tokens.id_tokens import id_token_for
from doorkey.server.tokens.issuing import access_token_for, bare_answer
from doorkey.wire.flow import Flow


def grant_by_assertion(form: Parameters, client: Client, at: At) -> Flow[dict[str, Any]]:
    """Return the token response for a signed assertion. Raises `InvalidGrant` or `InvalidScope`."""
    assertion = form.get("assertion")
    if assertion is None:
        raise _invalid_grant("Missing parameter:assertion")
    issuer, subject = _issuer_and_subject(assertion, client, at)
    reader = AssertionClaims(_verified(assertion, issuer), _invalid_grant)
    usable_until = _check_times(reader, issuer, at.now)
    reader.check_audience((at.issuer, at.endpoints.token))
    token_id = reader.token_id()
    user = yield from FindLinkedUser(issuer.issuer, subject)
    if user is None:
        raise _invalid_grant("User not found")
    scope = granted_scope(client, form.get("scope"))
    # Last, so that only an otherwise valid assertion is used up.
    if not (yield from UseOnce(json.dumps([JWT_BEARER, issuer.issuer, token_id]), usable_until + 1)):
        raise _invalid_grant("Token reuse detected")
    token = access_token_for(at, client, scope, about_user(user, scope))
    identity = {"sub": user.sub, **profile(user, scope), **user.id_token_claims}
    id_token = id_token_for(at, client, identity, access_token=token) if "openid" in scope else None
    return bare_answer(at, token, scope, id_token=id_token)


def _issuer_and_subject(assertion: str, client: Client, at: At) -> tuple[TrustedIssuer, str]:
    """Return the trusted issuer in the claim `iss`, and the claim `sub`. Nothing is verified yet."""
    try:
        claims = unsafe_claims(assertion)
    except VerificationError:
        if assertion.count(".") == 2 and assertion.endswith("."):  # RFC 7519 §6: unsecured
            raise _invalid_grant("Invalid signature algorithm") from None
        raise _invalid_grant("The provided assertion is not a valid JWT") from None
    if client.is_public:
        raise _invalid_grant("Public client not allowed to use authorization grant")
    if JWT_BEARER not in client.grants:
        raise _invalid_grant("JWT Authorization Grant is not supported for the requested client")
    name, subject = (_text(claims, member) for member in ("iss", "sub"))
    issuer = next((one for one in at.settings.trusted_issuers if one.issuer == name), None)
    if issuer is None:
        raise _invalid_grant("No Identity Provider for provided issuer")
    return issuer, subject


def _text(claims: Mapping[str, Any], name: str) -> str:
    value = claims.get(name)
    if not isinstance(value, str):
        raise _invalid_grant(f"Missing claim: {name}")
    return value


def _verified(assertion: str, issuer: TrustedIssuer) -> Mapping[str, Any]:
    try:
        # Asymmetric algorithms only: a client that knew a shared secret could sign its own assertions.
        if unsafe_header(assertion).get("alg") not in ASYMMETRIC:
            raise _invalid_grant("Invalid signature algorithm")
        return verify(assertion, issuer.jwks, algorithms=issuer.algorithms).claims
    except (VerificationError, UsageError):
        raise _invalid_grant("Invalid signature") from None


def _check_times(reader: AssertionClaims, issuer: TrustedIssuer, now: float) -> float:
    """Return the POSIX seconds until which a second use must be detected. Raises `InvalidGrant` for invalid times."""
    expires_at, issued_at, begins_at = reader.expires_at(), reader.time("iat"), reader.time("nbf")
    if expires_at <= now or (begins_at or 0) > now:
        raise _invalid_grant("Token is not active")
    if issued_at is None:
        if expires_at > now + issuer.max_age:
            described = "Token expiration is too far in the future and iat claim not present in token"
            raise _invalid_grant(described)
        return expires_at
    if issued_at > now:
        raise _invalid_grant("Token was issued in the future")
    if issued_at < now - issuer.max_age:
        raise _invalid_grant("Token was issued too far in the past to be used now")
    return min(expires_at, issued_at + issuer.max_age)


def _invalid_grant(description: str) -> InvalidGrant:
    return InvalidGrant(description=description, status=400)

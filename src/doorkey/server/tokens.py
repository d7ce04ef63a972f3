"""Making the tokens of an answer, and reading our own back (RFC 9068 in spirit, OpenID Connect Core §2).

The member `typ` of the claims says what a token is: `Bearer`, `Refresh` or `ID`, and none is taken for
another. `sid` names the session and `gid` the grant in it that a token hangs on; a client's own token has
neither.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import uuid
from collections.abc import Mapping
from typing import Any

from doorkey.errors import OAuthError
from doorkey.jose.keys import Key
from doorkey.jose.signing import sign
from doorkey.jose.verification import verify
from doorkey.protocol.flow import Flow
from doorkey.server.context import At
from doorkey.server.keys import REFRESH_ALG, SIGNING_ALG
from doorkey.server.model import Client, Grant, Session, User
from doorkey.server.storage import FindSession, FindUser, IsRevoked

ACCESS, REFRESH, ID = "Bearer", "Refresh", "ID"


def new_id() -> str:
    """Return a fresh id for a token, session or grant: a random UUID, as Keycloak's are."""
    return str(uuid.UUID(bytes=secrets.token_bytes(16), version=4))


def user_answer(at: At, client: Client, user: User, session: Session, grant: Grant) -> dict[str, Any]:
    """Return the token response for a grant in a session (RFC 6749 §5.1)."""
    access_token = sign(
        {
            **_common(at, client, ACCESS, at.settings.access_token_lifetime),
            **_audience(client, grant.scope),
            "sub": user.sub,
            "sid": session.id,
            "gid": grant.id,
            "scope": " ".join(grant.scope),
            "realm_access": {"roles": list(user.roles)},
            **profile(user, grant.scope),
        },
        at.keys.signing,
        alg=SIGNING_ALG,
    )
    answer: dict[str, Any] = {"access_token": access_token, "expires_in": at.settings.access_token_lifetime}
    answer["refresh_expires_in"] = _session_left(at, session)
    answer["refresh_token"] = _refresh_token(at, client, user, session, grant)
    answer["token_type"] = ACCESS
    if "openid" in grant.scope:
        answer["id_token"] = _id_token(at, client, user, session, grant, access_token=access_token)
    answer["not-before-policy"] = 0
    answer["session_state"] = session.id
    answer["scope"] = " ".join(grant.scope)
    return answer


def client_answer(at: At, client: Client, scope: tuple[str, ...]) -> dict[str, Any]:
    """Return the token response for a client that asks for itself (RFC 6749 §4.4.3): without a refresh
    token."""
    claims = {
        **_common(at, client, ACCESS, at.settings.access_token_lifetime),
        **_audience(client, scope),
        "sub": str(uuid.uuid5(uuid.NAMESPACE_URL, f"service-account:{client.client_id}")),
        "client_id": client.client_id,
        "preferred_username": f"service-account-{client.client_id.lower()}",
        "scope": " ".join(scope),
    }
    return {
        "access_token": sign(claims, at.keys.signing, alg=SIGNING_ALG),
        "expires_in": at.settings.access_token_lifetime,
        "refresh_expires_in": 0,
        "token_type": "Bearer",
        "not-before-policy": 0,
        "scope": " ".join(scope),
    }


def read_own(at: At, token: str, kind: str) -> Mapping[str, Any] | None:
    """Return the claims of a token of this issuer and of that `kind`, expired or not, or None if it is not
    one."""
    key, alg = (at.keys.refresh, REFRESH_ALG) if kind == REFRESH else (at.keys.signing, SIGNING_ALG)
    claims = _verified(token, key, alg)
    if claims is None or claims.get("iss") != at.issuer or claims.get("typ") != kind:
        return None
    return claims


def is_expired(at: At, claims: Mapping[str, Any]) -> bool:
    """Say whether `exp` has come."""
    return bool(claims["exp"] <= at.now)


def live_access_token(at: At, token: str) -> Flow[tuple[Mapping[str, Any], User | None] | None]:
    """Return the claims of an access token that counts now, and its user (None for a client's own token).

    None stands for one that is not ours, expired or revoked, or whose session or grant has ended.
    """
    claims = read_own(at, token, ACCESS)
    if claims is None or is_expired(at, claims) or (yield from IsRevoked(claims["jti"])):
        return None
    if "sid" not in claims:
        return claims, None
    session = yield from FindSession(claims["sid"])
    if session is None or session.grant(claims["gid"]) is None:
        return None
    user = yield from FindUser(claims["sub"])
    return None if user is None else (claims, user)


def profile(user: User, scope: tuple[str, ...]) -> dict[str, Any]:
    """Return the claims about a user that a scope opens (OpenID Connect Core §5.4)."""
    claims: dict[str, Any] = {}
    if "email" in scope and user.email:
        claims |= {"email_verified": True, "email": user.email}
    if "profile" in scope:
        name = " ".join(part for part in (user.given_name, user.family_name) if part)
        claims |= {"preferred_username": user.username}
        claims |= {"name": name} if name else {}
        claims |= {"given_name": user.given_name} if user.given_name else {}
        claims |= {"family_name": user.family_name} if user.family_name else {}
    return claims


def _common(at: At, client: Client, kind: str, lifetime: int) -> dict[str, Any]:
    issued_at = int(at.now)
    return {
        "exp": issued_at + lifetime,
        "iat": issued_at,
        "jti": new_id(),
        "iss": at.issuer,
        "typ": kind,
        "azp": client.client_id,
    }


def _audience(client: Client, scope: tuple[str, ...]) -> dict[str, Any]:
    audiences = [client.audiences[token] for token in scope if token in client.audiences]
    return {"aud": audiences[0] if len(audiences) == 1 else audiences} if audiences else {}


def _session_left(at: At, session: Session) -> int:
    return max(0, int(session.expires_at(at.settings) - at.now))


def _refresh_token(at: At, client: Client, user: User, session: Session, grant: Grant) -> str:
    claims = {
        **_common(at, client, REFRESH, _session_left(at, session)),
        "aud": at.issuer,
        "sub": user.sub,
        "sid": session.id,
        "gid": grant.id,
        "scope": " ".join(grant.scope),
    }
    if grant.refresh_id is not None:
        claims["jti"] = grant.refresh_id
    return sign(claims, at.keys.refresh, alg=REFRESH_ALG)


def _id_token(
    at: At, client: Client, user: User, session: Session, grant: Grant, *, access_token: str
) -> str:
    digest = hashlib.sha256(access_token.encode("ascii")).digest()[:16]
    claims = {
        **_common(at, client, ID, at.settings.access_token_lifetime),
        "aud": client.client_id,
        "sub": user.sub,
        "sid": session.id,
        "auth_time": int(session.started_at),
        "at_hash": base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii"),
        **({"nonce": grant.nonce} if grant.nonce else {}),
        **profile(user, grant.scope),
    }
    return sign(claims, at.keys.signing, alg=SIGNING_ALG)


def _verified(token: str, key: Key, alg: str) -> Mapping[str, Any] | None:
    try:
        return verify(token, key, algorithms=(alg,), typ="JWT").claims
    except OAuthError:
        return None

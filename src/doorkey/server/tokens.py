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

from doorkey.errors import InvalidToken, OAuthError
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
    hangs_on = {"sid": session.id, "gid": grant.id}
    about = {
        **_for_anybody(at, client, grant.scope),
        "sub": user.sub,
        **_auth_time(session, grant),
        "realm_access": {"roles": list(user.roles)},
        **profile(user, grant.scope),
    }
    access_token = _access_token(at, client, grant.scope, {**hangs_on, **({} if client.lightweight else about)})
    sub = {} if client.lightweight else {"sub": user.sub}
    refresh_token = _refresh_token(at, client, session, grant, {**hangs_on, **sub})
    answer: dict[str, Any] = {
        "access_token": access_token,
        "expires_in": at.settings.access_token_lifetime,
        "refresh_expires_in": _session_left(at, session),
        "refresh_token": refresh_token,
        "token_type": ACCESS,
    }
    if "openid" in grant.scope:
        about = {"sub": user.sub, "sid": session.id, **_auth_time(session, grant), **profile(user, grant.scope)}
        about |= {"nonce": grant.nonce} if grant.nonce else {}
        answer["id_token"] = _id_token(at, client, access_token, about)
    answer["not-before-policy"] = 0
    answer["session_state"] = session.id
    answer["scope"] = " ".join(grant.scope)
    return answer


def client_answer(at: At, client: Client, scope: tuple[str, ...]) -> dict[str, Any]:
    """Return the token response for a client by itself, without a refresh token (RFC 6749 §4.4.3)."""
    name = f"service-account-{client.client_id.lower()}"
    account = {
        "sub": str(uuid.uuid5(uuid.NAMESPACE_URL, f"doorkey:{name}")),
        "email_verified": False,
        "preferred_username": name,
    }
    about: dict[str, Any] = {"client_id": client.client_id, "realm_access": {"roles": []}}
    access_token = _access_token(at, client, scope, {**_for_anybody(at, client, scope), **account, **about})
    answer: dict[str, Any] = {
        "access_token": access_token,
        "expires_in": at.settings.access_token_lifetime,
        "refresh_expires_in": 0,
        "token_type": ACCESS,
    }
    if "openid" in scope:
        answer["id_token"] = _id_token(at, client, access_token, account)
    answer["not-before-policy"] = 0
    answer["scope"] = " ".join(scope)
    return answer


def read_own(at: At, token: str, kind: str) -> Mapping[str, Any] | None:
    """Return the claims of a token that is of this issuer and that `kind`, expired or not, or None."""
    key, alg = (at.keys.refresh, REFRESH_ALG) if kind == REFRESH else (at.keys.signing, SIGNING_ALG)
    claims = _verified(token, key, alg)
    if claims is None or claims.get("iss") != at.issuer or claims.get("typ") != kind:
        return None
    return claims


def is_expired(at: At, claims: Mapping[str, Any]) -> bool:
    """Say whether `exp` has come."""
    return bool(claims["exp"] <= at.now)


def live_access_token(at: At, token: str) -> Flow[tuple[Mapping[str, Any], User | None]]:
    """Return the claims of an access token that counts now, and its user (None for a client's own token).

    Raises `InvalidToken` for one that is not ours, expired or revoked, or whose session or grant has ended.
    """
    claims = read_own(at, token, ACCESS)
    if claims is None or is_expired(at, claims) or (yield from IsRevoked(claims["jti"])):
        raise InvalidToken(description="Token verification failed", status=401)
    if "sid" not in claims:
        return claims, None
    session = yield from FindSession(claims["sid"])
    user = (yield from FindUser(session.sub)) if session else None
    if session is None or session.grant(claims["gid"]) is None or user is None:
        raise InvalidToken(description="user_session_not_found", status=401)
    return claims, user


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


def _for_anybody(at: At, client: Client, scope: tuple[str, ...]) -> dict[str, Any]:
    """Return what an access token says that is no `lightweight` one, whoever it is about."""
    audiences = [client.audiences[token] for token in scope if token in client.audiences]
    audiences += [at.settings.audience] if at.settings.audience else []
    aud = {"aud": audiences[0] if len(audiences) == 1 else audiences} if audiences else {}
    return {**aud, "acr": "1", **at.settings.access_token_claims}


def _auth_time(session: Session, grant: Grant) -> dict[str, Any]:
    return {"auth_time": int(session.started_at)} if grant.by_login_page else {}


def _session_left(at: At, session: Session) -> int:
    return max(0, int(session.expires_at(at.settings) - at.now))


def _access_token(at: At, client: Client, scope: tuple[str, ...], about: Mapping[str, Any]) -> str:
    common = _common(at, client, ACCESS, at.settings.access_token_lifetime)
    return sign({**common, **about, "scope": " ".join(scope)}, at.keys.signing, alg=SIGNING_ALG)


def _refresh_token(at: At, client: Client, session: Session, grant: Grant, about: Mapping[str, Any]) -> str:
    claims = {
        **_common(at, client, REFRESH, _session_left(at, session)),
        "aud": at.issuer,
        **about,
        "scope": " ".join(grant.scope),
        **({"jti": grant.refresh_id} if grant.refresh_id else {}),
    }
    return sign(claims, at.keys.refresh, alg=REFRESH_ALG)


def _id_token(at: At, client: Client, access_token: str, about: Mapping[str, Any]) -> str:
    """Return an ID token; `at_hash` is half of the access token's SHA-256 (OIDC Core §3.1.3.6)."""
    digest = hashlib.sha256(access_token.encode("ascii")).digest()[:16]
    claims = {
        **_common(at, client, ID, at.settings.access_token_lifetime),
        "aud": client.client_id,
        "acr": "1",
        "at_hash": base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii"),
        **about,
    }
    return sign(claims, at.keys.signing, alg=SIGNING_ALG)


def _verified(token: str, key: Key, alg: str) -> Mapping[str, Any] | None:
    try:
        return verify(token, key, algorithms=(alg,), typ="JWT").claims
    except OAuthError:
        return None

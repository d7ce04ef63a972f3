"""Making the tokens of an answer (RFC 9068 in spirit, OpenID Connect Core §2); `reading` reads them back.

The claim `typ` is the kind of a token: `Bearer`, `Refresh`, `ID`, or `Login` for a login in progress. No kind is taken
for another. `sid` names the session and `gid` the grant in it on which a token depends; a client's own token has
neither, nor has one that was given for an assertion.
"""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Mapping
from typing import Any

from doorkey.jose.signing import sign
from doorkey.oidc.core.hashes import half_hash
from doorkey.server.context import At
from doorkey.server.model import Client, Grant, Session, User
from doorkey.server.tokens.keys import REFRESH_ALG, SIGNING_ALG

ACCESS, REFRESH, ID, LOGIN = "Bearer", "Refresh", "ID", "Login"


def new_id() -> str:
    """Return a fresh id for a token, session or grant: a random UUID, as Keycloak's are."""
    return str(uuid.UUID(bytes=secrets.token_bytes(16), version=4))


def user_answer(at: At, client: Client, user: User, session: Session, grant: Grant) -> dict[str, Any]:
    """Return the token response for a grant in a session (RFC 6749 §5.1)."""
    auth_time = {"auth_time": int(session.started_at)} if grant.by_login_page else {}
    hangs_on = {"sid": session.id, "gid": grant.id}
    access_token = access_token_for(at, client, grant.scope, {**auth_time, **about_user(user, grant.scope)}, hangs_on)
    answer: dict[str, Any] = {
        "access_token": access_token,
        "expires_in": at.settings.access_token_lifetime,
        "refresh_expires_in": _session_left(at, session),
        "refresh_token": _refresh_token(at, client, user, session, grant),
        "token_type": ACCESS,
    }
    if "openid" in grant.scope:
        about = {"sub": user.sub, "sid": session.id, **auth_time, **profile(user, grant.scope)}
        about |= {"nonce": grant.nonce} if grant.nonce else {}
        answer["id_token"] = id_token_for(at, client, about, access_token)
    answer["not-before-policy"] = 0
    answer["session_state"] = session.id
    answer["scope"] = " ".join(grant.scope)
    return answer


def bare_answer(at: At, token: str, scope: tuple[str, ...], *, id_token: str | None = None) -> dict[str, Any]:
    """Return the token response for an access token that no refresh token comes with."""
    return {
        "access_token": token,
        "expires_in": at.settings.access_token_lifetime,
        "refresh_expires_in": 0,
        "token_type": ACCESS,
        **({"id_token": id_token} if id_token else {}),
        "not-before-policy": 0,
        "scope": " ".join(scope),
    }


def access_token_for(
    at: At,
    client: Client,
    scope: tuple[str, ...],
    about: Mapping[str, Any],
    hangs_on: Mapping[str, str] | None = None,
    *,
    audience: tuple[str, ...] = (),
) -> str:
    """Return an access token for `client`, `about` a subject; it ends with the session and grant that it `hangs_on`.

    `audience` keeps only these members of the audience that the scope opens (RFC 8693 §2.1).
    """
    meant_for = [name for name in audiences_of(at, client, scope) if not audience or name in audience]
    said: dict[str, Any] = {**at.settings.access_token_claims, "acr": "1"}
    if audience and "resource_access" in said:
        said["resource_access"] = {k: v for k, v in said["resource_access"].items() if k in meant_for}
    claims = {
        **_common(at, client, ACCESS, at.settings.access_token_lifetime),
        **({"aud": meant_for[0] if len(meant_for) == 1 else meant_for} if meant_for else {}),
        **({"allowed-origins": list(client.web_origins)} if client.web_origins else {}),
        **said,
        **about,
    }
    if client.lightweight and hangs_on:
        claims = _common(at, client, ACCESS, at.settings.access_token_lifetime)
    return sign({**claims, **(hangs_on or {}), "scope": " ".join(scope)}, at.keys.signing, alg=SIGNING_ALG)


def id_token_for(at: At, client: Client, about: Mapping[str, Any], access_token: str | None = None) -> str:
    """Return an ID token; `at_hash` is half of the access token's SHA-256 (OIDC Core §3.1.3.6)."""
    claims = {
        **_common(at, client, ID, at.settings.access_token_lifetime),
        "aud": client.client_id,
        "acr": "1",
        **({"at_hash": half_hash(access_token, SIGNING_ALG)} if access_token else {}),
        **about,
    }
    return sign(claims, at.keys.signing, alg=SIGNING_ALG)


def audiences_of(at: At, client: Client, scope: tuple[str, ...]) -> list[str]:
    """Return the audience of the access tokens of `client` with that scope."""
    audiences = [client.audiences[token] for token in scope if token in client.audiences]
    return audiences + ([at.settings.audience] if at.settings.audience else [])


def about_user(user: User, scope: tuple[str, ...]) -> dict[str, Any]:
    """Return the claims of an access token about a user."""
    return {"sub": user.sub, "realm_access": {"roles": list(user.roles)}, **profile(user, scope)}


def service_account(client: Client) -> dict[str, Any]:
    """Return the claims about the account that stands for a client itself."""
    name = f"service-account-{client.client_id.lower()}"
    return {"sub": _account_sub(name), "email_verified": False, "preferred_username": name}


def is_service_account(claims: Mapping[str, Any]) -> bool:
    """Return whether the claims of one of our tokens are about a client itself, and not about a user."""
    return bool(claims.get("sub") == _account_sub(str(claims.get("preferred_username"))))


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


def _account_sub(name: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"doorkey:{name}"))


def _session_left(at: At, session: Session) -> int:
    return max(0, int(session.expires_at(at.settings) - at.now))


def _refresh_token(at: At, client: Client, user: User, session: Session, grant: Grant) -> str:
    claims = {
        **_common(at, client, REFRESH, _session_left(at, session)),
        "aud": at.issuer,
        "sid": session.id,
        "gid": grant.id,
        **({} if client.lightweight else {"sub": user.sub}),
        "scope": " ".join(grant.scope),
        **({"jti": grant.refresh_id} if grant.refresh_id else {}),
    }
    return sign(claims, at.keys.refresh, alg=REFRESH_ALG)

"""ID tokens (OpenID Connect Core §2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from doorkey.oidc.core.hashes import half_hash
from doorkey.server.context import At
from doorkey.server.model import Grant, Session
from doorkey.server.registrations import Client, User
from doorkey.server.tokens.claims import common_claims, profile
from doorkey.server.tokens.kinds import ID
from doorkey.server.tokens.signed import encrypted_for, id_token_alg, signed_for


def id_token_for(
    at: At,
    client: Client,
    about: Mapping[str, Any],
    *,
    access_token: str | None = None,
    code: str | None = None,
    state: str | None = None,
) -> str:
    """Return an ID token `about` a subject, signed and encrypted as `client` registered it."""
    claims = id_token_claims(at, client, about, access_token=access_token, code=code, state=state)
    return encrypted_for(client, "id_token", signed_for(at, client, claims, id_token_alg(at, client)))


def id_token_claims(
    at: At,
    client: Client,
    about: Mapping[str, Any],
    *,
    access_token: str | None = None,
    code: str | None = None,
    state: str | None = None,
) -> dict[str, Any]:
    """Return the claims of an ID token `about` a subject.

    `at_hash`, `c_hash` and `s_hash` bind it to the access token, code and state in the same response. Each is half of a
    hash, by the hash function of the ID token's algorithm (OIDC Core §3.1.3.6, §3.3.2.11).
    """
    alg = id_token_alg(at, client)
    with_it = {"at_hash": access_token, "c_hash": code, "s_hash": state}
    return {
        **common_claims(at, client, ID, at.settings.access_token_lifetime),
        "aud": client.client_id,
        "acr": at.settings.acr_values[0],
        **{name: half_hash(value, alg) for name, value in with_it.items() if value is not None},
        **client.id_token_claims,
        **about,
    }


def about_login(user: User, session: Session, grant: Grant) -> dict[str, Any]:
    """Return the claims of an ID token about a user's login and the grant of a client in it."""
    return {
        "sub": user.sub,
        "sid": session.id,
        "acr": session.acr,
        **({"auth_time": int(session.started_at)} if grant.by_login_page else {}),
        **profile(user, grant.scope),
        **({"nonce": grant.nonce} if grant.nonce else {}),
        **user.id_token_claims,
    }

"""The claims of tokens: claims about the token itself, about a user, and about a client's own account."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Mapping
from typing import Any

from doorkey.server.context import At
from doorkey.server.registrations import Client, User


def new_id() -> str:
    """Return a new ID for a token, session or grant: a random UUID, as in Keycloak."""
    return str(uuid.UUID(bytes=secrets.token_bytes(16), version=4))


def common_claims(at: At, client: Client, kind: str, lifetime: int) -> dict[str, Any]:
    """Return the claims of every token of a `kind` for `client` that is valid for `lifetime` seconds."""
    issued_at = int(at.now)
    return {
        "exp": issued_at + lifetime,
        "iat": issued_at,
        "jti": new_id(),
        "iss": at.issuer,
        "typ": kind,
        "azp": client.client_id,
    }


def about_user(user: User, scope: tuple[str, ...]) -> dict[str, Any]:
    """Return the claims of an access token about a user."""
    roles = {"realm_access": {"roles": list(user.roles)}}
    return {"sub": user.sub, **roles, **profile(user, scope), **user.access_token_claims}


def service_account(client: Client) -> dict[str, Any]:
    """Return the claims about a client's own account (Keycloak's service account)."""
    name = f"service-account-{client.client_id.lower()}"
    return {"sub": _account_sub(name), "email_verified": False, "preferred_username": name}


def is_service_account(claims: Mapping[str, Any]) -> bool:
    """Return whether the claims of a token of this issuer are about a client's own account, and not about a user."""
    return bool(claims.get("sub") == _account_sub(str(claims.get("preferred_username"))))


def profile(user: User, scope: tuple[str, ...]) -> dict[str, Any]:
    """Return the claims about a user that `scope` requests (OpenID Connect Core §5.4)."""
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


def _account_sub(name: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"doorkey:{name}"))

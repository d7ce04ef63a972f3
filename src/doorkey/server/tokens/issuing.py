"""Making the tokens of a response (RFC 6749 §5.1, RFC 9068). The module `reading` reads them back.

The claim `sid` names the session, and `gid` the grant in it, on which a token depends. A token of a client's own
account has neither, nor has a token that was issued for an assertion.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from doorkey.jose.signing import sign
from doorkey.server.context import At
from doorkey.server.model import Grant, Session
from doorkey.server.registrations import Client, User
from doorkey.server.tokens.claims import about_user, common_claims
from doorkey.server.tokens.id_tokens import about_login, id_token_for
from doorkey.server.tokens.keys import REFRESH_ALG
from doorkey.server.tokens.kinds import ACCESS, REFRESH


def user_answer(at: At, client: Client, user: User, session: Session, grant: Grant) -> dict[str, Any]:
    """Return the token response for a grant in a session (RFC 6749 §5.1)."""
    access_token = access_token_of(at, client, user, session, grant)
    answer: dict[str, Any] = {
        "access_token": access_token,
        "expires_in": at.settings.access_token_lifetime,
        "refresh_expires_in": _session_left(at, session),
        "refresh_token": _refresh_token(at, client, user, session, grant),
        "token_type": ACCESS,
    }
    if "openid" in grant.scope:
        answer["id_token"] = id_token_for(at, client, about_login(user, session, grant), access_token=access_token)
    answer["not-before-policy"] = 0
    answer["session_state"] = session.id
    answer["scope"] = " ".join(grant.scope)
    return answer


def bare_answer(at: At, token: str, scope: tuple[str, ...], *, id_token: str | None = None) -> dict[str, Any]:
    """Return a token response without a refresh token, for the access token or ID token `token`."""
    return {
        "access_token": token,
        "expires_in": at.settings.access_token_lifetime,
        "refresh_expires_in": 0,
        "token_type": ACCESS,
        **({"id_token": id_token} if id_token else {}),
        "not-before-policy": 0,
        "scope": " ".join(scope),
    }


def access_token_of(at: At, client: Client, user: User, session: Session, grant: Grant) -> str:
    """Return the access token of a grant in a session."""
    auth_time = {"auth_time": int(session.started_at)} if grant.by_login_page else {}
    about = {**auth_time, **about_user(user, grant.scope), "acr": session.acr}
    return access_token_for(at, client, grant.scope, about, {"sid": session.id, "gid": grant.id})


def access_token_for(
    at: At,
    client: Client,
    scope: tuple[str, ...],
    about: Mapping[str, Any],
    depends_on: Mapping[str, str] | None = None,
    *,
    audience: tuple[str, ...] = (),
) -> str:
    """Return an access token for `client`.

    scope: the scope tokens.
    about: the claims about the subject.
    depends_on: the claims `sid` and `gid` of the session and grant with which the token ends.
    audience: if not empty, the audience is limited to these members of the audience of `scope` (RFC 8693 §2.1).
    """
    alg, typ = at.settings.signing_alg, "at+jwt" if at.settings.rfc9068 else "JWT"
    claims = access_token_claims(at, client, scope, about, depends_on, audience=audience)
    return sign(claims, at.keys.signer(alg), alg=alg, header={"typ": typ})


def access_token_claims(
    at: At,
    client: Client,
    scope: tuple[str, ...],
    about: Mapping[str, Any],
    depends_on: Mapping[str, str] | None = None,
    *,
    audience: tuple[str, ...] = (),
) -> dict[str, Any]:
    """Return the claims of an access token in the format of the realm: Keycloak's, or that of RFC 9068 §2.2."""
    meant_for = [name for name in audiences_of(at, client, scope) if not audience or name in audience]
    claims: dict[str, Any] = {
        **common_claims(at, client, ACCESS, at.settings.access_token_lifetime),
        **({"aud": meant_for[0] if len(meant_for) == 1 else meant_for} if meant_for else {}),
        **({"allowed-origins": list(client.web_origins)} if client.web_origins else {}),
        **at.settings.access_token_claims,
        "acr": at.settings.acr_values[0],
        **client.access_token_claims,
        **about,
    }
    if audience and "resource_access" in claims:  # Keycloak's roles at other APIs would be of no use
        claims["resource_access"] = {api: roles for api, roles in claims["resource_access"].items() if api in meant_for}
    if client.lightweight and depends_on:
        claims = common_claims(at, client, ACCESS, at.settings.access_token_lifetime)
    claims |= {**(depends_on or {}), "scope": " ".join(scope)}
    return in_rfc9068(claims, at.issuer) if at.settings.rfc9068 else claims


def in_rfc9068(claims: Mapping[str, Any], issuer: str) -> dict[str, Any]:
    """Return the claims of an access token in the format of RFC 9068 §2.2. The default audience is the issuer."""
    others = {name: value for name, value in claims.items() if name not in ("typ", "azp", "allowed-origins")}
    return {"aud": issuer, "client_id": claims["azp"], **others}


def audiences_of(at: At, client: Client, scope: tuple[str, ...]) -> list[str]:
    """Return the audience of the access tokens of `client` with this scope."""
    audiences = [client.audiences[token] for token in scope if token in client.audiences]
    return audiences + ([at.settings.audience] if at.settings.audience else [])


def _session_left(at: At, session: Session) -> int:
    return max(0, int(session.expires_at(at.settings) - at.now))


def _refresh_token(at: At, client: Client, user: User, session: Session, grant: Grant) -> str:
    claims = {
        **common_claims(at, client, REFRESH, _session_left(at, session)),
        "aud": at.issuer,
        "sid": session.id,
        "gid": grant.id,
        **({} if client.lightweight else {"sub": user.sub}),
        "scope": " ".join(grant.scope),
        **({"jti": grant.refresh_id} if grant.refresh_id else {}),
    }
    return sign(claims, at.keys.refresh, alg=REFRESH_ALG)

"""Token exchange (RFC 8693), to the extent of Keycloak's standard token exchange: an access token of this issuer for
another access token or an ID token.

The new token depends on the session and the grant of the subject token, so it ends with them, and nothing is stored. A
client may exchange a token that was issued to it or that has it in the audience.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from doorkey.errors import AccessDenied, InvalidClient, InvalidRequest, InvalidToken
from doorkey.jose.claim_rules import audiences
from doorkey.protocol.grants import ACCESS_TOKEN_TYPE, TOKEN_EXCHANGE
from doorkey.server.clients.scopes import granted_scope
from doorkey.server.context import At
from doorkey.server.registrations import Client, User
from doorkey.server.responses.parameters import Parameters
from doorkey.server.storage.effects import FindClient, FindSession
from doorkey.server.tokens.claims import about_user, profile
from doorkey.server.tokens.id_tokens import id_token_for
from doorkey.server.tokens.issuing import access_token_for, audiences_of, bare_answer
from doorkey.server.tokens.reading import live_access_token
from doorkey.wire.flow import Flow

ID_TOKEN_TYPE = "urn:ietf:params:oauth:token-type:id_token"
NOT_AN_ACCESS_TOKEN = "N_A"  # RFC 8693 §2.2.1

_UNSUPPORTED = ("subject_issuer", "requested_issuer", "requested_subject")


def exchange_token(form: Parameters, client: Client, at: At) -> Flow[dict[str, Any]]:
    """Return the token response for a subject token.

    Raises `InvalidRequest`, `InvalidClient` for an unknown audience, `InvalidScope`, or `AccessDenied` if the token was
    neither issued to the client nor has it in the audience.
    """
    claims, user = yield from _subject(form, client, at)
    wanted = form.get("requested_token_type") or ACCESS_TOKEN_TYPE
    if wanted not in (ACCESS_TOKEN_TYPE, ID_TOKEN_TYPE):
        raise _invalid_request("requested_token_type unsupported")
    audience = form.all("audience")
    yield from _check_known(audience, client, at)
    if client.client_id not in (claims["azp"], *audiences(claims)):
        raise AccessDenied(description="Client is not within the token audience", status=403)
    requested_scope = form.get("scope")
    scope = yield from _scope(requested_scope, client, claims)
    missing = [name for name in audience if name not in audiences_of(at, client, scope)]
    if missing:
        raise _invalid_request(f"Requested audience not available: {', '.join(dict.fromkeys(missing))}")

    about = about_user(user, scope) if user else _account(claims)
    about |= {name: claims[name] for name in ("auth_time", "acr") if name in claims}
    identity = _identity(about, claims, user, scope)
    session = {"session_state": claims["sid"]} if "sid" in claims else {}
    if wanted == ID_TOKEN_TYPE:
        token = id_token_for(at, client, identity)
        answer = bare_answer(at, token, scope) | {"token_type": NOT_AN_ACCESS_TOKEN}
    else:
        depends_on = {name: claims[name] for name in ("sid", "gid") if name in claims}
        token = access_token_for(at, client, scope, about, depends_on, audience=audience)
        # Only for a scope of this request, because `openid` may also come from the session.
        with_id_token = requested_scope is not None and "openid" in scope
        id_token = id_token_for(at, client, identity, access_token=token) if with_id_token else None
        answer = bare_answer(at, token, scope, id_token=id_token)
    return {**answer, **session, "issued_token_type": wanted}


def _subject(form: Parameters, client: Client, at: At) -> Flow[tuple[Mapping[str, Any], User | None]]:
    """Return the claims of the subject token, and its user, or None for the token of a client's own account."""
    if client.is_public or TOKEN_EXCHANGE not in client.grants:
        raise _invalid_request("Standard token exchange is not enabled for the requested client")
    for name in _UNSUPPORTED:
        if form.get(name) is not None:
            raise _invalid_request(f"Parameter '{name}' is not supported for standard token exchange")
    missing = "Parameter '{}' required for standard token exchange"
    token = form.need("subject_token", description=missing.format("subject_token"))
    kind = form.need("subject_token_type", description=missing.format("subject_token_type"))
    if kind != ACCESS_TOKEN_TYPE:
        raise _invalid_request("Parameter 'subject_token' supports access tokens only")
    try:
        return (yield from live_access_token(at, token))
    except InvalidToken:
        raise _invalid_request("Invalid token") from None


def _check_known(audience: tuple[str, ...], client: Client, at: At) -> Flow[None]:
    for name in audience:
        known = name == at.settings.audience or name in client.audiences.values()
        if not known and (yield from FindClient(name)) is None:
            raise InvalidClient(description="Audience not found", status=400)


def _scope(requested_scope: str | None, client: Client, claims: Mapping[str, Any]) -> Flow[tuple[str, ...]]:
    """Return the requested scope, or the default scopes, with `openid` if the client's grant in the session has it."""
    scope = granted_scope(client, requested_scope)
    if requested_scope is None and "sid" in claims:
        session = yield from FindSession(claims["sid"])
        grant = session.grant(claims["gid"]) if session else None
        if grant is not None and grant.client_id == client.client_id and "openid" in grant.scope:
            return ("openid", *scope)
    return scope


def _account(claims: Mapping[str, Any]) -> dict[str, Any]:
    """Return the claims about a client's own account, from the `claims` of its token."""
    kept = ("sub", "realm_access", "email_verified", "preferred_username")
    return {name: claims[name] for name in kept if name in claims}


def _identity(
    about: Mapping[str, Any], claims: Mapping[str, Any], user: User | None, scope: tuple[str, ...]
) -> dict[str, Any]:
    """Return the claims of an ID token for the same subject."""
    named = {name: about[name] for name in ("sub", "auth_time", "acr") if name in about}
    session = {"sid": claims["sid"]} if "sid" in claims else {}
    return {**named, **session, **({**profile(user, scope), **user.id_token_claims} if user else {})}


def _invalid_request(description: str) -> InvalidRequest:
    return InvalidRequest(description=description, status=400)

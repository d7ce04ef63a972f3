"""The token endpoint: one request and one strict parser for every grant (RFC 6749 §3.2, §5)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final

from doorkey.arguments import text
from doorkey.errors import InvalidResponse, UsageError
from doorkey.protocol.grants import ACCESS_TOKEN_TYPE, AuthorizationCodeGrant, Grant, PasswordGrant, TokenExchangeGrant
from doorkey.tokens import KNOWN_TYPES, NOT_FOR_ACCESS, OAuthToken, expiry_of, legal_token, lifetime_of
from doorkey.values import Scope, Secret, hides_locals
from doorkey.wire.messages import FORM, Request, Response
from doorkey.wire.parameters import beside_query, merged, with_query
from doorkey.wire.responses import json_answer
from doorkey.wire.urls import check_endpoint

ACCEPT: Final = (("Accept", "application/json"),)

_STANDARD: Final = frozenset({"access_token", "token_type", "expires_in", "refresh_token", "scope", "id_token"})


@hides_locals
def token_request(
    endpoint: str,
    grant: Grant,
    extra: Iterable[tuple[str, str]] = (),
    *,
    method: str = "POST",
    headers: Iterable[tuple[str, str]] = (),
) -> Request:
    """Return the request that presents `grant` at the token endpoint, not yet authenticated (RFC 6749 §4).

    `extra` pairs (scope, audience, …) cannot override the grant's own. `method` is POST, or GET for the servers that
    want it. Raises `UsageError` for an endpoint or a parameter that cannot be.
    """
    check_endpoint(endpoint, "token endpoint")
    form = beside_query(endpoint, merged(grant.parameters(), extra, "the grant"))
    method = text(method, "method").upper()
    if method not in ("POST", "GET"):
        raise UsageError("a token is asked for with POST (or GET, where a server wants that)")
    url = with_query(endpoint, form) if method == "GET" else endpoint
    request = Request(method, url, (), () if method == "GET" else form)
    for name, value in (*ACCEPT, *((("Content-Type", FORM),) if method == "POST" else ()), *headers):
        request = request.with_header(name, value)
    return request


def asks_for_a_bound_token(request: Request) -> bool:
    """Say whether `request`, as it leaves, proves the key that its token is to be bound to (RFC 9449 §5)."""
    return request.header("DPoP") is not None


def asks_for_an_id_token(grant: Grant, extra: Iterable[tuple[str, str]], promised: Scope | None = None) -> bool:
    """Say whether an ID token is to come: a person's grant, and `openid` in its scope (OpenID Connect Core §3.1.2.1).

    `extra` are the request's further parameters, `promised` what the authorization request of a code asked for. A
    client that asks for itself, an exchange and a renewal (§12.2) need not get one.
    """
    if not isinstance(grant, AuthorizationCodeGrant | PasswordGrant):
        return False
    asked = " ".join(value for name, value in extra if name == "scope").split()
    return "openid" in asked or (promised is not None and "openid" in promised)


@hides_locals
def parse_token(
    response: Response,
    *,
    asked_at: float,
    refresh_token: Secret | None = None,
    bound: bool = False,
    openid: bool = False,
    grant: Grant | None = None,
) -> OAuthToken:
    """Return the token of an answer of the token endpoint (RFC 6749 §5.1).

    `asked_at` is the moment of asking, in seconds since the epoch: the lifetime counts from there. `refresh_token` is
    the one that was used, kept where the answer brings no new one (§6). `bound` says that a token bound to a key was
    asked for: another one is refused with problem `not_sender_constrained` (RFC 9449 §5). `openid` says that an ID
    token was: an answer without is refused with problem `id_token_missing` (OpenID Connect Core §3.1.3.3). `grant` is
    what was presented: an exchange may bring a token that is no access token, of type N_A (RFC 8693 §2.2.1). Raises
    `ServerError` for an error answer with any status, and `InvalidResponse` for everything that is not a token.
    """
    members = json_answer(response, "token response", asked_at)
    types = {**KNOWN_TYPES, "n_a": NOT_FOR_ACCESS} if _brings_no_access_token(grant, members) else KNOWN_TYPES
    token = token_of(members, asked_at=asked_at, status=response.status, refresh_token=refresh_token, types=types)
    if bound and token.token_type != KNOWN_TYPES["dpop"]:
        # Nor is its refresh token taken: whoever steals it could use it, which is what the proof was to prevent.
        raise _bad(
            "not_sender_constrained",
            f"a token bound to a key was asked for with a DPoP proof, and a {token.token_type} token came, which "
            "whoever steals it could use; nothing of the answer is kept, its refresh_token included: register the "
            "client for DPoP at the server, or ask without the proof",
            response.status,
        )
    if openid and token.id_token is None:
        raise _bad(
            "id_token_missing",
            "'openid' was asked for, and no id_token came: leave it out of the scope if the server gives none",
            response.status,
        )
    return token


def _brings_no_access_token(grant: Grant | None, members: dict[str, Any]) -> bool:
    """Say whether an exchange was issued something else, as the answer says; else as was asked for."""
    if not isinstance(grant, TokenExchangeGrant):
        return False
    issued = members.get("issued_token_type")
    kind = issued if isinstance(issued, str) else grant.requested_token_type
    return kind not in (None, ACCESS_TOKEN_TYPE)


@hides_locals
def token_of(
    members: dict[str, Any],
    *,
    asked_at: float,
    status: int | None = None,
    refresh_token: Secret | None = None,
    types: Mapping[str, str] = KNOWN_TYPES,
) -> OAuthToken:
    """Return the token that the members of an answer describe, from the token endpoint or a fragment (§4.2.2).

    `types` are those that it may have, in lower case, and how we spell them. When it expires is said by `expires_in`;
    servers that do not say so may say `expires_at`.
    """
    access_token, token_type = members.get("access_token"), members.get("token_type")
    if not isinstance(access_token, str) or not legal_token(access_token):
        problem = "access_token_missing" if access_token is None else "access_token_illegal"
        raise _bad(problem, "the token response has no access_token that can be sent", status)
    if not isinstance(token_type, str) or token_type.lower() not in types:
        problem = "token_type_missing" if token_type is None else "token_type_unknown"
        raise _bad(
            problem,
            "the token response has no token_type that is known (Bearer, DPoP); for a server that leaves it out, "
            "register an 'access_token_response' compliance hook that adds it",
            status,
        )
    lifetime = lifetime_of(members.get("expires_in"))
    expires_at = None if lifetime is None else asked_at + lifetime
    if lifetime is None and (expires_at := expiry_of(members.get("expires_at"), asked_at)) is not None:
        lifetime = max(expires_at - asked_at, 0.0)
    new_refresh_token = members.get("refresh_token") or None
    if new_refresh_token is not None and not legal_token(new_refresh_token):
        raise _bad("refresh_token_illegal", "the token response has a refresh_token that cannot be sent", status)
    return OAuthToken(
        access_token=Secret(access_token),
        token_type=types[token_type.lower()],
        expires_at=expires_at,
        lifetime=lifetime,
        refresh_token=Secret(new_refresh_token) if new_refresh_token else refresh_token,
        scope=_granted(members.get("scope"), status),
        id_token=_id_token(members.get("id_token"), status),
        extra=MappingProxyType({k: v for k, v in members.items() if k not in _STANDARD and k != "expires_at"}),
        spelt=token_type,
    )


def _granted(value: object, status: int | None) -> Scope | None:
    if value is None:
        return None
    if isinstance(value, list):  # some servers send a list
        value = " ".join(str(token) for token in value)  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    try:
        return Scope.of(value if isinstance(value, str) else None)
    except UsageError:
        raise _bad("scope_illegal", "the token response has a scope with illegal characters", status) from None


def _id_token(value: object, status: int | None) -> Secret | None:
    if value is None or value == "":
        return None
    if not legal_token(value):
        raise _bad("id_token_illegal", "the token response has an id_token that is no JWT", status)
    return Secret(str(value))


def _bad(problem: str, description: str, status: int | None) -> InvalidResponse:
    return InvalidResponse(problem, description, status=status)

"""The token endpoint: one request and one strict parser for every grant (RFC 6749 §3.2, §5)."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final, cast

from doorkey.arguments import mapping, text
from doorkey.errors import InvalidResponse, UsageError, printable
from doorkey.protocol.grants import ACCESS_TOKEN_TYPE, AuthorizationCodeGrant, Grant, TokenExchangeGrant
from doorkey.tokens import (
    KNOWN_TYPES,
    MAX_TOKEN,
    NOT_FOR_ACCESS,
    OAuthToken,
    OtherMembers,
    expiry_of,
    legal_refresh_token,
    legal_token,
    lifetime_of,
)
from doorkey.values import Scope, Secret, hides_locals, unguarded
from doorkey.wire.error_context import names_exchange
from doorkey.wire.messages import FORM, Request, Response
from doorkey.wire.parameters import merged, not_in_query, with_query
from doorkey.wire.responses import json_answer
from doorkey.wire.urls import check_endpoint

ACCEPT: Final = (("Accept", "application/json"),)

MAX_EXTRA: Final = 128 * 1024
"""The largest size in characters of JSON of all members that the protocol does not define."""

_STANDARD: Final = frozenset(
    {"access_token", "token_type", "expires_in", "expires_at", "refresh_token", "scope", "id_token"}
)

_not_in_query, _merged, _check_endpoint = unguarded(not_in_query), unguarded(merged), unguarded(check_endpoint)
_json_answer = unguarded(json_answer)


@hides_locals
def token_request(
    endpoint: str,
    grant: Grant,
    extra: Iterable[tuple[str, str]] = (),
    *,
    method: str = "POST",
    headers: Iterable[tuple[str, str]] = (),
    http_hosts: Collection[str] = (),
) -> Request:
    """Return the token request for `grant`, without client authentication (RFC 6749 §4).

    endpoint: the URL of the token endpoint.
    grant: the grant.
    extra: further parameters (scope, audience, …), which cannot override those of the grant.
    method: POST, or GET for servers that require it.
    headers: further headers.
    http_hosts: hosts beside loopback that plain http may reach.

    Raises `UsageError` for an invalid endpoint or method, and for an `extra` parameter that would replace another one.
    """
    _check_endpoint(endpoint, "token endpoint", http_hosts)
    form = _not_in_query(endpoint, _merged(grant.parameters(), extra, "the grant"))
    method = text(method, "method").upper()
    if method not in ("POST", "GET"):
        raise UsageError("the method of a token request must be POST, or GET if the server requires it")
    url = with_query(endpoint, form) if method == "GET" else endpoint
    named: dict[str, tuple[str, str]] = {}
    for pair in (*ACCEPT, *((("Content-Type", FORM),) if method == "POST" else ()), *headers):
        named.pop(pair[0].lower(), None)  # the last value is used, and is sent at its place
        named[pair[0].lower()] = pair
    return Request(method, url, tuple(named.values()), () if method == "GET" else form)


def requests_bound_token(request: Request) -> bool:
    """Return whether `request` has a DPoP proof, so that the token must be bound to its key (RFC 9449 §5)."""
    return request.header("DPoP") is not None


def requests_id_token(grant: Grant, extra: Iterable[tuple[str, str]], promised: Scope | None = None) -> bool:
    """Return whether the response must have an ID token (OpenID Connect Core §3.1.3.3).

    That is so only for an authorization code whose scope had `openid`. For other grants, an ID token is optional: a
    password, client credentials, a token exchange or a refresh (§12.2).

    extra: the further parameters of the token request, which may have a `scope`.
    promised: the scope of the authorization request, or None.
    """
    if not isinstance(grant, AuthorizationCodeGrant):
        return False
    requested = " ".join(value for name, value in extra if name == "scope").split()
    return "openid" in requested or (promised is not None and "openid" in promised)


@names_exchange
def parse_token(
    response: Response,
    *,
    requested_at: float,
    refresh_token: Secret | None = None,
    bound: bool = False,
    openid: bool = False,
    grant: Grant | None = None,
    token_types: Mapping[str, str] = MappingProxyType({}),
) -> OAuthToken:
    """Return the token in a response of the token endpoint (RFC 6749 §5.1).

    requested_at: the time of the request in seconds since the epoch, at which the lifetime begins.
    refresh_token: the refresh token of the request, which is kept if the response has no new one (§6).
    bound: True if the request had a DPoP proof. A token of another type is rejected (RFC 9449 §5).
    openid: True if an ID token was requested. A response without an ID token is rejected (OpenID Connect Core
        §3.1.3.3).
    grant: the grant of the request. The response to a token exchange may have another kind of token than an access
        token, with the type N_A (RFC 8693 §2.2.1).
    token_types: the meaning of further token types, as `check_token_types` returns them.

    Raises `ServerError` for an error response with any status. Raises `InvalidResponse` if the response has no valid
    token, with the problem `not_sender_constrained`, `id_token_missing`, or one of `token_of`.
    """
    members = _json_answer(response, "token response", requested_at, finite=False)  # `_storable` drops infinite numbers
    types = {**token_types, **KNOWN_TYPES}
    if _issues_other_token(grant, members):
        types["n_a"] = NOT_FOR_ACCESS
    token = _token_of(
        members, requested_at=requested_at, status=response.status, refresh_token=refresh_token, types=types
    )
    if bound and token.token_type != KNOWN_TYPES["dpop"]:
        # Its refresh token is not kept either: a thief could use it without the key.
        raise _bad(
            "not_sender_constrained",
            "a token that is bound to a key was requested with a DPoP proof, and the response has a "
            f"{token.token_type} token, which a thief could use. Nothing of the response is kept, its refresh_token "
            "included: register the client for DPoP at the server, or send the request without the proof",
            response.status,
        )
    if openid and token.id_token is None:
        raise _bad(
            "id_token_missing",
            "'openid' was requested, and the response has no id_token: remove openid from the scope if the server "
            "issues none",
            response.status,
        )
    return token


def _issues_other_token(grant: Grant | None, members: dict[str, Any]) -> bool:
    """Return whether a token exchange issued another kind of token than an access token.

    The `issued_token_type` of the response determines the kind, or without it the `requested_token_type`.
    """
    if not isinstance(grant, TokenExchangeGrant):
        return False
    issued = members.get("issued_token_type")
    kind = issued if isinstance(issued, str) else grant.requested_token_type
    return kind not in (None, ACCESS_TOKEN_TYPE)


@hides_locals
def token_of(
    members: dict[str, Any],
    *,
    requested_at: float,
    status: int | None = None,
    refresh_token: Secret | None = None,
    types: Mapping[str, str] = KNOWN_TYPES,
) -> OAuthToken:
    """Return the token in the members of a response, from the token endpoint or a URL's fragment (§4.2.2).

    members: the members of the response.
    requested_at: the time of the request in seconds since the epoch, at which the lifetime begins.
    status: the HTTP status of the response, for errors; or None.
    refresh_token: the refresh token to keep if the response has none.
    types: the accepted token types in lower case, each mapped to its normalized form.

    `expires_in` determines the expiry, or without it `expires_at`. Members that a store cannot save are dropped, and
    their names are in `dropped`. Raises `InvalidResponse` for an illegal token or an unknown type.
    """
    access_token, refresh = members.get("access_token"), members.get("refresh_token") or None
    if not legal_token(access_token):
        problem = "access_token_missing" if access_token is None else "access_token_illegal"
        raise _bad(problem, "the token response has no legal access_token", status)
    if refresh is not None and not legal_refresh_token(refresh):
        raise _bad("refresh_token_illegal", "the token response has an illegal refresh_token", status)
    id_token = members.get("id_token") or None
    if id_token is not None and not legal_token(id_token):
        raise _bad("id_token_illegal", "the token response has an id_token that is not a JWT", status)
    for name, value in (("access_token", access_token), ("refresh_token", refresh), ("id_token", id_token)):
        if value is not None and len(value) > MAX_TOKEN:
            raise _bad(f"{name}_too_long", f"the {name} of the token response exceeds {MAX_TOKEN} characters", status)
    lifetime = lifetime_of(members.get("expires_in"))
    expires_at = None if lifetime is None else requested_at + lifetime
    if lifetime is None and (expires_at := expiry_of(members.get("expires_at"), requested_at)) is not None:
        lifetime = max(expires_at - requested_at, 0.0)
    token_type = members.get("token_type")
    extra, dropped = _storable(members)
    return OAuthToken(
        access_token=Secret(str(access_token)),
        token_type=_known_type(token_type, types, status),
        expires_at=expires_at,
        lifetime=lifetime,
        refresh_token=Secret(refresh) if refresh else refresh_token,
        scope=_granted(members.get("scope")),
        id_token=Secret(id_token) if id_token else None,
        extra=OtherMembers(extra),
        raw_token_type=token_type,
        dropped=dropped,
    )


_token_of = unguarded(token_of)


def check_token_types(given: Mapping[str, str] | None) -> Mapping[str, str]:
    """Return the meaning of nonstandard `token_type` values of a server, with the values in lower case.

    given: a mapping of each value to ``"Bearer"`` or ``"DPoP"``; None: no such values.

    The standard types keep their meaning. Raises `UsageError` for any other mapping.
    """
    types: dict[str, str] = {}
    named: Mapping[str, Any] = {} if given is None else mapping(given, "token_types")
    for name, meaning in named.items():
        known = KNOWN_TYPES.get(meaning.lower()) if isinstance(meaning, str) else None
        if known is None or not legal_token(name):
            raise UsageError('token_types must map a token_type to Bearer or DPoP, for instance {"user": "Bearer"}')
        if name.lower() not in KNOWN_TYPES:
            types[name.lower()] = known
    return types


def _known_type(token_type: object, types: Mapping[str, str], status: int | None) -> str:
    """Return the normalized type. A response without `token_type` has a Bearer token (LinkedIn, Twitch, Shopify)."""
    if token_type is None:
        return KNOWN_TYPES["bearer"]
    known = types.get(token_type.lower()) if isinstance(token_type, str) else None
    if known is None:
        raise _bad(
            "token_type_unknown",
            "the token response has a token_type other than Bearer and DPoP: give its meaning in the option "
            'token_types=, for instance {"user": "Bearer"}',
            status,
        )
    return known


def _storable(members: Mapping[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return the members that the protocol does not define, and the names of those that a store cannot save.

    The response is not rejected because of them: with rotation, its refresh token would be lost.
    """
    kept: dict[str, Any] = {}
    dropped: list[str] = []
    left = MAX_EXTRA
    for name, value in members.items():
        if name in _STANDARD:
            continue
        try:
            written = json.dumps({name: value}, allow_nan=False)
            json.dumps({name: value}, ensure_ascii=False).encode("utf-8")
        except ValueError:  # a number that is not finite, a lone surrogate
            written = ""
        if not written or len(written) > left:
            dropped.append(printable(name, 40))
            continue
        left -= len(written)
        kept[name] = value
    return kept, tuple(dropped)


def _granted(value: object) -> Scope | None:
    if value is None or len(str(value)) > MAX_EXTRA:
        return None
    return Scope.granted(cast("str | list[object]", value)) if isinstance(value, str | list) else Scope()


def _bad(problem: str, description: str, status: int | None) -> InvalidResponse:
    return InvalidResponse(problem, description, status=status)

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
from doorkey.wire.parameters import beside_query, merged, with_query
from doorkey.wire.responses import json_answer
from doorkey.wire.urls import check_endpoint

ACCEPT: Final = (("Accept", "application/json"),)

MAX_EXTRA: Final = 128 * 1024
"""Characters of JSON that the members of a response take that the protocol does not define."""

_STANDARD: Final = frozenset(
    {"access_token", "token_type", "expires_in", "expires_at", "refresh_token", "scope", "id_token"}
)

_beside_query, _merged, _check_endpoint = unguarded(beside_query), unguarded(merged), unguarded(check_endpoint)
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
    """Return the request that presents `grant` at the token endpoint, not yet authenticated (RFC 6749 §4).

    `extra` pairs (scope, audience, …) cannot override the grant's own. `method` is POST, or GET for the servers that
    want it. `endpoint`: its URL. `headers`: further ones. `http_hosts`: hosts beside loopback that plain http may
    reach. Raises `UsageError` for an endpoint or a parameter that cannot be.
    """
    _check_endpoint(endpoint, "token endpoint", http_hosts)
    form = _beside_query(endpoint, _merged(grant.parameters(), extra, "the grant"))
    method = text(method, "method").upper()
    if method not in ("POST", "GET"):
        raise UsageError("a token is asked for with POST (or GET, where a server wants that)")
    url = with_query(endpoint, form) if method == "GET" else endpoint
    named: dict[str, tuple[str, str]] = {}
    for pair in (*ACCEPT, *((("Content-Type", FORM),) if method == "POST" else ()), *headers):
        named.pop(pair[0].lower(), None)  # the last one counts, and is the last one on the wire
        named[pair[0].lower()] = pair
    return Request(method, url, tuple(named.values()), () if method == "GET" else form)


def asks_for_a_bound_token(request: Request) -> bool:
    """Say whether `request`, as it leaves, proves the key that its token is to be bound to (RFC 9449 §5)."""
    return request.header("DPoP") is not None


def asks_for_an_id_token(grant: Grant, extra: Iterable[tuple[str, str]], promised: Scope | None = None) -> bool:
    """Say whether an ID token must come: a code whose request named `openid` (OpenID Connect Core §3.1.3.3).

    extra: the further parameters of the token request.
    promised: the scope of the authorization request. No other grant must bring one: a password, the client's own
        credentials, an exchange, a renewal (§12.2).
    """
    if not isinstance(grant, AuthorizationCodeGrant):
        return False
    asked = " ".join(value for name, value in extra if name == "scope").split()
    return "openid" in asked or (promised is not None and "openid" in promised)


@names_exchange
def parse_token(
    response: Response,
    *,
    asked_at: float,
    refresh_token: Secret | None = None,
    bound: bool = False,
    openid: bool = False,
    grant: Grant | None = None,
    token_types: Mapping[str, str] = MappingProxyType({}),
) -> OAuthToken:
    """Return the token of an answer of the token endpoint (RFC 6749 §5.1).

    asked_at: when the request was sent, in seconds since the epoch; the lifetime counts from there.
    refresh_token: the one that was used, kept when the response brings no new one (§6).
    bound: a token bound to a key was requested; another one is rejected (RFC 9449 §5).
    openid: an ID token was requested; a response without one is rejected (OpenID Connect Core §3.1.3.3).
    grant: the grant of the request; an exchange may return a token that is no access token, of type N_A (RFC 8693
        §2.2.1).
    token_types: what other types of this server mean, as `check_token_types` returns them.

    Raises `ServerError` for an error response with any status, and `InvalidResponse` for all that is not a token: with
    problem `not_sender_constrained`, `id_token_missing`, and those of `token_of`.
    """
    members = _json_answer(response, "token response", asked_at, finite=False)  # drops such a member
    types = {**token_types, **KNOWN_TYPES}
    if _brings_no_access_token(grant, members):
        types["n_a"] = NOT_FOR_ACCESS
    token = _token_of(members, asked_at=asked_at, status=response.status, refresh_token=refresh_token, types=types)
    if bound and token.token_type != KNOWN_TYPES["dpop"]:
        # Its refresh token is not kept either: a thief could use it, which the proof was meant to prevent.
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

    types: the types that it may have, in lower case, and their normalized form.

    It expires as `expires_in` says, else as `expires_at` does. Members that no store could hold are dropped by name.
    members: those of the answer.
    asked_at: when it was requested, in seconds since the epoch.
    status: that of the response.
    refresh_token: the one that stays if the answer has none.

    Raises `InvalidResponse`.
    """
    access_token, refresh = members.get("access_token"), members.get("refresh_token") or None
    if not legal_token(access_token):
        problem = "access_token_missing" if access_token is None else "access_token_illegal"
        raise _bad(problem, "the token response has no access_token that can be sent", status)
    if refresh is not None and not legal_refresh_token(refresh):
        raise _bad("refresh_token_illegal", "the token response has a refresh_token that cannot be sent", status)
    id_token = members.get("id_token") or None
    if id_token is not None and not legal_token(id_token):
        raise _bad("id_token_illegal", "the token response has an id_token that is no JWT", status)
    for name, value in (("access_token", access_token), ("refresh_token", refresh), ("id_token", id_token)):
        if value is not None and len(value) > MAX_TOKEN:
            raise _bad(f"{name}_too_long", f"the {name} of the token response exceeds {MAX_TOKEN} characters", status)
    lifetime = lifetime_of(members.get("expires_in"))
    expires_at = None if lifetime is None else asked_at + lifetime
    if lifetime is None and (expires_at := expiry_of(members.get("expires_at"), asked_at)) is not None:
        lifetime = max(expires_at - asked_at, 0.0)
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
    """Return the meaning of the `token_type` values that only the program's server uses, in lower case.

    given: a mapping of the server's word to ``"Bearer"`` or ``"DPoP"``, None for none.

    A known type keeps its meaning. Raises `UsageError` for anything else.
    """
    types: dict[str, str] = {}
    named: Mapping[str, Any] = {} if given is None else mapping(given, "token_types")
    for name, meaning in named.items():
        known = KNOWN_TYPES.get(meaning.lower()) if isinstance(meaning, str) else None
        if known is None or not legal_token(name):
            raise UsageError('token_types maps a server\'s word to a known type, for instance {"user": "Bearer"}')
        if name.lower() not in KNOWN_TYPES:
            types[name.lower()] = known
    return types


def _known_type(token_type: object, types: Mapping[str, str], status: int | None) -> str:
    """Return the normalized type. A response without one has a Bearer token (LinkedIn, Twitch, Shopify)."""
    if token_type is None:
        return KNOWN_TYPES["bearer"]
    known = types.get(token_type.lower()) if isinstance(token_type, str) else None
    if known is None:
        raise _bad(
            "token_type_unknown",
            "the token response has a token_type that is not known (Bearer, DPoP): the option token_types= says what "
            'it means, for instance {"user": "Bearer"}',
            status,
        )
    return known


def _storable(members: Mapping[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return the members that the protocol does not define, and the names of those that no store could hold.

    A response whose refresh token was rotated must not be lost for them.
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

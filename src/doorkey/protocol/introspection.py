"""Token introspection: ask the server whether a token is valid (RFC 7662), also with a signed response (RFC 9701)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final, cast

from doorkey.errors import InvalidResponse, VerificationError
from doorkey.jose.claim_rules import audiences, check_times
from doorkey.protocol.token_query import token_query
from doorkey.values import Secret
from doorkey.wire.error_context import names_exchange
from doorkey.wire.messages import Request, Response
from doorkey.wire.responses import json_answer
from doorkey.wire.urls import how_issuers_differ

JWT_TYPE: Final = "token-introspection+jwt"
"""The header `typ` of a signed response (RFC 9701 §5)."""
JWT_MEDIA_TYPE: Final = f"application/{JWT_TYPE}"


class Introspection(dict[str, Any]):
    """The members of an introspection answer (RFC 7662 §2.2); `active` is always there and a bool."""

    @property
    def active(self) -> bool:
        """Whether the token is valid now; nothing else in the answer counts when it is not."""
        return self["active"] is True

    def json(self) -> dict[str, Any]:
        """Return the members, for programs that expect the HTTP response here."""
        return dict(self)


def introspection_request(
    endpoint: str,
    token: Secret,
    token_type_hint: str | None = None,
    extra: Iterable[tuple[str, str]] = (),
    *,
    headers: Iterable[tuple[str, str]] = (),
    http_hosts: Collection[str] = (),
) -> Request:
    """Return the request that asks about `token`, not yet authenticated (RFC 7662 §2.1).

    endpoint: its URL.
    token_type_hint: the kind of token.
    extra, headers: further ones.
    http_hosts: hosts beside loopback that plain http may reach.

    Raises `UsageError` for an endpoint, a token or a parameter that cannot be.
    """
    return token_query(endpoint, token, token_type_hint, extra, "introspection", headers, http_hosts)


@names_exchange
def parse_introspection(response: Response, now: float | None = None) -> Introspection:
    """Return the members of the answer (RFC 7662 §2.2).

    now: seconds since the epoch, for a date in `Retry-After` of `response`.

    Raises `ServerError` for an error answer, `InvalidResponse` when it is no JSON object or says not whether the token
    is active.
    """
    members = json_answer(response, "introspection response", now)
    if not isinstance(members.get("active"), bool):
        raise InvalidResponse(
            "active_missing",
            "the introspection response does not say whether the token is active",
            status=response.status,
        )
    return Introspection(members)


@names_exchange
def signed_response(response: Response, now: float | None = None) -> str:
    """Return the JWT of a signed response (RFC 9701 §5), which its signature and `parse_signed` must prove.

    now: seconds since the epoch, for a date in `Retry-After` of `response`.

    Raises `ServerError` for an error, `InvalidResponse` for a response of another media type: a response that is not
    signed must not replace one that was requested.
    """
    if response.media_type == JWT_MEDIA_TYPE and 200 <= response.status < 300:
        return response.body.decode("ascii", "replace").strip()
    json_answer(response, "introspection response", now)
    raise InvalidResponse(
        "not_signed",
        f"the introspection response is not signed: {JWT_MEDIA_TYPE} was requested (RFC 9701 §4)",
        status=response.status,
    )


def parse_signed(
    claims: Mapping[str, Any], *, issuer: str, recipients: Collection[str], now: float, leeway: float
) -> Introspection:
    """Return the members of a signed response, whose signature and type have been verified (RFC 9701 §5).

    issuer: of the authorization server.
    recipients: the names of this API at that server: its client ID, and its audience.
    now, leeway: seconds since the epoch, and the seconds by which two clocks may differ.

    Raises `VerificationError` for a response of another issuer or for another API, and for one that lacks a claim.
    """
    if (named := claims.get("iss")) != issuer:
        told = f"of the introspection response is another issuer{how_issuers_differ(named, issuer)}"
        raise VerificationError("iss", told, expected=issuer)
    if not any(one in recipients for one in audiences(claims)):
        raise VerificationError("aud", "of the introspection response does not contain this API")
    if "iat" not in claims:
        raise VerificationError("iat", "is missing in the introspection response")
    check_times(claims, now, leeway)
    members: object = claims.get("token_introspection")
    if not isinstance(members, Mapping) or not isinstance(cast("Mapping[str, Any]", members).get("active"), bool):
        raise VerificationError("token_introspection", "does not say whether the token is active")
    return Introspection(cast("Mapping[str, Any]", members))

"""Token introspection: the server reports whether a token is valid (RFC 7662), also in a signed response (RFC 9701)."""

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
    """The members of an introspection response (RFC 7662 §2.2). `active` is always present, and a bool."""

    @property
    def active(self) -> bool:
        """Whether the token is valid now. If it is not, ignore the other members."""
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
    """Return the request that introspects `token`, without client authentication (RFC 7662 §2.1).

    endpoint: the URL of the introspection endpoint.
    token: the token.
    token_type_hint: `access_token` or `refresh_token`; None: no hint.
    extra: further parameters.
    headers: further headers.
    http_hosts: hosts beside loopback that plain http may reach.

    Raises `UsageError` for an invalid endpoint or token, and for an `extra` parameter that would replace another one.
    """
    return token_query(endpoint, token, token_type_hint, extra, "introspection", headers, http_hosts)


@names_exchange
def parse_introspection(response: Response, now: float | None = None) -> Introspection:
    """Return the members of an introspection response (RFC 7662 §2.2).

    response: the HTTP response.
    now: seconds since the epoch, for a date in `Retry-After` of `response`.

    Raises `ServerError` for an error response, and `InvalidResponse` if it is not a JSON object or has no boolean
    `active`.
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
    """Return the unverified JWT of a signed response (RFC 9701 §5). Verify it, then pass its claims to `parse_signed`.

    response: the HTTP response.
    now: seconds since the epoch, for a date in `Retry-After` of `response`.

    Raises `ServerError` for an error response. Raises `InvalidResponse` for a response of another media type, because a
    response without a signature must not be accepted in place of a signed one.
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
    """Return the members of a signed response (RFC 9701 §5).

    claims: the claims of the JWT, whose signature and type the caller has verified.
    issuer: the issuer of the authorization server.
    recipients: the names of this API at that server: its client ID and its audience.
    now: seconds since the epoch.
    leeway: seconds by which two clocks may differ.

    Raises `VerificationError` for a response of another issuer or for another API, for a missing or malformed claim,
    and for a response that is expired or not yet valid.
    """
    if (named := claims.get("iss")) != issuer:
        reason = f"of the introspection response is another issuer{how_issuers_differ(named, issuer)}"
        raise VerificationError("iss", reason, expected=issuer)
    if not any(one in recipients for one in audiences(claims)):
        raise VerificationError("aud", "of the introspection response does not contain this API")
    if "iat" not in claims:
        raise VerificationError("iat", "is missing in the introspection response")
    check_times(claims, now, leeway)
    members: object = claims.get("token_introspection")
    if not isinstance(members, Mapping) or not isinstance(cast("Mapping[str, Any]", members).get("active"), bool):
        raise VerificationError("token_introspection", "does not say whether the token is active")
    return Introspection(cast("Mapping[str, Any]", members))

"""Token revocation: notifies the server that a token is not needed any more (RFC 7009)."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from contextlib import suppress

from doorkey.protocol.token_query import token_query
from doorkey.values import Secret
from doorkey.wire.error_context import names_exchange
from doorkey.wire.messages import Request, Response
from doorkey.wire.responses import raise_for_status, raise_oauth_error
from doorkey.wire.strict_json import JSONProblem, parse_object


def revocation_request(
    endpoint: str,
    token: Secret,
    token_type_hint: str | None = None,
    extra: Iterable[tuple[str, str]] = (),
    *,
    headers: Iterable[tuple[str, str]] = (),
    http_hosts: Collection[str] = (),
) -> Request:
    """Return the request that revokes `token`, without client authentication (RFC 7009 §2.1).

    endpoint: the URL of the revocation endpoint.
    token_type_hint: `access_token` or `refresh_token`; None: no hint.
    extra: further parameters.
    headers: further headers.
    http_hosts: hosts beside loopback that plain http may reach.

    Raises `UsageError` for an invalid endpoint or token, and for an `extra` parameter that would replace another one.
    """
    return token_query(endpoint, token, token_type_hint, extra, "revocation", headers, http_hosts)


@names_exchange
def check_revocation(response: Response, now: float | None = None) -> None:
    """Raise an error unless `response` reports that the token was revoked, or is unknown to the server (RFC 7009 §2.2).

    now: seconds since the epoch, for a date in `Retry-After` of `response`.

    The body of a successful response is ignored: Keycloak's contains `invalid_token` for an unknown token. Raises
    `ServerError` for an error response, such as `unsupported_token_type`, and `InvalidResponse` for any other status.
    """
    if 200 <= response.status < 300:
        return
    with suppress(JSONProblem):
        raise_oauth_error(response, parse_object(response.body), now)
    raise_for_status(response, now)

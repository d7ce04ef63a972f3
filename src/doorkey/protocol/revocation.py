"""Token revocation: tell the server that a token will not be used again (RFC 7009)."""

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
    """Return the request that revokes `token`, not yet authenticated (RFC 7009 §2.1).

    endpoint: its URL.
    token_type_hint: the kind of token.
    extra, headers: further ones.
    http_hosts: hosts beside loopback that plain http may reach.

    Raises `UsageError` for an endpoint, a token or a parameter that cannot be.
    """
    return token_query(endpoint, token, token_type_hint, extra, "revocation", headers, http_hosts)


@names_exchange
def check_revocation(response: Response, now: float | None = None) -> None:
    """Return when the server has revoked the token, or never knew it (RFC 7009 §2.2).

    The body of a success means nothing: Keycloak's says `invalid_token` for a token it never knew. `now`: seconds since
    the epoch, for a date in `Retry-After` of `response`. Raises `ServerError` for an error answer, also
    `unsupported_token_type`.
    """
    if 200 <= response.status < 300:
        return
    with suppress(JSONProblem):
        raise_oauth_error(response, parse_object(response.body), now)
    raise_for_status(response, now)

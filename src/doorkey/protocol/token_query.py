"""The request that introspection and revocation have in common (RFC 7662 §2.1, RFC 7009 §2.1)."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from doorkey.errors import UsageError
from doorkey.protocol.token_endpoint import ACCEPT
from doorkey.tokens import legal_refresh_token, token_problem
from doorkey.values import Secret, hides_locals
from doorkey.wire.messages import Request
from doorkey.wire.parameters import merged, not_in_query
from doorkey.wire.urls import check_endpoint


@hides_locals
def token_query(
    endpoint: str,
    token: Secret,
    token_type_hint: str | None,
    extra: Iterable[tuple[str, str]],
    what: str,
    headers: Iterable[tuple[str, str]] = (),
    http_hosts: Collection[str] = (),
) -> Request:
    """Return the request with `token` and a hint for the endpoint, without client authentication.

    endpoint: the URL of the endpoint.
    token_type_hint: `access_token` or `refresh_token`; None: no hint.
    extra: further parameters.
    what: `introspection` or `revocation`, for errors.
    headers: further headers.
    http_hosts: hosts beside loopback that plain http may reach.

    Raises `UsageError` for an invalid endpoint or token, and for an `extra` parameter that would replace another one.
    """
    check_endpoint(endpoint, f"{what} endpoint", http_hosts)
    if not legal_refresh_token(token.reveal()):
        raise UsageError(f"the {what} request needs a token: {token_problem(token.reveal())}")
    hint = (("token_type_hint", token_type_hint),) if token_type_hint else ()
    form = not_in_query(endpoint, merged((("token", token.reveal()), *hint), extra, f"the {what} request"))
    request = Request("POST", endpoint, ACCEPT, form)
    for name, value in headers:
        request = request.with_header(name, value)
    return request

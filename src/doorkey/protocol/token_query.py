"""A request that presents a token: the shape that introspection and revocation share (RFC 7662 §2.1, RFC 7009 §2.1)."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from doorkey.errors import UsageError
from doorkey.protocol.token_endpoint import ACCEPT
from doorkey.tokens import legal_refresh_token, token_problem
from doorkey.values import Secret, hides_locals
from doorkey.wire.messages import Request
from doorkey.wire.parameters import beside_query, merged
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
    """Return the request that presents `token` and a hint at the endpoint for `what`, not yet authenticated.

    `extra` pairs and `headers` are added. `endpoint`: its URL. `token_type_hint`: the kind of token. `http_hosts`:
    hosts beside loopback that plain http may reach. Raises `UsageError` for an endpoint, a token or a parameter that
    cannot be.
    """
    check_endpoint(endpoint, f"{what} endpoint", http_hosts)
    if not legal_refresh_token(token.reveal()):
        raise UsageError(f"the {what} request needs a token: {token_problem(token.reveal())}")
    hint = (("token_type_hint", token_type_hint),) if token_type_hint else ()
    form = beside_query(endpoint, merged((("token", token.reveal()), *hint), extra, f"the {what} request"))
    request = Request("POST", endpoint, ACCEPT, form)
    for name, value in headers:
        request = request.with_header(name, value)
    return request

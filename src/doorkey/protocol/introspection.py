"""Token introspection: ask the server what a token is worth (RFC 7662)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from doorkey.errors import InvalidResponse, UsageError
from doorkey.protocol.answers import json_answer
from doorkey.protocol.endpoint import check_endpoint
from doorkey.protocol.http import Request, Response
from doorkey.protocol.parameters import beside_query, merged
from doorkey.protocol.token_endpoint import ACCEPT
from doorkey.tokens import legal_token
from doorkey.values import Secret


class Introspection(dict[str, Any]):
    """The members of an introspection answer (RFC 7662 §2.2); `active` is always there and a bool."""

    @property
    def active(self) -> bool:
        """Whether the token is valid now; nothing else in the answer counts when it is not."""
        return self["active"] is True

    def json(self) -> dict[str, Any]:
        """Return the members, for programs that expect the HTTP response here."""
        return dict(self)


def token_query(
    endpoint: str,
    token: Secret,
    token_type_hint: str | None,
    extra: Iterable[tuple[str, str]],
    what: str,
    headers: Iterable[tuple[str, str]] = (),
) -> Request:
    """Return a request that presents a token and a hint: the shape of introspection and of revocation."""
    check_endpoint(endpoint, f"{what} endpoint")
    if not legal_token(token.reveal()):
        raise UsageError("the token is a non-empty string of visible ASCII characters")
    hint = (("token_type_hint", token_type_hint),) if token_type_hint else ()
    form = beside_query(endpoint, merged((("token", token.reveal()), *hint), extra, f"the {what} request"))
    request = Request("POST", endpoint, ACCEPT, form)
    for name, value in headers:
        request = request.with_header(name, value)
    return request


def introspection_request(
    endpoint: str,
    token: Secret,
    token_type_hint: str | None = None,
    extra: Iterable[tuple[str, str]] = (),
    *,
    headers: Iterable[tuple[str, str]] = (),
) -> Request:
    """Return the request that asks about `token`, not yet authenticated (RFC 7662 §2.1)."""
    return token_query(endpoint, token, token_type_hint, extra, "introspection", headers)


def parse_introspection(response: Response, now: float | None = None) -> Introspection:
    """Return the members of the answer (RFC 7662 §2.2).

    Raises `ServerError` for an error answer, `InvalidResponse` when it is no JSON object or says not whether the
    token is active.
    """
    members = json_answer(response, "introspection response", now)
    if not isinstance(members.get("active"), bool):
        raise InvalidResponse(
            "active_missing",
            "the introspection response does not say whether the token is active",
            status=response.status,
        )
    return Introspection(members)

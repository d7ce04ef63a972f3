"""Token introspection: ask the server what a token is worth (RFC 7662)."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from doorkey.errors import InvalidResponse
from doorkey.protocol.token_query import token_query
from doorkey.values import Secret
from doorkey.wire.error_context import names_exchange
from doorkey.wire.messages import Request, Response
from doorkey.wire.responses import json_answer


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
    """Return the request that asks about `token`, not yet authenticated (RFC 7662 §2.1)."""
    return token_query(endpoint, token, token_type_hint, extra, "introspection", headers, http_hosts)


@names_exchange
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

"""The options of the login client of a native login."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from doorkey.arguments import text

if TYPE_CHECKING:
    from doorkey.sources.issuer import Issuer
    from doorkey.wire.limits import ExchangePolicy


def registration(
    issuer: str | Issuer,
    client_id: str,
    client_secret: Any,
    scope: str | Iterable[str] | None,
    http_client: Any,
    exchange: ExchangePolicy | None,
    clock: Callable[[], float] | None,
) -> dict[str, Any]:
    """Return the options of `LoginClient` and `AsyncLoginClient` for the common arguments of native logins."""
    given: dict[str, Any] = {"exchange": exchange, "clock": clock}
    return {
        "client_id": text(client_id, "client_id"),
        "client_secret": client_secret,
        "issuer": issuer,
        "scope": scope,
        "fetch_userinfo": False,
        "http_client": http_client,
        **{name: value for name, value in given.items() if value is not None},
    }

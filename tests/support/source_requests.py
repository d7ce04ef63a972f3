"""What the tests of sources ask with, and the answers they get."""

from collections.abc import Callable
from typing import Any

from doorkey import ClientCredentials, JWTBearer, RefreshToken, ResourceOwnerCredentials, TokenExchange
from doorkey.credentials import Credentials
from tests.support.hostile_server import Exchange, Hostile, Reply, reply

CLIENT = ClientCredentials("client-1", "my-secret", ("scope-1",))
REFRESH = RefreshToken("client-1", "my-secret", refresh_token="rt-1")
REFUSED = reply(400, json={"error": "invalid_grant", "error_description": "Session not active"})
GARBAGE = reply(502, "<html>Bad Gateway</html>", {"Content-Type": "text/html"})
BUSY = reply(503, "busy")

EVERY_VALUE: dict[str, Any] = {
    "client_id": "client-1",
    "client_secret": "my-secret",
    "scopes": ("scope-1",),
    "auth_methods": ("client_secret_post",),
    "audience": ("api",),
    "resource": ("https://api.example/",),
    "token_types": (("user", "Bearer"),),
    "tls_client_certificate_bound_access_tokens": True,
    "allow_changed_auth_time": True,
}
"""A value of each field of `Credentials`, none of them the default."""

REPEATABLE: dict[str, Callable[[], Credentials]] = {
    "client": lambda: CLIENT,
    "owner": lambda: ResourceOwnerCredentials("client-1", "s").with_username_password("user", "pwd"),
    "exchange": lambda: TokenExchange("client-1", "s", subject_token="st"),
    "assertions": lambda: JWTBearer("client-1", "s", assertion=lambda: "jwt"),
}
ONCE: dict[str, Callable[[], Credentials]] = {
    "refresh": lambda: REFRESH,
    "assertion": lambda: JWTBearer("client-1", "s", assertion="jwt"),
}


def busy(retry_after: int | str, status: int = 503, **json: Any) -> bytes:
    """An answer that says when to come back."""
    headers = {"Retry-After": str(retry_after)}
    return reply(status, "busy", headers) if not json else reply(status, headers=headers, json=json)


def on_token(hostile: Hostile, *answers: Reply) -> dict[str, Any]:
    """Have the token endpoint answer so; whom to ask, as options of a source."""
    hostile.on("/token", *answers)
    return {"token_endpoint": hostile.token_endpoint}


def forms(hostile: Hostile) -> list[dict[str, str]]:
    return [request.form for request in hostile.token_requests]


def grant_types(hostile: Hostile) -> list[str]:
    return [form["grant_type"] for form in forms(hostile)]


def reset(exchange: Exchange) -> None:
    """Hang up."""
    exchange.reset()

"""A token by name and password, for Keycloak's own `admin-cli`."""

from __future__ import annotations

from demo.outcome import Fact, Step
from demo.place import Place
from doorkey.integrations.requests_client import OAuth2Session
from doorkey.tokens import OAuth2Token


def token_by_password(token_endpoint: str) -> OAuth2Token:
    """Get a token with the password grant."""
    with OAuth2Session(client_id="admin-cli") as session:
        return session.fetch_token(
            token_endpoint,
            username="admin",
            password="admin",
            grant_type="password",
        )


def shows(place: Place) -> list[Fact]:
    """The token's repr shows what it is and none of its secrets."""
    token = token_by_password(place.token_endpoint)
    shown = repr(token)
    secrets = [token.access_token, token.refresh_token or ""]
    return [
        Fact("token", shown, all(secret and secret not in shown for secret in secrets)),
        Fact("token_type", token.token_type, token.token_type == "Bearer"),
        Fact("session_state", str(token["session_state"]), bool(token["session_state"])),
    ]


STEP = Step("Token by password", token_by_password, shows)

"""A session that an administrator has removed: its refresh token no longer works, and the error states why."""

from __future__ import annotations

from demo.outcome import Fact, Step
from demo.place import Place
from doorkey.integrations.requests_client import OAuth2Session, OAuthError


def refresh_in_a_removed_session(
    token_endpoint: str,
    sessions: str,
) -> tuple[int, OAuthError | None]:
    """Log in, remove the session by an API, refresh: return its status, the error."""
    with OAuth2Session(client_id="admin-cli") as session:
        token = session.fetch_token(token_endpoint, username="admin", password="admin")
        removal = session.delete(sessions + token["session_state"])
        try:
            session.fetch_token(
                token_endpoint,
                grant_type="refresh_token",
                refresh_token=token["refresh_token"],
            )
        except OAuthError as error:
            return removal.status_code, error
        return removal.status_code, None


def shows(place: Place) -> list[Fact]:
    """The error is the server's own words."""
    status, error = refresh_in_a_removed_session(place.token_endpoint, place.sessions)
    return [
        Fact("removal", str(status), status == 204),
        Fact("error", str(error), str(error) == "invalid_grant: Session not active"),
    ]


STEP = Step("A removed session", refresh_in_a_removed_session, shows)

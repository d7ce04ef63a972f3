"""An administrator removes a session. Its refresh token no longer works, and the error states the reason."""

from __future__ import annotations

from demo.fleet import Fleet
from demo.outcome import Fact, Step
from demo.place import Place, token_endpoint
from doorkey.integrations.requests_client import OAuth2Session, OAuthError


def refresh_in_a_removed_session(session: OAuth2Session, sessions: str) -> None:
    """Remove the session through the API, and refresh its token."""
    token = session.fetch_token(username="admin", password="admin")
    session.delete(sessions + token["session_state"]).raise_for_status()
    session.refresh_token()


def shows(place: Place, _: Fleet) -> list[Fact]:
    """Check that the error quotes the server."""
    with OAuth2Session("admin-cli", token_endpoint=token_endpoint(place.issuer)) as session:
        try:
            refresh_in_a_removed_session(session, place.sessions)
        except OAuthError as error:
            told = str(error)
        else:
            told = "none"
    return [Fact("the error", told, told == "invalid_grant: Session not active")]


STEP = Step("A session that an administrator removed", refresh_in_a_removed_session, shows)

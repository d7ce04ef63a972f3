"""Which calls share the session of a user, and which token it has then."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from doorkey.integrations.requests_client import OAuth2Session
from doorkey.login.registry import user_sessions
from doorkey.login.registry.user_sessions import UserSessions
from doorkey.tokens import OAuth2Token


@pytest.fixture
def made() -> list[OAuth2Token]:
    """The tokens with which sessions were made."""
    return []


@pytest.fixture
def sessions(made: list[OAuth2Token]) -> UserSessions:
    def make(token: OAuth2Token, update_token: Callable[..., Any]) -> OAuth2Session:
        made.append(token)
        return OAuth2Session("rp", token=token, update_token=update_token, token_endpoint="http://127.0.0.1:9/token")

    def saving(renewed: Callable[[OAuth2Token], None]) -> Callable[..., Any]:
        def save(token: OAuth2Token, refresh_token: str | None = None, access_token: str | None = None) -> None:
            renewed(token)

        return save

    return UserSessions(make, saving)


def token_of(access_token: str, refresh_token: str | None = "rt", **members: Any) -> OAuth2Token:
    refreshes = {} if refresh_token is None else {"refresh_token": refresh_token}
    return OAuth2Token({"access_token": access_token, **refreshes, **members})


def current(session: OAuth2Session) -> str:
    token = session.token
    assert token is not None
    return token.value.access_token.reveal()


def test_calls_with_one_refresh_token_share_a_session(sessions: UserSessions, made: list[OAuth2Token]) -> None:
    first = sessions.session_for(token_of("a1"))
    assert sessions.session_for(token_of("a1")) is first
    assert sessions.session_for(token_of("a1", "rt2")) is not first
    assert len(made) == 2


def test_tokens_without_a_refresh_token_share_nothing(sessions: UserSessions) -> None:
    first = sessions.session_for(token_of("a1", None))
    assert sessions.session_for(token_of("a1", None)) is not first


def test_a_new_token_replaces_that_of_the_session_and_an_old_one_does_not(sessions: UserSessions) -> None:
    session = sessions.session_for(token_of("a1"))
    assert current(sessions.session_for(token_of("a2"))) == "a2"
    assert current(sessions.session_for(token_of("a1"))) == "a2"
    assert sessions.session_for(token_of("a2")) is session


def test_a_rotated_refresh_token_leads_to_the_same_session(sessions: UserSessions) -> None:
    session = sessions.session_for(token_of("a1"))
    renewed = token_of("a2", "rt2")
    session._oauth.options.update_token(renewed, refresh_token="rt")
    session._oauth.set_token(renewed)
    assert sessions.session_for(renewed) is session
    assert current(sessions.session_for(token_of("a1"))) == "a2"


@pytest.mark.parametrize(
    ("given", "known", "is_adopted"),
    [(100, 4000, True), (3999.5, 4000, False), (5000, 4000, False), (None, 4000, False), (100, None, True)],
)
def test_an_expiry_that_is_sooner_is_that_of_the_session(
    sessions: UserSessions, given: float | None, known: float | None, *, is_adopted: bool
) -> None:
    def members(expires_at: float | None) -> dict[str, Any]:
        return {} if expires_at is None else {"expires_at": expires_at}

    sessions.session_for(token_of("a1", **members(known)))
    found = sessions.session_for(token_of("a1", **members(given))).token
    assert found is not None
    assert found.value.expires_at == (given if is_adopted else known)


def test_the_sessions_and_the_tokens_that_are_remembered_are_bounded(
    sessions: UserSessions, made: list[OAuth2Token], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(user_sessions, "MOST_SEEN", 3)
    for number in range(8):
        sessions.session_for(token_of(f"a{number}"))
    assert current(sessions.session_for(token_of("a0"))) == "a0", "it was forgotten, and is taken for a new one"
    assert len(made) == 1
    assert sessions._by_refresh_token._entries == user_sessions.MOST_SESSIONS

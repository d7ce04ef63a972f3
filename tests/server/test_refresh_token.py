"""What a refresh token is refused for, each check by its own description (RFC 6749 §5.2, §6)."""

import pytest

from doorkey.jose.verification import unsafe_claims
from doorkey.server.model import Settings
from doorkey.server.storage.effects import EndSession, FindSession, RevokeAllBefore, RevokeToken
from doorkey.server.tokens.kinds import REFRESH
from tests.server.world import Answer, World


@pytest.fixture
def world() -> World:
    return World()


def refused(answer: Answer) -> str:
    """Return the description of a refusal of the grant."""
    assert answer.problem == (400, "invalid_grant")
    description: str = answer.json["error_description"]
    return description


def test_a_request_without_a_refresh_token_says_so(world: World) -> None:
    answer = world.token({"grant_type": "refresh_token"})
    assert answer.problem == (400, "invalid_request")
    assert answer.json["error_description"] == "No refresh token"


def test_what_is_no_refresh_token_is_refused(world: World) -> None:
    tokens = world.login().json
    for token in ("no token", tokens["access_token"], tokens["id_token"]):
        assert refused(world.refresh(token)) == "Invalid refresh token"


def test_the_token_of_another_client_is_refused(world: World) -> None:
    token = world.login().json["refresh_token"]
    description = refused(world.refresh(token, ("other", "other-secret")))
    assert description == "Invalid refresh token. Token client and authorized client don't match"


def test_an_expired_token_is_refused_while_its_session_goes_on(world: World) -> None:
    first = world.login().json["refresh_token"]
    lifetime = world.settings.session_idle
    world.advance(lifetime - 1)
    later = world.refresh(first).json["refresh_token"]
    world.advance(1)
    assert refused(world.refresh(first)) == "Token is not active"
    assert world.refresh(later).status == 200


def test_a_revoked_token_is_refused_while_its_session_goes_on(world: World) -> None:
    first, other = (world.login().json["refresh_token"] for _ in range(2))
    world.perform(RevokeToken(unsafe_claims(first)["jti"], world.now + 3600))
    assert refused(world.refresh(first)) == "Stale token"
    assert world.refresh(other).status == 200


def test_all_tokens_that_were_issued_before_a_moment_are_refused(world: World) -> None:
    first = world.login().json["refresh_token"]
    world.advance(10)
    world.perform(RevokeAllBefore(REFRESH, int(world.now)))
    later = world.login().json["refresh_token"]
    assert refused(world.refresh(first)) == "Stale token"
    assert world.refresh(later).status == 200


def test_the_token_of_a_user_that_was_removed_is_refused(world: World) -> None:
    token = world.login().json["refresh_token"]
    world.users = ()
    assert refused(world.refresh(token)) == "Unknown user"


def test_the_token_of_a_session_that_has_ended_is_refused(world: World) -> None:
    tokens = world.login().json
    assert world.perform(EndSession(tokens["session_state"]))
    assert refused(world.refresh(tokens["refresh_token"])) == "Session not active"


@pytest.mark.parametrize("rotates", [True, False])
def test_a_refresh_is_a_use_of_the_session(rotates: bool) -> None:
    world = World(Settings(rotate_refresh_tokens=rotates))
    tokens = world.login().json
    world.advance(100)
    latest = world.refresh(tokens["refresh_token"]).json["refresh_token"]
    session = world.perform(FindSession(tokens["session_state"]))
    assert session.seen_at == world.now
    world.advance(-50)  # a clock that was set back makes the session no older
    assert world.refresh(latest).status == 200
    assert world.perform(FindSession(tokens["session_state"])).seen_at == world.now + 50

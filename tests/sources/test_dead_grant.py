"""A refused grant is dead: it is not presented again, and a caller that needs a token gets the error of the refusal."""

import pytest

from doorkey.errors import InvalidGrant, OAuthError
from tests.support.every_source import ONE_OF_EACH, Maker
from tests.support.fake_clock import Clock
from tests.support.hostile_server import Hostile, token
from tests.support.source_requests import GARBAGE, ONCE, REFUSED, REPEATABLE, grant_types, on_token

one_of_each = pytest.mark.parametrize("source", ONE_OF_EACH, indirect=True)


@one_of_each
@pytest.mark.parametrize("name", list(REPEATABLE))
def test_where_the_refresh_token_is_dead_the_grant_is_repeated(
    source: Maker, hostile: Hostile, clock: Clock, name: str
) -> None:
    credentials = REPEATABLE[name]()
    answers = (token("a", refresh_token="rt-1"), REFUSED, token("b", refresh_token="rt-2"))
    asking = source(credentials, clock=clock, **on_token(hostile, *answers))
    asking.token()
    clock.advance(300)
    assert asking.access_token() == "b"
    first, refresh, again = grant_types(hostile)
    assert refresh == "refresh_token"
    assert first == again


@one_of_each
@pytest.mark.parametrize("name", list(REPEATABLE))
def test_a_dead_refresh_token_is_not_presented_again_where_the_repeated_grant_fails(
    source: Maker, hostile: Hostile, clock: Clock, name: str
) -> None:
    answers = (
        token("a", refresh_token="rt-1"),
        REFUSED,
        GARBAGE,
        REFUSED,
        token("b", refresh_token="rt-1"),
        token("c"),
    )
    asking = source(REPEATABLE[name](), clock=clock, **on_token(hostile, *answers))
    asking.token()
    clock.advance(300)
    for _ in range(2):
        with pytest.raises(OAuthError):
            asking.token()
        clock.advance(60)
    assert asking.access_token() == "b"
    first = grant_types(hostile)[0]
    assert grant_types(hostile) == [first, "refresh_token", first, first, first]
    clock.advance(300)
    assert asking.access_token() == "c"  # the server has issued the same refresh token anew
    assert grant_types(hostile)[-1] == "refresh_token"


@one_of_each
@pytest.mark.parametrize("name", list(ONCE))
def test_a_token_that_is_still_good_is_used_to_its_end_though_its_grant_is_dead(
    source: Maker, hostile: Hostile, clock: Clock, name: str
) -> None:
    asking = source(ONCE[name](), clock=clock, **on_token(hostile, token("a", refresh_token="rt-2"), REFUSED))
    asking.token()
    clock.advance(250)
    with pytest.raises(InvalidGrant):  # the caller that made the request gets the error at once
        asking.token()
    assert [asking.access_token() for _ in range(3)] == ["a"] * 3
    clock.advance(50)
    with pytest.raises(InvalidGrant, match="Session not active"):
        asking.token()
    assert len(hostile.token_requests) == 2


@one_of_each
@pytest.mark.parametrize("name", list(ONCE))
def test_where_the_grant_cannot_be_repeated_a_dead_refresh_token_ends_it(
    source: Maker, hostile: Hostile, clock: Clock, name: str
) -> None:
    asking = source(ONCE[name](), clock=clock, **on_token(hostile, token("a", refresh_token="rt-2"), REFUSED))
    asking.token()
    clock.advance(300)
    for _ in range(3):
        with pytest.raises(InvalidGrant, match=r"^invalid_grant: Session not active$"):
            asking.token()
        clock.advance(3600)
    assert grant_types(hostile)[1:] == ["refresh_token"]


@one_of_each
@pytest.mark.parametrize("name", list(ONCE))
def test_what_can_be_presented_once_and_is_refused_is_never_sent_again(
    source: Maker, hostile: Hostile, clock: Clock, name: str
) -> None:
    asking = source(ONCE[name](), clock=clock, **on_token(hostile, REFUSED, token()))
    for _ in range(3):
        with pytest.raises(InvalidGrant, match=r"^invalid_grant: Session not active$"):
            asking.token()
        clock.advance(3600)  # no pause lasts as long
    assert len(hostile.token_requests) == 1

"""A server that is busy or dead is not hammered: pauses that are waited out, and pauses that answer for it."""

from dataclasses import replace
from typing import Any

import pytest

from doorkey.errors import (
    InvalidClient,
    InvalidResponse,
    OAuthError,
    ServerError,
    TemporarilyUnavailable,
    TransportError,
    VerificationError,
)
from doorkey.stores import MemoryStore
from doorkey.vault import TokenVault
from tests.support.every_adapter import in_background, together
from tests.support.every_source import ONE_OF_EACH, Counting, Maker
from tests.support.fake_clock import START, Clock
from tests.support.hostile_server import Held, Hostile, reply, token
from tests.support.source_requests import (
    BUSY,
    CLIENT,
    GARBAGE,
    ONCE,
    REFRESH,
    REFUSED,
    REPEATABLE,
    busy,
    on_token,
    reset,
)

one_of_each = pytest.mark.parametrize("source", ONE_OF_EACH, indirect=True)


DEAD: dict[str, Any] = {"reset": reset, "garbage": GARBAGE, "busy": BUSY, "empty": reply(200)}
REFUSALS = {
    "password": REFUSED,
    "client": reply(401, json={"error": "invalid_client", "error_description": "wrong secret"}),
    "grant": reply(400, json={"error": "unauthorized_client"}),
    "failing": reply(500, json={"error": "server_error"}),
}


# -- within one call ---------------------------------------------------------------------------------------------------


@one_of_each
@pytest.mark.parametrize("name", list(REPEATABLE))
@pytest.mark.parametrize("status", [429, 503])
def test_a_short_pause_is_waited_out_where_asking_again_burns_nothing(
    source: Maker, hostile: Hostile, name: str, status: int
) -> None:
    asking = source(REPEATABLE[name](), **on_token(hostile, busy(7, status), token("a")))
    assert asking.access_token() == "a"
    assert asking.sleeps == [7]
    assert len(hostile.token_requests) == 2


@one_of_each
def test_a_caller_with_a_valid_token_does_not_wait_for_a_busy_server(
    source: Maker, hostile: Hostile, clock: Clock
) -> None:
    asking = source(CLIENT, clock=clock, **on_token(hostile, token("a", expires_in=60), busy(4), token("b")))
    asking.token()
    clock.advance(40)
    assert asking.access_token() == "a"
    assert asking.sleeps == []
    clock.advance(3)
    assert asking.access_token() == "a"
    assert len(hostile.token_requests) == 2, "the server was asked before it wanted to be"
    clock.advance(2)
    assert asking.access_token() == "b"


@one_of_each
@pytest.mark.parametrize("name", list(ONCE))
def test_what_may_be_presented_once_is_never_repeated_within_a_call(source: Maker, hostile: Hostile, name: str) -> None:
    asking = source(ONCE[name](), **on_token(hostile, busy(1), token("a")))
    with pytest.raises(TemporarilyUnavailable) as caught:
        asking.token()
    assert caught.value.retry_after == 1
    assert asking.sleeps == []
    assert len(hostile.token_requests) == 1


@one_of_each
def test_a_refresh_is_never_repeated_within_a_call_though_the_grant_might_be(
    source: Maker, hostile: Hostile, clock: Clock
) -> None:
    asking = source(CLIENT, clock=clock, **on_token(hostile, token("a", refresh_token="rt-1"), busy(1), token("b")))
    asking.token()
    clock.advance(300)
    with pytest.raises(TemporarilyUnavailable):
        asking.token()
    assert asking.sleeps == []
    assert len(hostile.token_requests) == 2


@one_of_each
def test_a_pause_that_is_too_long_is_an_error(source: Maker, hostile: Hostile) -> None:
    asking = source(CLIENT, **on_token(hostile, busy(11)))
    with pytest.raises(TemporarilyUnavailable) as caught:
        asking.token()
    assert caught.value.retry_after == 11
    assert asking.sleeps == []


@one_of_each
def test_a_server_that_stays_busy_is_asked_three_times(source: Maker, hostile: Hostile) -> None:
    asking = source(CLIENT, **on_token(hostile, busy(1)))
    with pytest.raises(TemporarilyUnavailable):
        asking.token()
    assert asking.sleeps == [1, 1]
    assert len(hostile.token_requests) == 3


@one_of_each
def test_a_refusal_is_not_repeated_though_it_comes_with_a_pause(source: Maker, hostile: Hostile) -> None:
    asking = source(CLIENT, **on_token(hostile, busy(1, 400, error="invalid_scope"), token("a")))
    with pytest.raises(ServerError, match="invalid_scope"):
        asking.token()
    assert asking.sleeps == []


@one_of_each
def test_a_busy_server_without_a_pause_is_not_asked_again_in_the_same_call(source: Maker, hostile: Hostile) -> None:
    asking = source(CLIENT, **on_token(hostile, BUSY, token("a")))
    with pytest.raises(TemporarilyUnavailable):
        asking.token()
    assert len(hostile.token_requests) == 1


@one_of_each
def test_the_pause_may_be_a_date(source: Maker, hostile: Hostile, clock: Clock) -> None:
    asking = source(CLIENT, clock=clock, **on_token(hostile, busy("Fri, 15 Jan 2027 08:00:05 GMT"), token("a")))
    assert asking.access_token() == "a"
    assert asking.sleeps == [5]


@one_of_each
def test_all_callers_wait_for_the_end_of_a_pause(source: Maker, hostile: Hostile, counting: Counting) -> None:
    held = Held(token("a"))
    asking = source(CLIENT, clock=counting, **on_token(hostile, busy(1), held))
    counting.expect(8 + 2)  # each reads the clock once, and the lock holder once more for each of its requests
    with in_background(lambda: together(8, asking.access_token)) as outcome:
        held.wait_for_arrival()
        counting.wait()
        held.release.set()
        assert outcome() == ["a"] * 8
    assert asking.sleeps == [1]


# -- between calls -----------------------------------------------------------------------------------------------------


def fails(call: Any) -> OAuthError:
    with pytest.raises(OAuthError) as caught:
        call()
    return caught.value


@pytest.mark.parametrize("answer", DEAD.values(), ids=DEAD.keys())
def test_a_dead_endpoint_is_asked_once_until_the_pause_is_over(
    source: Maker, hostile: Hostile, clock: Clock, answer: Any
) -> None:
    asking = source(CLIENT, clock=clock, **on_token(hostile, answer))
    first = fails(asking.token)
    told = together(20, asking.token)
    assert {type(error) for error in told} == {type(first)}
    assert len({id(error) for error in told} | {id(first)}) == 21
    clock.advance(0.49)
    fails(asking.token)
    assert len(hostile.token_requests) == 1
    clock.advance(0.01)
    fails(asking.token)
    assert len(hostile.token_requests) == 2


@one_of_each
def test_the_pause_doubles_up_to_a_minute(source: Maker, hostile: Hostile, clock: Clock) -> None:
    asking = source(CLIENT, clock=clock, **on_token(hostile, GARBAGE))
    fails(asking.token)
    for pause in (0.5, 1, 2, 4, 8, 16, 32, 60, 60):
        asked = len(hostile.token_requests)
        clock.advance(pause - 0.01)
        fails(asking.token)
        assert len(hostile.token_requests) == asked
        clock.advance(0.01)
        fails(asking.token)
        assert len(hostile.token_requests) == asked + 1


@one_of_each
def test_chance_spreads_the_end_of_the_pause(source: Maker, hostile: Hostile, clock: Clock) -> None:
    asking = source(CLIENT, clock=clock, random=lambda: 0.0, **on_token(hostile, GARBAGE))
    fails(asking.token)
    clock.advance(0.24)
    fails(asking.token)
    assert len(hostile.token_requests) == 1
    clock.advance(0.01)
    fails(asking.token)
    assert len(hostile.token_requests) == 2


@one_of_each
def test_success_ends_the_pauses(source: Maker, hostile: Hostile, clock: Clock) -> None:
    asking = source(CLIENT, clock=clock, **on_token(hostile, GARBAGE, GARBAGE, token("a"), GARBAGE, token("b")))
    for pause in (0.5, 1):
        fails(asking.token)
        clock.advance(pause)
    assert asking.access_token() == "a"
    clock.advance(300)
    fails(asking.token)
    clock.advance(0.5)
    assert asking.access_token() == "b"


@one_of_each
def test_a_pause_that_the_server_names_is_kept(source: Maker, hostile: Hostile, clock: Clock) -> None:
    asking = source(CLIENT, clock=clock, random=lambda: 0.0, **on_token(hostile, busy(120), token("a")))
    assert isinstance(fails(asking.token), TemporarilyUnavailable)
    clock.advance(119)
    told = fails(asking.token)
    assert isinstance(told, TemporarilyUnavailable)
    assert len(hostile.token_requests) == 1
    clock.advance(1)
    assert asking.access_token() == "a"


@one_of_each
def test_a_refresh_keeps_the_pause_too(source: Maker, hostile: Hostile, clock: Clock) -> None:
    answers = (token("a", refresh_token="rt-1"), busy(30), token("b"))
    asking = source(CLIENT, clock=clock, random=lambda: 0.0, **on_token(hostile, *answers))
    asking.token()
    clock.advance(300)
    fails(asking.token)
    clock.advance(29)
    fails(asking.token)
    assert len(hostile.token_requests) == 2
    clock.advance(1)
    assert asking.access_token() == "b"


@one_of_each
def test_during_the_pause_a_token_that_is_still_good_is_used(source: Maker, hostile: Hostile, clock: Clock) -> None:
    asking = source(CLIENT, clock=clock, **on_token(hostile, token("a"), GARBAGE, token("b")))
    asking.token()
    clock.advance(250)
    assert [asking.access_token() for _ in range(5)] == ["a"] * 5
    assert len(hostile.token_requests) == 2
    clock.advance(0.5)
    assert asking.access_token() == "b"


@pytest.mark.parametrize("answer", REFUSALS.values(), ids=REFUSALS.keys())
def test_a_refusal_is_not_asked_for_again_until_the_pause_is_over(
    source: Maker, hostile: Hostile, clock: Clock, answer: bytes
) -> None:
    asking = source(CLIENT, clock=clock, **on_token(hostile, answer, answer, token("a")))
    first = fails(asking.token)
    told = together(20, asking.token)
    assert {(type(error), str(error)) for error in told} == {(type(first), str(first))}
    assert len(hostile.token_requests) == 1
    clock.advance(0.5)
    fails(asking.token)
    clock.advance(0.99)  # the second pause is twice as long
    fails(asking.token)
    assert len(hostile.token_requests) == 2
    clock.advance(0.01)
    assert asking.access_token() == "a"


@one_of_each
@pytest.mark.parametrize("name", list(REPEATABLE))
def test_a_wrong_password_is_not_presented_with_each_call(
    source: Maker, hostile: Hostile, clock: Clock, name: str
) -> None:
    asking = source(REPEATABLE[name](), clock=clock, **on_token(hostile, REFUSED))
    for _ in range(100):  # twenty minutes of a call every twelve seconds
        assert str(fails(asking.token)) == "invalid_grant: Session not active"
        clock.advance(12)
    assert len(hostile.token_requests) <= 25


@one_of_each
def test_other_credentials_are_another_source_and_wait_for_nothing(
    source: Maker, hostile: Hostile, clock: Clock
) -> None:
    options = on_token(hostile, REFUSED, token("a"))
    fails(source(CLIENT, clock=clock, **options).token)
    assert source(replace(CLIENT, client_secret="the right one"), clock=clock, **options).access_token() == "a"


@one_of_each
def test_a_refused_refresh_of_a_grant_that_lives_has_its_pause_and_is_tried_again(
    source: Maker, hostile: Hostile, clock: Clock
) -> None:
    answers = (reply(401, json={"error": "invalid_client"}), token("a"))
    asking = source(REFRESH, clock=clock, **on_token(hostile, *answers))
    for _ in range(2):
        assert isinstance(fails(asking.token), InvalidClient)
    assert len(hostile.token_requests) == 1
    clock.advance(0.5)
    assert asking.access_token() == "a"


@one_of_each
@pytest.mark.parametrize(("status", "error"), [(500, "server_error"), (502, "anything"), (400, "server_error")])
def test_a_stale_token_survives_a_server_that_says_it_has_failed(
    source: Maker, hostile: Hostile, clock: Clock, status: int, error: str
) -> None:
    failing = reply(status, json={"error": error})
    asking = source(CLIENT, clock=clock, **on_token(hostile, token("a"), failing, token("b")))
    asking.token()
    clock.advance(250)
    assert [asking.access_token() for _ in range(3)] == ["a"] * 3
    assert len(hostile.token_requests) == 2
    clock.advance(0.5)
    assert asking.access_token() == "b"


def test_a_vault_leaves_a_server_alone_that_refuses_its_client(hostile: Hostile, clock: Clock) -> None:
    hostile.on("/token", reply(401, json={"error": "invalid_client"}), token("b"))
    old = {"access_token": "a", "refresh_token": "rt-1", "expires_at": START}
    with TokenVault(MemoryStore(), client_id="c", token_endpoint=hostile.token_endpoint, clock=clock) as vault:
        vault.save("user", old)
        for _ in range(3):
            assert isinstance(fails(vault.source("user").token), InvalidClient)
        assert len(hostile.token_requests) == 1
        clock.advance(0.5)
        assert vault.source("user").token().access_token.reveal() == "b"


@one_of_each
def test_metadata_that_is_another_issuers_is_not_fetched_with_each_call(
    source: Maker, hostile: Hostile, clock: Clock
) -> None:
    well_known = "/.well-known/openid-configuration"
    hostile.on(well_known, reply(json={"issuer": "https://other.example", "token_endpoint": hostile.token_endpoint}))
    asking = source(CLIENT, clock=clock, issuer=hostile.url(""))
    for _ in range(5):
        assert isinstance(fails(asking.token), VerificationError)
    assert len(hostile.to(well_known)) == 1


@one_of_each
def test_discovery_that_fails_has_its_pause(source: Maker, hostile: Hostile, clock: Clock) -> None:
    well_known = "/.well-known/openid-configuration"
    hostile.on(well_known, GARBAGE)
    asking = source(CLIENT, clock=clock, issuer=hostile.url(""))
    for _ in range(5):
        assert isinstance(fails(asking.token), InvalidResponse)
    assert len(hostile.to(well_known)) == 1


@one_of_each
def test_an_error_that_is_raised_again_keeps_its_class_and_text(source: Maker, hostile: Hostile, clock: Clock) -> None:
    asking = source(CLIENT, clock=clock, **on_token(hostile, reset))
    first, second = fails(asking.token), fails(asking.token)
    assert type(second) is TransportError
    assert str(second) == str(first)
    assert second is not first
    assert second.__cause__ is not None


@one_of_each
def test_a_clock_that_is_set_back_during_a_pause_ends_it(source: Maker, hostile: Hostile, clock: Clock) -> None:
    """TLS fails while a clock is an hour ahead; once it is right the pause would last that hour."""
    clock.advance(3600)
    asking = source(CLIENT, clock=clock, **on_token(hostile, GARBAGE, token("a")))
    with pytest.raises(InvalidResponse):
        asking.token()
    clock.advance(-3600)
    assert asking.access_token() == "a"


# -- when the next request is made -------------------------------------------------------------------------------------


@one_of_each
def test_an_error_in_a_pause_says_when_the_next_request_is_made_and_it_can_be_made_at_once(
    source: Maker, hostile: Hostile, clock: Clock
) -> None:
    asking = source(CLIENT, clock=clock, random=lambda: 1.0, **on_token(hostile, reply(500), token("a")))
    with pytest.raises(OAuthError) as first:
        asking.token()
    assert first.value.retry_at is None
    with pytest.raises(OAuthError) as paused:
        asking.token()
    assert paused.value.retry_at == START + 0.5
    assert "retry_now()" in paused.value.__notes__[0]
    assert len(hostile.token_requests) == 1
    asking.native.retry_now()
    assert asking.access_token() == "a"

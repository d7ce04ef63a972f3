"""When a source renews: fresh, stale, expired; the margin, and its jitter; the others go on with the old token."""

import threading
from typing import Any

import pytest

from doorkey import TokenSource
from doorkey.errors import InvalidGrant, InvalidResponse, TransportError
from doorkey.tokens import OAuthToken
from tests.support.every_adapter import in_background, together
from tests.support.every_source import ONE_OF_EACH, Maker
from tests.support.fake_clock import Clock
from tests.support.hostile_server import WAIT, Exchange, Held, Hostile, Whole, token
from tests.support.source_requests import CLIENT, GARBAGE, REFRESH, REFUSED, on_token, reset

one_of_each = pytest.mark.parametrize("source", ONE_OF_EACH, indirect=True)


@pytest.mark.parametrize(
    ("lifetime", "leeway", "fresh_for"),
    [
        (300, None, 240),  # a minute early,
        (60, None, 30),  # or half of a short life,
        (1, None, 0.5),
        (300, 0, 300),  # or as it is named
        (300, 10, 290),
        (60, 59, 30),  # but no more than half of a short life
    ],
)
@one_of_each
def test_a_token_is_used_without_a_request_until_its_margin(
    source: Maker, hostile: Hostile, clock: Clock, lifetime: int, leeway: float | None, fresh_for: float
) -> None:
    answers = (token("a", expires_in=lifetime), token("b", expires_in=lifetime))
    asking = source(CLIENT, clock=clock, leeway=leeway, **on_token(hostile, *answers))
    asking.token()
    clock.advance(fresh_for - 0.01)
    assert asking.access_token() == "a"
    clock.advance(0.01)
    assert asking.access_token() == "b"
    assert len(hostile.token_requests) == 2


@one_of_each
@pytest.mark.parametrize("lifetime", [1, 30, 60])
def test_a_token_that_arrives_inside_the_margin_is_used_and_not_asked_for_in_a_loop(
    source: Maker, hostile: Hostile, clock: Clock, lifetime: int
) -> None:
    """A leeway longer than the token's life counts as half of it, and the program is warned once."""
    answers = (token("a", expires_in=lifetime), token("b", expires_in=lifetime))
    asking = source(CLIENT, clock=clock, leeway=3600, **on_token(hostile, *answers))
    with pytest.warns(RuntimeWarning, match=r"leeway=3600 is not shorter than the lifetime"):
        assert asking.access_token() == "a"
    assert asking.access_token() == "a"
    assert len(hostile.token_requests) == 1
    clock.advance(lifetime / 2)
    assert asking.access_token() == "b"
    assert len(hostile.token_requests) == 2


@one_of_each
def test_a_lifetime_of_0_is_unknown_and_its_token_is_used_until_it_is_refused(
    source: Maker, hostile: Hostile, clock: Clock
) -> None:
    asking = source(CLIENT, clock=clock, **on_token(hostile, token("a", expires_in=0), token("b")))
    assert asking.access_token() == "a"
    assert asking.access_token() == "a"
    asking.reject(asking.token())
    assert asking.access_token() == "b"


@one_of_each
def test_a_token_of_unknown_lifetime_is_used_until_it_is_refused(source: Maker, hostile: Hostile, clock: Clock) -> None:
    asking = source(CLIENT, clock=clock, **on_token(hostile, token("a", expires_in=None), token("b")))
    first = asking.token()
    clock.advance(1e9)
    assert asking.token() == first
    assert asking.reject(first)
    assert asking.access_token() == "b"


@one_of_each
def test_the_lifetime_counts_from_the_moment_of_asking(source: Maker, hostile: Hostile, clock: Clock) -> None:
    held = Held(token("a"))
    asking = source(CLIENT, clock=clock, leeway=0, **on_token(hostile, held, token("b")))
    with in_background(asking.access_token) as outcome:
        held.wait_for_arrival()
        clock.advance(200)
        held.release.set()
        assert outcome() == "a"
    clock.advance(100)
    assert asking.access_token() == "b"


# -- jitter ------------------------------------------------------------------------------------------------------------


@one_of_each
@pytest.mark.parametrize(("chance", "fresh_for"), [(0.0, 270), (0.5, 255), (1.0, 240)])
def test_chance_spreads_the_margin_from_half_of_it_to_all_of_it(
    source: Maker, hostile: Hostile, clock: Clock, chance: float, fresh_for: float
) -> None:
    asking = source(CLIENT, clock=clock, random=lambda: chance, **on_token(hostile, token("a"), token("b")))
    asking.token()
    clock.advance(fresh_for - 0.01)
    assert asking.access_token() == "a"
    clock.advance(0.01)
    assert asking.access_token() == "b"


@one_of_each
def test_each_token_draws_its_own_margin(source: Maker, hostile: Hostile, clock: Clock) -> None:
    drawn = [0.0]
    answers = (token("a"), token("b"), token("c"))
    asking = source(CLIENT, clock=clock, random=lambda: drawn[0], **on_token(hostile, *answers))
    asking.token()
    for early, following, expected in ((30, 1.0, "b"), (60, 0.5, "c")):
        drawn[0] = following
        clock.advance(300 - early - 0.01)
        assert asking.access_token() != expected
        clock.advance(0.01)
        assert asking.access_token() == expected


@one_of_each
def test_a_leeway_that_is_named_is_honored_without_chance(source: Maker, hostile: Hostile, clock: Clock) -> None:
    asking = source(CLIENT, clock=clock, leeway=60, random=lambda: 0.0, **on_token(hostile, token("a"), token("b")))
    asking.token()
    clock.advance(240)
    assert asking.access_token() == "b"


def test_a_fleet_that_began_together_does_not_renew_in_step(hostile: Hostile, clock: Clock) -> None:
    on_token(hostile, token(expires_in=300))
    drawn = [number / 20 for number in range(20)]
    fleet = [
        TokenSource(CLIENT, token_endpoint=hostile.token_endpoint, clock=clock, random=lambda share=share: share)  # type: ignore[misc]
        for share in drawn
    ]
    for one in fleet:
        one.token()
    renewing_at: dict[int, int] = {}
    clock.advance(239.9)
    for moment in range(32):
        before = len(hostile.token_requests)
        for one in fleet:
            one.token()
        renewing_at[moment] = len(hostile.token_requests) - before
        clock.advance(1)
    for one in fleet:
        one.close()
    assert sum(renewing_at.values()) == 20
    assert max(renewing_at.values()) <= 1


# -- while it is stale -------------------------------------------------------------------------------------------------


def test_while_one_renews_the_others_go_on_with_the_old_token(source: Maker, hostile: Hostile, clock: Clock) -> None:
    held = Held(token("b"))
    asking = source(CLIENT, clock=clock, **on_token(hostile, token("a"), held))
    asking.token()
    clock.advance(250)
    with in_background(asking.access_token) as leader:
        held.wait_for_arrival()
        assert together(8, asking.access_token) == ["a"] * 8
        held.release.set()
        assert leader() == "b"
    assert asking.access_token() == "b"
    assert len(hostile.token_requests) == 2


def test_once_it_has_expired_callers_wait_for_the_renewal(source: Maker, hostile: Hostile, clock: Clock) -> None:
    held = Held(token("b"))
    asking = source(CLIENT, clock=clock, **on_token(hostile, token("a"), held))
    asking.token()
    clock.advance(250)
    with in_background(asking.access_token) as leader:
        held.wait_for_arrival()
        clock.advance(50)
        with in_background(lambda: together(4, asking.access_token)) as waiting:
            held.release.set()
            assert waiting() == ["b"] * 4
        assert leader() == "b"
    assert len(hostile.token_requests) == 2


@one_of_each
@pytest.mark.parametrize("failure", [GARBAGE, reset], ids=["garbage", "reset"])
def test_a_stale_token_survives_a_server_that_cannot_be_reached(
    source: Maker, hostile: Hostile, clock: Clock, failure: Any
) -> None:
    asking = source(CLIENT, clock=clock, **on_token(hostile, token("a"), failure))
    asking.token()
    clock.advance(250)
    assert asking.access_token() == "a"
    clock.advance(50)
    with pytest.raises((InvalidResponse, TransportError)):
        asking.token()


@one_of_each
def test_a_token_that_expires_by_the_clock_while_it_is_requested_is_used_once(
    source: Maker, hostile: Hostile, clock: Clock
) -> None:
    def set_the_clock_on(exchange: Exchange) -> None:
        clock.advance(400)
        exchange.send(token(f"at-{len(hostile.token_requests)}"))

    asking = source(CLIENT, clock=clock, **on_token(hostile, Whole(set_the_clock_on)))
    assert asking.access_token() == "at-1"
    assert asking.access_token() == "at-2"


@one_of_each
def test_a_stale_token_that_expires_while_a_renewal_fails_is_not_used(
    source: Maker, hostile: Hostile, clock: Clock
) -> None:
    def fail_late(exchange: Exchange) -> None:
        clock.advance(60)
        exchange.send(GARBAGE)

    asking = source(CLIENT, clock=clock, **on_token(hostile, token("a"), Whole(fail_late)))
    asking.token()
    clock.advance(250)
    with pytest.raises(InvalidResponse):
        asking.token()
    assert len(hostile.token_requests) == 2


@one_of_each
def test_a_stale_token_does_not_hide_that_the_grant_is_dead(source: Maker, hostile: Hostile, clock: Clock) -> None:
    asking = source(REFRESH, clock=clock, **on_token(hostile, token("a"), REFUSED))
    asking.token()
    clock.advance(250)
    with pytest.raises(InvalidGrant):
        asking.token()


# -- in the background -------------------------------------------------------------------------------------------------


def test_in_the_background_no_caller_waits_for_a_renewal(source: Maker, hostile: Hostile, clock: Clock) -> None:
    held = Held(token("b"))
    asking = source(CLIENT, clock=clock, background=True, **on_token(hostile, token("a"), held))
    first = asking.token()
    clock.advance(250)
    assert asking.access_token() == "a"
    held.wait_for_arrival()
    assert [asking.access_token() for _ in range(3)] == ["a"] * 3
    asking.reject(first)  # now they wait for the one that is under way
    with in_background(asking.access_token) as waiting:
        held.release.set()
        assert waiting() == "b"
    assert len(hostile.token_requests) == 2


def test_in_the_background_a_failure_is_not_raised_while_the_token_is_valid(
    source: Maker, hostile: Hostile, clock: Clock
) -> None:
    held = Held(GARBAGE)
    asking = source(CLIENT, clock=clock, background=True, **on_token(hostile, token("a"), held, token("b")))
    lock = asking.watched()
    first = asking.token()
    clock.advance(250)
    assert asking.access_token() == "a"
    held.wait_for_arrival()
    with in_background(lambda: asking.call(asking.native._flight.token)) as still_good:
        assert still_good().access_token.reveal() == "a"
    asking.reject(first)
    with in_background(asking.token) as waiting:
        lock.wait_for(1)
        held.release.set()
        with pytest.raises(InvalidResponse):
            waiting()
    clock.advance(1)
    assert asking.access_token() == "b"


@one_of_each
def test_in_the_background_a_token_that_has_expired_is_waited_for(
    source: Maker, hostile: Hostile, clock: Clock
) -> None:
    asking = source(CLIENT, clock=clock, background=True, **on_token(hostile, token("a"), token("b")))
    asking.token()
    clock.advance(300)
    assert asking.access_token() == "b"


def test_where_no_thread_can_be_started_the_token_is_used_and_the_next_caller_tries(
    hostile: Hostile, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_token(hostile, token("a"), token("b"))
    with TokenSource(CLIENT, token_endpoint=hostile.token_endpoint, clock=clock, background=True, leeway=60) as asking:
        asking.token()
        clock.advance(250)
        real = threading.Thread.start

        def refused(thread: threading.Thread) -> None:
            if thread.name == "doorkey-renewal":
                raise RuntimeError("can't start new thread")
            real(thread)

        with monkeypatch.context() as patched:
            patched.setattr(threading.Thread, "start", refused)
            assert asking.token().access_token.reveal() == "a"
        renewed = threading.Event()

        def answer(exchange: Exchange) -> None:
            exchange.send(token("b"))
            renewed.set()

        hostile.on("/token", answer)
        assert asking.token().access_token.reveal() == "a"
        assert renewed.wait(WAIT)
        clock.advance(50)
        assert asking.token().access_token.reveal() == "b"


# -- a token that an API refused ---------------------------------------------------------------------------------------


@one_of_each
def test_a_refused_token_is_renewed_once_however_many_refuse_it(source: Maker, hostile: Hostile, clock: Clock) -> None:
    asking = source(CLIENT, clock=clock, **on_token(hostile, token("a"), token("b"), token("c")))
    first = asking.token()

    def refuse() -> str:
        assert asking.reject(first)
        return asking.access_token()

    assert together(8, refuse) == ["b"] * 8
    assert len(hostile.token_requests) == 2


@one_of_each
def test_a_refused_token_is_refreshed_where_there_is_a_refresh_token(source: Maker, hostile: Hostile) -> None:
    asking = source(CLIENT, **on_token(hostile, token("a", refresh_token="rt-1"), token("b")))
    asking.reject(asking.token())
    assert asking.access_token() == "b"
    assert hostile.token_requests[1].form == {
        "grant_type": "refresh_token",
        "refresh_token": "rt-1",
        "scope": "scope-1",
    }


@one_of_each
def test_a_refused_token_that_cannot_be_renewed_says_so(source: Maker, hostile: Hostile) -> None:
    from doorkey import JWTBearer

    asking = source(JWTBearer("c", assertion="once"), **on_token(hostile, token("a")))
    assert asking.reject(asking.token()) is False
    assert source(CLIENT, **on_token(hostile, token("a"))).reject(OAuthToken(access_token=_secret("x"))) is True


@one_of_each
def test_the_same_token_again_after_it_was_refused_is_what_there_is(source: Maker, hostile: Hostile) -> None:
    asking = source(CLIENT, **on_token(hostile, token("a")))
    asking.reject(asking.token())
    assert [asking.access_token() for _ in range(3)] == ["a"] * 3
    assert len(hostile.token_requests) == 2


@one_of_each
def test_a_token_that_is_rejected_during_its_renewal_is_not_used_if_that_fails(
    source: Maker, hostile: Hostile, clock: Clock
) -> None:
    held = Held(GARBAGE)
    asking = source(CLIENT, clock=clock, **on_token(hostile, token("a"), held))
    first = asking.token()
    clock.advance(250)
    with in_background(asking.token) as leader:
        held.wait_for_arrival()
        asking.reject(first)
        with in_background(asking.token) as waiter:
            held.release.set()
            for outcome in (leader, waiter):
                with pytest.raises(InvalidResponse):
                    outcome()


def _secret(value: str) -> Any:
    from doorkey.values import Secret

    return Secret(value)

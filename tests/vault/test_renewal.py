"""The bounds of a renewal under a lease, step by step: what it raises, how long it waits, and what it reports."""

import pytest

from doorkey.errors import InvalidGrant, MissingTokenError, OAuthError, StoreError, TokenExpiredError, TransportError
from doorkey.vault.commits import TRIES
from doorkey.vault.effects import Commit, Load, Release, TryLease
from doorkey.vault.memory import Memory
from doorkey.vault.pace import Pace
from doorkey.vault.renewal import TRY_EVERY
from doorkey.wire.flow import Sleep
from doorkey.wire.messages import Request
from tests.vault.model import DOWN, KEY, LIFETIME, UNREACHABLE, World
from tests.vault.one_renewal import One, expired, leased_elsewhere

WITHOUT_REFRESH_TOKEN = {"access_token": "at-9", "token_type": "Bearer", "expires_in": LIFETIME}


# -- a grant that cannot continue --------------------------------------------------------------------------------------


def test_an_expired_token_without_a_refresh_token_is_an_error_without_a_lease() -> None:
    world = World(1)
    world.save(world.workers[0], WITHOUT_REFRESH_TOKEN)
    world.expire()
    one = One(world).run()
    assert isinstance(one.error, TokenExpiredError)
    assert "no refresh token" in str(one.error)
    assert one.kinds == [Load]


def test_a_stale_token_without_a_refresh_token_is_used_without_a_lease() -> None:
    world = World(1)
    world.save(world.workers[0], WITHOUT_REFRESH_TOKEN)
    world.now += LIFETIME - 1
    one = One(world).run()
    assert (one.access_token, one.kinds) == ("at-9", [Load])


def test_an_expired_token_without_a_refresh_token_that_was_saved_before_the_lease_is_an_error_and_no_request() -> None:
    world = expired()
    one = One(world).run(TryLease)
    world.save(world.workers[0], {**WITHOUT_REFRESH_TOKEN, "expires_at": world.now - 1})
    one.run()
    assert isinstance(one.error, TokenExpiredError)
    assert "no refresh token" in str(one.error)
    assert one.kinds == [Load, TryLease, Load, Release]
    assert world.server.presented == []


def test_a_key_that_was_forgotten_is_an_error_that_says_so() -> None:
    world = expired()
    record = world.store.load(KEY)
    assert record is not None
    world.store.commit(KEY, None, expected=record.version)
    one = One(world).run()
    assert isinstance(one.error, MissingTokenError)
    assert one.kinds == [Load]


# -- the wait for another process --------------------------------------------------------------------------------------


def test_a_waiter_tries_for_the_lease_at_each_third_look() -> None:
    world = expired()
    lease = leased_elsewhere(world)
    one = One(world)
    assert TRY_EVERY == 3
    for expected in (Load, TryLease, *(Sleep, Load) * 3, TryLease, *(Sleep, Load) * 3, TryLease, Sleep):
        assert isinstance(one.effect, expected)
        one.step()
    world.store.release(lease)
    assert one.run().access_token == "at-2"


def test_the_wait_for_another_process_ends_after_two_leases() -> None:
    world = expired()
    leased_elsewhere(world)
    one = One(world, lease=0.01, timer=lambda: 5.0).run()  # with a timer that stands still, each pause is 0.01 s
    assert [effect.seconds for effect in one.performed if isinstance(effect, Sleep)] == [0.01] * 3
    assert isinstance(one.error, TransportError)
    assert one.error.retryable
    assert "other processes keep renewing this token" in str(one.error)
    assert world.server.presented == []


def test_one_wait_is_reported_from_the_first_pause_to_the_lease() -> None:
    world = expired()
    lease = leased_elsewhere(world)
    one = One(world).run(Sleep)
    assert one.log == [Load, TryLease, "wait begins"]
    one.step()
    one.run(Sleep)
    world.store.release(lease)
    one.run()
    assert one.access_token == "at-2"
    assert one.log.count("wait begins") == one.log.count("wait ends") == 1
    assert one.log[-6:] == [TryLease, "wait ends", Load, Request, Commit, Release]


def test_a_wait_that_another_process_ends_is_over_when_its_token_is_returned() -> None:
    world = expired()
    leased_elsewhere(world)
    one = One(world).run(Sleep)
    world.save(world.workers[0])
    one.run()
    assert one.access_token == "at-2"
    assert one.log == [Load, TryLease, "wait begins", Sleep, Load, "wait ends"]


def test_the_pauses_follow_what_was_waited_and_what_a_look_takes() -> None:
    world, moments = expired(), iter([100.0, 100.0, 100.5, 102.5, 103.0])
    leased_elsewhere(world)
    one = One(world, timer=lambda: next(moments)).run(Sleep)
    assert one.effect.seconds == 0.01  # nothing was waited yet
    one.step()
    one.step()
    assert isinstance(one.effect, Sleep)
    # 2.5 s were waited, a quarter of which is shorter than two looks of 2 s, which is longer than the longest pause
    assert one.effect.seconds == 1.0


def test_a_stale_token_that_another_process_renews_is_used_and_put_off() -> None:
    world = World(1)
    leased_elsewhere(world)
    world.now += LIFETIME - 1
    one = One(world).run()
    assert (one.access_token, one.kinds) == ("at-1", [Load, TryLease])
    assert one.memory.is_deferred(world.now)


# -- the time of the lease ---------------------------------------------------------------------------------------------


def test_a_store_that_is_too_slow_for_the_lease_is_given_up_after_its_tries() -> None:
    world = expired()
    one = One(world)
    while one.effect is not None:
        leased = isinstance(one.effect, TryLease)
        one.step()
        world.now += one.renewing.slack + 1 if leased else 0
    assert isinstance(one.error, StoreError)
    assert one.error.retryable
    assert "too slow for a lease to outlive the renewal" in str(one.error)
    assert one.kinds == [Load, *[TryLease, Load, Release] * TRIES]
    assert world.server.presented == []


def test_a_request_is_made_as_long_as_the_lease_outlives_it() -> None:
    world = expired()
    one = One(world).run(TryLease)
    one.step()
    world.now += one.renewing.slack
    one.run()
    assert (one.access_token, one.kinds) == ("at-2", [Load, TryLease, Load, Request, Commit, Release])


def test_the_request_is_timed_from_the_moment_before_the_lease() -> None:
    world = expired()
    one = One(world).run(TryLease)
    world.now += one.renewing.slack + 1  # the store takes so long for the lease
    one.step()
    one.step()
    assert isinstance(one.effect, Release)


# -- failures ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [DOWN, UNREACHABLE])
def test_a_failure_while_the_token_is_still_good_puts_the_renewal_off(error: OAuthError) -> None:
    world = World(1)
    memory = Memory(KEY, None, 60.0)
    assert One(world, memory).run().access_token == "at-1"
    world.now += LIFETIME - 1
    one = One(world, memory)
    one.fail(error)
    assert one.access_token == "at-1"
    assert memory.is_deferred(world.now)
    assert memory.misses == 1


@pytest.mark.parametrize("retryable", [True, False])
def test_the_error_of_the_store_without_a_good_token_keeps_whether_it_can_be_retried(retryable: bool) -> None:
    one = One(expired())
    one.fail(StoreError("the store is down", retryable=retryable))
    assert isinstance(one.error, StoreError)
    assert one.error.retryable is retryable


def test_a_store_that_does_not_take_the_lease_back_changes_nothing() -> None:
    world = expired()
    one = One(world).run(Release)
    one.fail(DOWN)
    assert one.access_token == "at-2"


def test_a_dead_grant_is_marked_once_and_its_lease_is_given_back() -> None:
    world = expired()
    world.server.revoked = True
    one = One(world).run()
    assert isinstance(one.error, InvalidGrant)
    assert one.kinds == [Load, TryLease, Load, Request, Load, Commit, Release]
    assert one.memory.held is not None
    assert one.memory.held.dead == "reused"
    again = One(world).run()
    assert isinstance(again.error, InvalidGrant)
    assert (again.error.description, again.error.status) == ("reused", 400)
    assert again.kinds == [Load]


def test_a_rejection_of_a_token_causes_a_renewal_of_its_replacement() -> None:
    world = expired()
    one = One(world).run(Request)
    world.save(world.workers[0])
    world.expire()
    one.step()
    world.server.revoked = False  # the refused token was of another grant than the saved one
    one.run()
    assert one.kinds[3:] == [Request, Load, Release, TryLease, Load, Request, Commit, Release]


def test_the_time_of_a_renewal_counts_for_the_pauses_of_the_next() -> None:
    world = expired()
    world.elapsed = 100.0
    for _ in range(2):
        one = One(world).run(Request)
        world.elapsed += 4.0
        assert one.run().token is not None
        world.expire()
    assert world.workers[0].core._renewing.pace.expected == 4.0


def test_the_time_that_another_process_took_counts_less_half_of_the_last_pause() -> None:
    world, moments, pace = expired(), iter([100.0, 100.0, 110.0]), Pace()
    pace.took(50.0)
    leased_elsewhere(world)
    one = One(world, timer=lambda: next(moments), pace=pace).run(Sleep)
    assert one.effect.seconds == 0.01
    world.save(world.workers[0])
    assert one.run().access_token == "at-2"
    assert pace.expected == pytest.approx(9.995)

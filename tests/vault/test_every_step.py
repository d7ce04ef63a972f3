"""Each step of a renewal, with steps of other workers in between; the test chooses which step runs next."""

import pytest

from doorkey.errors import InvalidGrant, MissingTokenError, OAuthError, StoreError, TokenExpiredError
from doorkey.tokens import OAuthToken
from doorkey.vault.effects import Commit, Load, Release, TryLease
from doorkey.wire.flow import Sleep
from doorkey.wire.messages import Request
from tests.vault.model import DOWN, KEY, UNREACHABLE, Worker, World


def token_of(worker: Worker) -> str:
    assert isinstance(worker.outcome, OAuthToken), worker.outcome
    return worker.outcome.access_token.reveal()


def error_of(worker: Worker) -> OAuthError:
    assert isinstance(worker.outcome, OAuthError), worker.outcome
    return worker.outcome


def expired(workers: int = 2) -> tuple[World, list[Worker]]:
    world = World(workers)
    world.expire()
    return world, world.workers


def test_a_renewal_reads_leases_reads_again_asks_commits_and_releases() -> None:
    world, (one,) = expired(1)
    one.begin()
    world.finish(one)
    assert [type(effect) for effect in one.performed] == [Load, TryLease, Load, Request, Commit, Release]
    assert token_of(one) == "at-2"
    assert world.stored().access_token.reveal() == "at-2"


def test_a_fresh_token_costs_one_reading_and_no_lease() -> None:
    world = World(2)
    other = world.workers[1]
    other.begin()
    world.finish(other)
    assert [type(effect) for effect in other.performed] == [Load]
    assert token_of(other) == "at-1"


def test_the_lease_outlives_the_deadline_of_the_token_call() -> None:
    world, (one,) = expired(1)
    one.begin()
    world.finish(one, TryLease)
    assert one.effect.seconds > one.core.policy.deadline


def test_the_loser_waits_for_the_newer_version_and_asks_nothing() -> None:
    world, (winner, loser) = expired()
    for worker in (winner, loser):
        worker.begin()
    world.finish(winner, Request)
    world.finish(loser, Sleep)
    for _ in range(10):  # while the winner works, the loser repeats: pause, load, try
        world.step(loser)
    world.finish(winner)
    world.finish(loser)
    assert token_of(winner) == token_of(loser) == "at-2"
    assert world.server.presented == ["rt-1"]


def test_a_late_lease_holder_finds_the_new_token_by_reading_again() -> None:
    world, (first, second) = expired()
    second.begin()
    world.finish(second, TryLease)  # it has read the old record
    first.begin()
    world.finish(first)
    world.finish(second)
    assert token_of(second) == "at-2"
    assert world.server.presented == ["rt-1"]
    assert [type(effect) for effect in second.performed] == [Load, TryLease, Load, Release]


def test_a_token_that_is_still_good_is_used_while_another_process_renews_it() -> None:
    world = World(2)
    winner, other = world.workers
    world.now += 250  # stale, not expired
    winner.begin()
    world.finish(winner, Request)
    other.begin()
    world.finish(other)
    assert token_of(other) == "at-1"
    assert Sleep not in {type(effect) for effect in other.performed}


def test_the_token_is_committed_before_it_is_returned() -> None:
    world, (one,) = expired(1)
    one.begin()
    world.finish(one, Commit)
    assert one.outcome is None
    assert one.slot.token is not None
    assert one.slot.token.access_token.reveal() == "at-1"


def test_an_owner_whose_lease_ran_out_still_saves_what_it_was_given() -> None:
    world, (slow, other) = expired()
    slow.begin()
    world.finish(slow, Commit)
    world.expire_leases()
    other.begin()
    world.finish(other, Request)  # it has the lease now, and the old refresh token in memory
    world.finish(slow)
    assert token_of(slow) == "at-2"
    assert world.stored().access_token.reveal() == "at-2"


def test_a_second_owner_that_is_refused_takes_what_the_first_has_committed_meanwhile() -> None:
    world, (slow, other) = expired()
    slow.begin()
    world.finish(slow, Commit)
    world.expire_leases()
    other.begin()
    world.finish(other, Request)
    world.finish(slow)
    world.step(other)  # the server refuses the old refresh token
    world.finish(other)
    assert token_of(other) == "at-2"
    assert [type(effect) for effect in other.performed[-3:]] == [Request, Load, Release]


def test_a_commit_that_finds_a_newer_version_takes_that_one() -> None:
    world, (slow, other) = expired()
    slow.begin()
    world.finish(slow, Commit)
    world.save(other)  # a new login
    world.finish(slow)
    assert token_of(slow) == "at-3"
    assert world.stored().access_token.reveal() == "at-3"


def test_a_living_token_overrules_the_note_that_its_grant_is_dead() -> None:
    world, (slow, other) = expired()
    slow.begin()
    world.finish(slow, Commit)
    world.expire_leases()
    other.begin()
    world.finish(other)
    assert isinstance(error_of(other), InvalidGrant)
    world.finish(slow)
    assert token_of(slow) == "at-2"
    assert world.stored().access_token.reveal() == "at-2"


def test_a_refused_grant_is_dead_for_all_callers_and_is_not_requested_again() -> None:
    world, (one, other) = expired()
    world.server.revoked = True
    for worker in (one, other, one, other):
        worker.begin()
        world.finish(worker)
        assert str(error_of(worker)) == "invalid_grant: reused"
    assert len(world.server.presented) == 1


def test_saving_a_new_login_ends_the_death() -> None:
    world, (one, other) = expired()
    world.server.revoked = True
    one.begin()
    world.finish(one)
    world.save(other)
    one.begin()
    world.finish(one)
    assert token_of(one) == "at-2"


def test_a_grant_stays_dead_in_this_process_if_the_store_could_not_save_that() -> None:
    world, (one,) = expired(1)
    world.server.revoked = True
    one.begin()
    world.finish(one, Commit)
    while not one.idle:
        one.fail(DOWN) if isinstance(one.effect, Commit) else world.step(one)
    assert isinstance(error_of(one), InvalidGrant)
    one.begin()
    world.finish(one)
    assert isinstance(error_of(one), InvalidGrant)
    assert len(world.server.presented) == 1


def test_a_key_that_is_forgotten_while_it_is_renewed_stays_forgotten() -> None:
    world, (one,) = expired(1)
    one.begin()
    world.finish(one, Commit)
    record = world.store.load(KEY)
    assert record is not None
    world.store.commit(KEY, None, expected=record.version)
    world.finish(one)
    assert isinstance(error_of(one), MissingTokenError)
    assert world.store.load(KEY) is None


def test_a_login_here_is_not_undone_by_a_renewal_that_had_just_been_committed() -> None:
    world, (one,) = expired(1)
    one.begin()
    world.finish(one, Commit)
    version = world.perform(one.effect)
    world.save(one)
    one.feed(version)
    world.finish(one)
    assert one.slot.token is not None
    assert one.slot.token.access_token.reveal() == "at-3"
    assert world.stored().access_token.reveal() == "at-3"


def test_a_token_that_cannot_be_renewed_is_used_until_it_expires() -> None:
    world = World(1)
    (one,) = world.workers
    record = world.store.load(KEY)
    assert record is not None
    world.server.token = lambda: {"access_token": "at-9", "token_type": "Bearer", "expires_in": 300}  # type: ignore[method-assign]
    world.save(one)
    other = world.another()
    world.now += 250
    other.begin()
    world.finish(other)
    assert token_of(other) == "at-9"
    world.expire()
    other.begin()
    world.finish(other)
    assert isinstance(error_of(other), TokenExpiredError)
    assert world.server.presented == []


# -- the store or the server cannot be reached -------------------------------------------------------------------------


def test_a_renewed_token_that_the_store_does_not_take_is_used_and_saved_later(caplog: pytest.LogCaptureFixture) -> None:
    world, (one, other) = expired()
    one.begin()
    world.finish(one, Commit)
    while not one.idle:
        one.fail(DOWN)
    assert token_of(one) == "at-2"
    assert one.slot.memory.unsaved
    assert "the store did not save a renewed token" in caplog.text
    assert "at-2" not in caplog.text
    one.begin()
    world.finish(one)
    assert one.slot.memory.held is not None
    other.begin()
    world.finish(other)
    assert token_of(other) == "at-2"
    assert world.server.presented == ["rt-1"]


def test_a_commit_whose_answer_was_lost_is_found_to_have_been_made() -> None:
    world, (one,) = expired(1)
    one.begin()
    world.finish(one, Commit)
    world.perform(one.effect)
    one.fail(DOWN)
    world.finish(one)
    assert token_of(one) == "at-2"
    record = world.store.load(KEY)
    assert record is not None
    assert record.version == 2


def test_a_token_in_memory_that_is_still_good_is_used_while_the_store_is_down() -> None:
    world = World(1)
    (one,) = world.workers
    one.begin()
    world.finish(one)
    world.now += 250
    one.begin()
    one.fail(DOWN)
    assert token_of(one) == "at-1"


def test_without_a_good_token_the_error_says_that_the_store_is_down() -> None:
    _, (one,) = expired(1)
    one.begin()
    one.fail(DOWN)
    error = error_of(one)
    assert isinstance(error, StoreError)
    assert str(error) == ("the store does not answer; and no valid token is in memory")
    assert error.__cause__ is DOWN


def test_a_stored_token_that_is_still_good_is_used_while_the_server_is_down() -> None:
    world = World(2)
    other = world.workers[1]
    world.now += 250
    other.begin()
    world.finish(other, Request)
    other.fail(UNREACHABLE)
    world.finish(other)
    assert token_of(other) == "at-1"
    assert isinstance(other.performed[-1], Release)


def test_a_failed_renewal_gives_the_lease_back() -> None:
    world, (one, other) = expired()
    one.begin()
    world.finish(one, Request)
    one.fail(UNREACHABLE)
    world.finish(one)
    assert error_of(one) is UNREACHABLE
    other.begin()
    world.finish(other)
    assert token_of(other) == "at-2"


def test_a_store_that_went_back_in_time_is_given_the_later_turn_again() -> None:
    world, (one, other) = expired()
    old = world.store.load(KEY)
    assert old is not None
    one.begin()
    world.finish(one)
    newer = world.store.load(KEY)
    assert newer is not None
    world.store.commit(KEY, old.data, expected=newer.version)
    world.now += 250
    one.begin()
    world.finish(one)
    other.begin()
    world.finish(other)
    assert token_of(other) == token_of(one) == "at-3"
    assert world.server.presented == ["rt-1", "rt-2"]


def test_a_store_that_lost_everything_is_a_typed_error_and_never_an_old_token() -> None:
    world, (one,) = expired(1)
    world.store.close()
    one.begin()
    world.finish(one)
    assert isinstance(error_of(one), MissingTokenError)
    assert world.server.presented == []


def test_a_lease_that_would_not_outlive_the_asking_is_given_back_unused() -> None:
    world, (one,) = expired(1)
    one.begin()
    world.finish(one, TryLease)
    world.step(one)
    world.now += 10  # stopped for longer than the lease outlives the deadline
    world.step(one)
    assert isinstance(one.effect, Release)
    world.finish(one)
    assert token_of(one) == "at-2"
    assert world.server.presented == ["rt-1"]


def test_a_worker_whose_clock_is_five_minutes_fast_costs_renewals_and_no_grant() -> None:
    world = World(1)
    (right,) = world.workers
    wrong = world.another(clock_is_off_by=300)
    for _ in range(5):
        for worker in (wrong, right):
            worker.begin()
            world.finish(worker)
            assert isinstance(worker.outcome, OAuthToken)
        world.expire()
    assert len(set(world.server.presented)) == len(world.server.presented)
    assert not world.server.revoked


def test_a_waiter_takes_the_token_that_was_just_issued_whatever_its_own_clock_says() -> None:
    world, (winner,) = expired(1)
    wrong = world.another(clock_is_off_by=3600)
    winner.begin()
    world.finish(winner, Request)
    wrong.begin()
    world.finish(wrong, Sleep)
    world.finish(winner)
    world.finish(wrong)
    assert token_of(wrong) == "at-2"
    assert world.server.presented == ["rt-1"]

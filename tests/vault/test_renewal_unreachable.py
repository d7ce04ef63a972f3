"""A renewal that does not reach store or server, is closed, or has a wrong clock: which token or error it returns."""

import pytest

from doorkey.errors import InvalidClient, InvalidGrant, OAuthError, StoreError
from doorkey.tokens import OAuthToken
from doorkey.values import Secret
from doorkey.vault.effects import Commit, Load
from doorkey.wire.flow import Sleep
from doorkey.wire.messages import Request
from tests.vault.model import DOWN, KEY, LIFETIME, UNREACHABLE, World
from tests.vault.one_renewal import One, expired, leased_elsewhere, record_of, stored

AWAY = StoreError("the store is being restarted", retryable=True)


def stale() -> World:
    world = World(1)
    world.now += LIFETIME - 1
    return world


def holding(world: World) -> One:
    """A renewal of a process that holds the token of the store already."""
    one = One(world)
    one.memory.observe(stored(world), one.memory.changes, world.now)
    return one


@pytest.mark.parametrize("error", [UNREACHABLE, AWAY, DOWN])
def test_a_stale_token_is_used_and_the_next_attempt_deferred(error: OAuthError) -> None:
    one = One(stale()).run(Request)
    one.fail(error)
    one.run()
    assert one.access_token == "at-1"
    assert one.memory.is_deferred(one.world.now)


def test_an_error_that_is_not_temporary_is_raised_although_the_token_is_still_good() -> None:
    one = One(stale()).run(Request)
    one.fail(InvalidClient(status=401))
    one.run()
    assert isinstance(one.error, InvalidClient)
    assert not one.memory.is_deferred(one.world.now)


def test_the_error_of_the_server_is_raised_as_it_is_once_the_token_has_expired() -> None:
    one = One(expired()).run(Request)
    one.fail(UNREACHABLE)
    one.run()
    assert one.error is UNREACHABLE
    assert not one.memory.is_deferred(one.world.now)


@pytest.mark.parametrize("error", [AWAY, DOWN])
def test_a_token_in_memory_is_used_while_the_store_is_away(error: StoreError) -> None:
    one = holding(stale())
    assert isinstance(one.effect, Load)
    one.fail(error)
    assert one.access_token == "at-1"
    assert one.memory.is_deferred(one.world.now)


@pytest.mark.parametrize("error", [AWAY, DOWN])
@pytest.mark.parametrize("holds", [False, True])
def test_without_a_good_token_in_memory_the_error_of_the_store_says_so(error: StoreError, holds: bool) -> None:
    one = holding(expired()) if holds else One(expired())
    one.fail(error)
    assert isinstance(one.error, StoreError)
    assert one.error.description == f"{error.description}; and no valid token is in memory"
    assert one.error.retryable is error.retryable
    assert one.error.__cause__ is error


def test_a_renewal_that_is_closed_during_its_request_asks_for_nothing_more_and_keeps_the_lease() -> None:
    one = One(expired()).run(Request)
    one._flow.close()
    assert one.world.store.try_lease(KEY, 60.0) is None


def test_the_token_of_another_process_is_used_although_it_has_expired_by_the_clock_of_this_one() -> None:
    world = expired()
    lease = leased_elsewhere(world)
    one = One(world, clock=lambda: world.now + 10 * LIFETIME).run(Sleep)
    renewed = stored(world).renewed(OAuthToken(Secret("at-2"), expires_at=world.now + LIFETIME, lifetime=LIFETIME))
    record = world.store.load(KEY)
    assert record is not None
    written = record_of(world, renewed, record.version + 1)
    assert world.store.commit(KEY, written.data, expected=record.version)
    one.run(Load)
    one.step()
    assert one.access_token == "at-2"
    world.store.release(lease)


def test_a_token_that_the_store_does_not_take_is_returned_and_kept_in_memory(caplog: pytest.LogCaptureFixture) -> None:
    one = One(expired()).run(Commit)
    while isinstance(one.effect, Commit | Load | Sleep):
        one.feed(None) if isinstance(one.effect, Sleep) else one.fail(DOWN)
    one.run()
    assert one.access_token == "at-2"
    assert one.memory.unsaved
    assert one.memory.held is not None
    assert one.memory.held.token.access_token.reveal() == "at-2"
    assert "the store did not save a renewed token" in caplog.text


def test_a_grant_whose_mark_the_store_does_not_take_is_dead_all_the_same() -> None:
    one = One(expired()).run(Request)
    one.fail(InvalidGrant(status=400))
    one.run(Commit)
    while isinstance(one.effect, Commit | Load | Sleep):
        one.feed(None) if isinstance(one.effect, Sleep) else one.fail(DOWN)
    one.run()
    assert isinstance(one.error, InvalidGrant)

"""A renewal that reaches neither store nor server: a token that is still good is used, else the error is raised."""

import pytest

from doorkey.errors import InvalidClient, OAuthError, StoreError
from doorkey.vault.effects import Load
from doorkey.wire.messages import Request
from tests.vault.model import DOWN, LIFETIME, UNREACHABLE, World
from tests.vault.one_renewal import One, expired, stored

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
    assert one.error.description == f"{error.description}; and no token that is still good is in memory"
    assert one.error.retryable is error.retryable
    assert one.error.__cause__ is error

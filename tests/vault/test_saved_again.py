"""A save during a renewal: to save the token under renewal once more is no login; to save another token is one."""

from typing import Any

import pytest

from doorkey.errors import InvalidGrant
from doorkey.tokens import OAuthToken
from doorkey.vault.effects import Commit, Load
from doorkey.wire.flow import Sleep
from doorkey.wire.messages import Request
from tests.vault.model import DOWN, START, Worker, World

HERE_AND_THERE = pytest.mark.parametrize("saver", [0, 1], ids=["here", "in another process"])


def begun() -> tuple[World, dict[str, Any]]:
    """A world whose first worker's request is about to be answered, and the token that it presents."""
    world = World(2)
    old = {**world.server.token(), "expires_at": START + 300}
    world.expire()
    world.workers[0].begin()
    world.finish(world.workers[0], Request)
    return world, old


def token_of(worker: Worker) -> str:
    assert isinstance(worker.outcome, OAuthToken), worker.outcome
    return worker.outcome.access_token.reveal()


def asked(world: World, worker: Worker) -> str:
    worker.begin()
    world.finish(worker)
    return token_of(worker)


@HERE_AND_THERE
@pytest.mark.parametrize("moment", [Request, Commit], ids=["before the answer", "before the commit"])
def test_the_same_token_saved_again_during_its_renewal_is_no_login(saver: int, moment: type) -> None:
    world, old = begun()
    one, other = world.workers
    world.finish(one, moment)
    world.save(world.workers[saver], old)
    world.finish(one)
    assert token_of(one) == "at-2"
    assert world.stored().access_token.reveal() == "at-2"
    assert [asked(world, worker) for worker in (one, other)] == ["at-2", "at-2"]
    assert world.server.presented == ["rt-1"]
    world.expire()
    assert asked(world, other) == "at-3"
    assert not world.server.revoked


@HERE_AND_THERE
def test_the_same_token_saved_again_while_the_store_does_not_take_the_renewed_one_is_no_login(saver: int) -> None:
    world, old = begun()
    one, other = world.workers
    world.finish(one, Commit)
    world.save(world.workers[saver], old)
    while not one.idle:
        one.fail(DOWN)
    assert token_of(one) == "at-2"
    assert one.slot.memory.unsaved
    assert asked(world, one) == "at-2"
    assert asked(world, other) == "at-2"
    assert world.server.presented == ["rt-1"]


def test_the_same_token_saved_again_in_this_process_after_its_renewal_is_no_login() -> None:
    world, old = begun()
    one, other = world.workers
    world.finish(one)
    world.save(one, old)
    assert asked(world, one) == "at-2"
    assert asked(world, other) == "at-2"
    assert world.server.presented == ["rt-1"]


def test_a_waiting_caller_does_not_get_the_expired_token_that_was_saved_again() -> None:
    world, old = begun()
    one, other = world.workers
    other.begin()
    world.finish(other, Sleep)
    world.save(world.another(), old)
    world.step(other)
    world.finish(other, Sleep)  # it has looked, and goes on waiting
    assert other.outcome is None
    world.finish(one)
    world.finish(other)
    assert token_of(other) == "at-2"
    assert world.server.presented == ["rt-1"]


@HERE_AND_THERE
def test_the_same_token_saved_again_when_the_server_has_refused_it_is_as_dead(saver: int) -> None:
    world, old = begun()
    one, other = world.workers
    world.server.revoked = True
    world.save(world.workers[saver], old)
    world.finish(one)
    assert isinstance(one.outcome, InvalidGrant)
    other.begin()
    world.finish(other)
    assert isinstance(other.outcome, InvalidGrant)
    assert world.server.presented == ["rt-1"]


@HERE_AND_THERE
def test_another_login_during_a_renewal_wins_and_is_renewed_where_it_has_expired(saver: int) -> None:
    world, _ = begun()
    one, other = world.workers
    world.finish(one, Commit)
    world.save(world.workers[saver], {**world.server.login(), "expires_at": START})
    world.finish(one)
    assert token_of(one) == "at-4"
    assert [asked(world, worker) for worker in (one, other)] == ["at-4", "at-4"]
    assert world.server.presented == ["rt-1", "rt-3"]


@HERE_AND_THERE
def test_another_login_that_has_expired_is_renewed_where_the_old_grant_was_refused(saver: int) -> None:
    world, _ = begun()
    one = world.workers[0]
    world.server.revoked = True
    world.step(one)  # refused
    assert isinstance(one.effect, Load)
    world.save(world.workers[saver], {**world.server.login(), "expires_at": START})
    world.finish(one)
    assert token_of(one) == "at-3"
    assert world.server.presented == ["rt-1", "rt-2"]


def test_a_login_that_brings_the_refresh_token_of_a_server_that_does_not_rotate_wins() -> None:
    world, old = begun()
    one, other = world.workers
    world.server.token = lambda: {"access_token": "renewed", "token_type": "Bearer", "expires_in": 300}  # type: ignore[method-assign]
    world.finish(one, Commit)
    world.save(other, {**old, "access_token": "logged-in", "expires_at": world.now + 300})
    world.finish(one)
    assert token_of(one) == "logged-in"
    assert world.stored().access_token.reveal() == "logged-in"


def test_the_same_token_saved_again_at_a_server_that_does_not_rotate_is_no_login() -> None:
    world, old = begun()
    one, other = world.workers
    world.server.token = lambda: {"access_token": "renewed", "token_type": "Bearer", "expires_in": 300}  # type: ignore[method-assign]
    world.finish(one, Commit)
    world.save(other, old)
    world.finish(one)
    assert token_of(one) == "renewed"
    assert world.stored().access_token.reveal() == "renewed"

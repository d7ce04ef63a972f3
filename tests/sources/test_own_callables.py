"""A callable of the user's own that raises: no token is lost, and no caller waits for ever."""

import threading
from typing import Any

import pytest

from doorkey.errors import OAuthError
from tests.support.every_source import ONE_OF_EACH, Driven, Maker
from tests.support.fake_clock import Clock
from tests.support.hostile_server import WAIT, Hostile, token
from tests.support.source_requests import CLIENT, GARBAGE, on_token

one_of_each = pytest.mark.parametrize("source", ONE_OF_EACH, indirect=True)


class Broken:
    """A callable that raises while it is `broken`."""

    def __init__(self, value: float) -> None:
        self.value, self.broken = value, True

    def __call__(self) -> float:
        if self.broken:
            raise ArithmeticError("the user's own")
        return self.value


class Late(Clock):
    """A clock that fails after it has been asked `left` times."""

    left = 1_000_000

    def __call__(self) -> float:
        self.left -= 1
        if self.left == -1:
            raise ArithmeticError("the user's own")
        return super().__call__()


def outcome(asking: Driven) -> Any:
    try:
        return asking.access_token()
    except (OAuthError, ArithmeticError) as error:
        return type(error)


def soon(asking: Driven) -> Any:
    """Return the outcome of a call. Fail if the call waits for a lock that was not released."""
    got: list[Any] = []
    thread = threading.Thread(target=lambda: got.append(outcome(asking)), daemon=True)
    thread.start()
    thread.join(WAIT)
    assert got, "the lead was not left"
    return got[0]


@one_of_each
def test_a_chance_that_raises_loses_no_token(source: Maker, hostile: Hostile, clock: Clock) -> None:
    chance = Broken(1.0)
    asking = source(CLIENT, clock=clock, random=chance, **on_token(hostile, token("a"), token("b")))
    assert outcome(asking) in ("a", ArithmeticError)
    assert soon(asking) == "a"
    assert len(hostile.token_requests) == 1


@one_of_each
def test_a_chance_that_raises_after_a_failure_keeps_no_caller_waiting(
    source: Maker, hostile: Hostile, clock: Clock
) -> None:
    chance = Broken(1.0)
    asking = source(CLIENT, clock=clock, random=chance, **on_token(hostile, GARBAGE, token("b")))
    assert outcome(asking) is not None
    chance.broken = False
    clock.advance(3600)
    assert soon(asking) == "b"


@one_of_each
def test_a_clock_that_raises_after_the_response_keeps_no_caller_waiting(source: Maker, hostile: Hostile) -> None:
    clock = Late()
    asking = source(CLIENT, clock=clock, **on_token(hostile, *(token(name) for name in "abcd")))
    asking.token()
    clock.advance(3600)
    before = clock.left
    assert asking.access_token() == "b"
    needed = before - clock.left
    clock.advance(3600)
    clock.left = needed - 1  # the last look of a renewal is the one after its answer
    assert outcome(asking) in ("c", ArithmeticError)
    assert clock.left < 0, "the clock was not asked again"
    clock.advance(3600)
    assert soon(asking) == "d"

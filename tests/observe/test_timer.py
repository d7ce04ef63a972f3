"""A timer is the program's own, as `on_event` is: no renewal depends on it."""

import logging
from collections.abc import Callable
from typing import Any

import pytest

from tests.observe.conftest import ACCESS, Made
from tests.support.hostile_server import reply, token


def raises() -> float:
    raise LookupError("of the timer's own")


def says_nothing() -> Any:
    return None


class Once:
    """A timer that works once."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self) -> float:
        self.asked += 1
        return 1.0 if self.asked == 1 else raises()


@pytest.mark.parametrize("timer", [raises, says_nothing, Once()], ids=["raises", "says nothing", "once"])
def test_a_timer_that_fails_breaks_nothing_and_is_logged(
    made: Made, caplog: pytest.LogCaptureFixture, timer: Callable[[], Any]
) -> None:
    world = made(timer=timer)
    world.server.on("/token", token("first"), token(ACCESS))
    world.server.on("/api", reply(401), reply(200))
    assert world.call() == 200
    assert [event.duration for event in world.events.of("renewed")] == [None] * len(world.events.of("renewed"))
    assert {"requested", "renewed", "rejected"} <= set(world.events.kinds)
    complaints = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert {record.getMessage().partition(" with ")[0] for record in complaints} == {"timer failed"}

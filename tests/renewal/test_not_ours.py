"""An error that is not an OAuthError (a time limit that a signal raises) ends one attempt; no waiter gets it."""

import threading
from typing import Any

import pytest

from doorkey.renewal.single_flight import SingleFlight
from doorkey.wire.messages import Response
from tests.support.every_adapter import in_background, together
from tests.support.flights import WAIT, Watched, now, slot


class TimeLimit(Exception):
    """The error that a task queue raises, from a signal, in the thread of a task that takes too long."""


class Limited:
    """Holds the first request until the time of its caller is over; answers all others."""

    def __init__(self) -> None:
        self.asked = 0
        self.over, self.began = threading.Event(), threading.Event()

    def __call__(self, effect: Any) -> Response:
        self.asked += 1
        if self.asked == 1:
            self.began.set()
            assert self.over.wait(WAIT)
            raise TimeLimit
        return Response(200)


def test_a_time_limit_of_the_lock_holder_is_raised_for_it_alone_and_the_waiting_callers_get_a_token() -> None:
    server, lock = Limited(), Watched()
    flight = SingleFlight(slot(), server, now, lock)
    with in_background(flight.token) as leader:
        assert server.began.wait(WAIT)
        with in_background(lambda: together(5, flight.token)) as others:
            lock.wait_for(5)
            server.over.set()
            assert [token.access_token.reveal() for token in others()] == ["new"] * 5
        with pytest.raises(TimeLimit):
            leader()
    assert server.asked == 2

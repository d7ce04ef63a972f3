"""What callers get after an attempt that failed, or that another token overtook: threads and tasks alike."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import anyio
import pytest

from doorkey.errors import TokenExpiredError, TransportError
from doorkey.renewal.backoff import Backoff
from doorkey.renewal.leader_lock import Holder
from doorkey.renewal.single_flight import TRIES, AsyncSingleFlight, SingleFlight
from doorkey.renewal.slot import Slot
from doorkey.tokens import OAuthToken
from doorkey.values import Secret
from doorkey.wire.flow import Flow
from doorkey.wire.messages import Response
from tests.support.fake_clock import Clock
from tests.support.flights import ASK, EXPIRED, NEW, NOW, STALE, WAIT, Renews, Server, Watched, now, renewing, slot

PUT = OAuthToken(Secret("put"), expires_at=NOW - 1, lifetime=300.0)
LOGIN = OAuthToken(Secret("login"), expires_at=NOW + 300, lifetime=300.0)
PAUSE = 6.0
"""Seconds of 8, of which a random 0.5 takes three quarters."""


class Caller:
    """Callers of one kind, threads or tasks, of one slot. `answers` are the outcomes of its requests."""

    def __init__(self, kind: str, state: Slot, *answers: Callable[[], object]) -> None:
        self.kind, self.state, self.answers = kind, state, list(answers)
        self.lock, self.asked = Watched(), 0

    def token(self, clock: Callable[[], float] = now) -> OAuthToken:
        if self.kind == "thread":
            return SingleFlight(self.state, self._ask, clock, self.lock).token()
        return anyio.run(AsyncSingleFlight(self.state, self._ask_async, clock, self.lock).token)

    def renewed(self, renew: Callable[[OAuthToken | None], Flow[OAuthToken]]) -> OAuthToken:
        if self.kind == "thread":
            return SingleFlight(self.state, self._ask, now, self.lock).renewed(renew)
        return anyio.run(AsyncSingleFlight(self.state, self._ask_async, now, self.lock).renewed, renew)

    def _ask(self, effect: Any) -> Response:
        assert effect is ASK
        self.asked += 1
        if self.answers:
            self.answers.pop(0)()
        return Response(200)

    async def _ask_async(self, effect: Any) -> Response:
        return self._ask(effect)


def fails() -> None:
    raise TransportError("the server cannot be reached")


def pausing(token: OAuthToken) -> Slot:
    made = Slot(Renews(renewing), backoff=Backoff(first=8.0, most=8.0), random=lambda: 0.5)
    made.set_token(token)
    return made


both = pytest.mark.parametrize("kind", ["thread", "task"])


@both
def test_a_failure_begins_a_pause_in_which_callers_get_the_error_without_a_request(kind: str) -> None:
    caller = Caller(kind, pausing(EXPIRED), fails)
    with pytest.raises(TransportError):
        caller.token()
    with pytest.raises(TransportError) as caught:
        caller.token()
    assert caught.value.retry_at == NOW + PAUSE
    assert caller.asked == 1
    assert caller.token(lambda: NOW + PAUSE) == NEW


@both
def test_a_stale_token_is_used_in_a_pause_without_a_request(kind: str) -> None:
    caller = Caller(kind, pausing(STALE), fails)
    assert [caller.token(), caller.token()] == [STALE, STALE]
    assert caller.asked == 1


@both
def test_a_clock_that_fails_at_the_end_of_an_attempt_leaves_no_pause_without_an_end(kind: str) -> None:
    times = iter([NOW])

    def clock() -> float:
        for time in times:
            return time
        raise LookupError("this clock has stopped")

    caller = Caller(kind, pausing(EXPIRED), fails)
    with pytest.raises(LookupError if kind == "thread" else TransportError):  # asyncio logs the other error
        caller.token(clock)
    assert caller.token() == NEW
    assert caller.asked == 2


@pytest.mark.parametrize(
    ("put", "issued", "asked"),
    [(PUT, False, 1), (PUT, True, 0), (LOGIN, False, 0)],
    ids=["expired", "expired when issued", "good"],
)
@both
def test_a_requested_renewal_is_made_unless_a_token_to_use_came_while_it_waited(
    kind: str, put: OAuthToken, issued: bool, asked: int
) -> None:
    caller = Caller(kind, slot())
    holder = caller.lock.try_acquire(blocks=True)
    assert holder is not None
    with ThreadPoolExecutor(1) as pool:
        outcome = pool.submit(caller.renewed, renewing)
        caller.lock.wait_for(1)
        caller.state.set_token(put)
        caller.state.issued = put if issued else None
        caller.lock.release(holder)
    assert outcome.result() == (NEW if asked else put)
    assert caller.asked == asked


@both
def test_an_expired_token_that_is_put_during_each_renewal_is_never_used(kind: str) -> None:
    caller = Caller(kind, slot())

    def put(number: int) -> None:
        caller.state.set_token(OAuthToken(Secret(f"put-{number}"), expires_at=NOW - 1, lifetime=300.0))

    caller.answers.extend(partial(put, number) for number in range(TRIES))
    with pytest.raises(TokenExpiredError, match="another caller replaces it by an expired token"):
        caller.token()
    assert caller.asked == TRIES


@both
def test_a_requested_renewal_that_is_overtaken_by_expired_tokens_each_time_fails(kind: str) -> None:
    caller, overtakes = Caller(kind, slot()), list(range(TRIES))

    def overtake() -> None:
        """Put an expired token while the caller waits, and hold the lock again before the caller goes on."""
        caller.state.set_token(OAuthToken(Secret(f"put-{overtakes.pop()}"), expires_at=NOW - 1, lifetime=300.0))
        caller.lock.release(holders.pop())
        holders.append(other.submit(acquired).result())

    def acquired() -> Holder:
        holder = caller.lock.try_acquire(blocks=True)
        assert holder is not None
        return holder

    with ThreadPoolExecutor(1) as other:
        holders = [other.submit(acquired).result()]
        caller.lock.on_queue = overtake
        with pytest.raises(TokenExpiredError, match="another caller replaces it by an expired token"):
            caller.renewed(renewing)
    assert (overtakes, caller.asked) == ([], 0)


@both
def test_a_token_that_expires_while_it_is_requested_is_used_and_not_requested_again(kind: str) -> None:
    clock = Clock(now)
    caller = Caller(kind, slot(), lambda: clock.advance(400))
    assert caller.token(clock) == NEW
    assert caller.asked == 1


@both
def test_a_stale_token_that_expires_while_its_renewal_fails_is_not_used(kind: str) -> None:
    def fail_late() -> None:
        clock.advance(60)
        fails()

    clock = Clock(now)
    caller = Caller(kind, slot(), lambda: None, fail_late)
    assert caller.token(clock) == NEW
    clock.advance(290)
    assert caller.token(clock) == NEW
    assert caller.asked == 3


@both
def test_a_requested_renewal_is_made_once_although_its_token_has_expired_and_another_one_was_put(kind: str) -> None:
    def renew(_: OAuthToken | None) -> Flow[OAuthToken]:
        yield from ASK
        return PUT

    caller = Caller(kind, slot())
    caller.answers.append(lambda: caller.state.set_token(LOGIN))
    assert caller.renewed(renew) == PUT
    assert caller.asked == 1
    assert caller.state.token == LOGIN


def test_a_renewal_in_the_background_does_not_keep_its_program_alive() -> None:
    server = Server()
    threads: list[threading.Thread] = []

    def perform(effect: Any) -> Response:
        threads.append(threading.current_thread())
        return server(effect)

    assert SingleFlight(slot(STALE), perform, now, background=True).token() == STALE
    assert server.arrived.wait(WAIT)
    assert [thread.daemon for thread in threads] == [True]
    server.go_on.set()
    threads[0].join(WAIT)

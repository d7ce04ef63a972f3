"""The events of tokens. Each test runs on sessions and on auth objects, blocking and asynchronous."""

import logging
from typing import Any

import pytest

from doorkey.errors import InvalidClient, OAuthError, TransportError, UsageError
from doorkey.observe import TokenEvent
from tests.observe.conftest import ACCESS, AWAITS, REFRESH, SECRETS, WORLDS, Events, Made, World, others_waiting
from tests.support.every_adapter import together
from tests.support.hostile_server import Exchange, Held, reply, reset, token

CALLERS = 8
blocking_only = pytest.mark.parametrize("made", [name for name in WORLDS if not AWAITS.search(name)], indirect=True)


class Slow(Held):
    """An answer that comes after `seconds` of the world's own time, on a connection that stays."""

    def __init__(self, world: World, answer: bytes, seconds: float = 0.25) -> None:
        super().__init__(answer)
        self.timer, self.seconds = world.timer, seconds
        self.release.set()

    def __call__(self, exchange: Exchange) -> None:
        self.timer.advance(self.seconds)
        super().__call__(exchange)


def test_a_token_is_asked_for_and_then_there(world: World) -> None:
    world.server.on("/token", Slow(world, token(ACCESS)))
    assert world.call() == 200
    source: dict[str, Any] = {"client_id": "c", "server": world.server.token_endpoint, "grant_type": world.grant_type}
    assert world.events == [
        TokenEvent(kind="requested", **source),
        TokenEvent(kind="renewed", duration=0.25, **source),
    ]
    assert world.events[0].source == f"c at {world.server.token_endpoint}"


def test_a_rejection_is_reported_with_its_stable_code(world: World) -> None:
    said = {"error": "invalid_client", "error_description": "words of the server"}
    world.server.on("/token", Slow(world, reply(401, json=said)))
    with pytest.raises(InvalidClient):
        world.call()
    assert world.events.kinds == ["requested", "failed"]
    told = world.events[-1]
    assert (told.error, told.duration, told.grant_type) == ("invalid_client", 0.25, world.grant_type)
    assert "words" not in repr(told)


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (reset, "transport_error"),
        (reply(200, "<html>"), "invalid_response"),
        (reply(400, json={"error": "words-of-the-servers-own"}), "server_error_response"),
    ],
)
def test_every_failure_has_a_code_of_which_there_are_few(world: World, answer: Any, code: str) -> None:
    world.server.on("/token", answer)
    with pytest.raises(OAuthError):
        world.call()
    assert [(event.kind, event.error) for event in world.events] == [("requested", None), ("failed", code)]


def test_a_wait_for_the_attempt_of_another_caller_is_reported_with_its_duration(world: World) -> None:
    held = Held(token(ACCESS))
    world.server.on("/token", held)
    with others_waiting(world, CALLERS - 1, held) as outcome:
        world.timer.advance(0.5)
        held.release.set()
        assert outcome() == [200] * CALLERS
    assert len(world.events.of("requested")) == 1
    assert [event.duration for event in world.events.of("renewed")] == [0.5]
    assert [(event.duration, event.error) for event in world.events.of("waited")] == [(0.5, None)] * (CALLERS - 1)
    assert len(world.events) == CALLERS + 1


def test_a_wait_for_an_attempt_that_fails_is_reported_as_a_wait(world: World) -> None:
    held = Held(reset)
    world.server.on("/token", held)
    with others_waiting(world, 1, held) as outcome:
        held.release.set()
        assert [type(error) for error in outcome()] == [TransportError] * 2
    assert sorted(world.events.kinds) == ["failed", "requested", "waited"]


def test_a_rejected_token_is_reported_and_then_the_next_one(world: World) -> None:
    world.server.on("/token", token("first", refresh_token=REFRESH), token(ACCESS))
    world.call()
    world.events.clear()
    world.server.on("/api", reply(401), reply(200))
    assert world.call() == 200
    assert world.events.kinds == ["rejected", "requested", "renewed"]
    told = world.events[0]
    assert (told.client_id, told.server, told.duration) == ("c", world.server.token_endpoint, None)


def test_a_fresh_token_causes_no_event_and_reads_no_clock(world: World, caplog: pytest.LogCaptureFixture) -> None:
    world.server.on("/token", token(ACCESS))
    world.call()
    world.events.clear()
    looks = world.timer.looks
    caplog.set_level(logging.DEBUG, "doorkey")
    caplog.clear()
    assert [world.call() for _ in range(3)] == [200] * 3
    assert world.events == []
    assert world.timer.looks == looks
    assert [record for record in caplog.records if record.name.startswith("doorkey")] == []


def test_a_callback_that_raises_breaks_nothing_and_is_logged(made: Made, caplog: pytest.LogCaptureFixture) -> None:
    heard = Events()

    def breaks(event: TokenEvent) -> None:
        heard.append(event)
        raise LookupError("of the callback's own")

    world = made(on_event=breaks)
    world.server.on("/token", token("first"), token(ACCESS))
    world.server.on("/api", reply(401), reply(200))
    assert world.call() == 200
    assert {"requested", "renewed", "rejected"} <= set(heard.kinds)
    complaints = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert len(complaints) == len(heard)
    assert all(record.getMessage() == "on_event failed with LookupError" for record in complaints)
    assert all(record.exc_info and record.name == "doorkey" for record in complaints)


def test_no_secret_is_in_any_event_or_record(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "doorkey")
    busy = {"error": "temporarily_unavailable", "error_description": "".join(SECRETS), "error_uri": ACCESS}
    good = token(ACCESS, refresh_token=REFRESH)
    world.server.on("/token", reply(400, json=busy), reply(400, json={"error": ACCESS}), good)
    world.server.on("/api", reply(401), reply(200))
    for _ in range(3):
        together(2, world.call)
    assert {"requested", "failed"} <= set(world.events.kinds)
    records = [record for record in caplog.records if record.name.startswith("doorkey")]
    assert len(records) >= len(world.events)
    shown = [repr(event) + event.source for event in world.events]
    shown += [f"{record.getMessage()} {record.__dict__}" for record in records]
    assert [secret for secret in SECRETS for text in shown if secret in text] == []


@blocking_only
def test_an_event_callback_that_requests_the_token_gets_an_error_and_does_not_hang(made: Made) -> None:
    outcomes: list[object] = []

    def wants_it(event: TokenEvent) -> None:
        if event.kind == "requested":
            try:
                outcomes.append(world.call())
            except OAuthError as error:
                outcomes.append(error)

    world = made(on_event=wants_it)
    world.server.on("/token", token(ACCESS))
    assert world.call() == 200
    assert [type(outcome) for outcome in outcomes] == [UsageError]


def test_an_asynchronous_callback_is_refused_at_once(made: Made) -> None:
    async def report(event: TokenEvent) -> None:
        raise AssertionError(event)

    class Report:
        async def __call__(self, event: TokenEvent) -> None:
            raise AssertionError(event)

    for wrong in (report, Report(), "report"):
        with pytest.raises(UsageError, match="on_event must be a plain function"):
            made(on_event=wrong)
    with pytest.raises(UsageError, match="timer must be a callable"):
        made(timer=7)

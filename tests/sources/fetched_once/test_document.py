"""A document that is fetched once for all callers, step by step: which caller fetches it, and what the others get."""

from typing import Any

import pytest

from doorkey.errors import InvalidResponse, TemporarilyUnavailable, TransportError
from doorkey.protocol.http_caching import CacheEntry
from doorkey.renewal.leader_lock import AcquireOrWait, Holder
from doorkey.sources.fetched_once.document import Fetched
from doorkey.wire.flow import Flow
from doorkey.wire.messages import Request, Response
from tests.support.fake_clock import START, Clock

ASK = Request("GET", "https://as.example/document")
WAITED = None
"""What a `AcquireOrWait` comes to for a caller that waited."""
DOWN = TransportError("no connection", retryable=True)


class Document:
    """A fetched document whose value is the number of its fetch, fresh for 60 seconds and usable for 600."""

    def __init__(self) -> None:
        self.clock, self.fetches = Clock(), 0
        self.fetched: Fetched[int] = Fetched(self._fetch, "fetching a document")

    def _fetch(self, clock: Any) -> Flow[CacheEntry[int]]:
        yield from ASK
        self.fetches += 1
        now = clock()
        return CacheEntry(self.fetches, now, now + 60, now + 600)

    def current(self) -> Any:
        return self.fetched.current(self.clock)

    def newer(self, than: CacheEntry[int]) -> Any:
        return self.fetched.newer(than, 30.0, self.clock)

    def lead(self) -> Holder:
        holder = self.fetched.lock.try_acquire()
        assert holder is not None
        return holder

    def get(self) -> CacheEntry[int]:
        """Fetch or read the document."""
        kept: CacheEntry[int] = self.result(self.current())
        return kept

    def result(self, flow: Any, outcome: Any = None) -> Any:
        """Return the result of `flow`, alone, whose request comes to `outcome`."""
        try:
            effect = next(flow)
            while True:
                if isinstance(effect, AcquireOrWait):
                    effect = flow.send(self.lead())
                elif isinstance(outcome, Exception):
                    effect = flow.throw(outcome)
                else:
                    effect = flow.send(Response(200))
        except StopIteration as done:
            return done.value


@pytest.fixture
def document() -> Document:
    return Document()


def acquiring(flow: Any) -> Any:
    assert isinstance(next(flow), AcquireOrWait)
    return flow


def ended(flow: Any, sent: Any) -> Any:
    with pytest.raises(StopIteration) as done:
        flow.send(sent)
    return done.value.value


def test_two_that_come_at_once_make_one_request(document: Document) -> None:
    first, second = acquiring(document.current()), acquiring(document.current())
    assert isinstance(first.send(document.lead()), Request)
    assert ended(first, Response(200)).value == 1
    assert ended(second, WAITED).value == 1
    assert document.get().value == 1
    assert document.fetches == 1


def test_one_that_gets_the_lock_after_the_fetch_makes_no_request(document: Document) -> None:
    first, second = acquiring(document.current()), acquiring(document.current())
    first.send(document.lead())
    ended(first, Response(200))
    assert ended(second, document.lead()).value == 1
    assert document.fetches == 1


def test_one_that_is_canceled_hands_over(document: Document) -> None:
    first, second = acquiring(document.current()), acquiring(document.current())
    first.send(document.lead())
    with pytest.raises(KeyboardInterrupt):
        first.throw(KeyboardInterrupt())
    assert isinstance(second.send(WAITED), AcquireOrWait)
    assert isinstance(second.send(document.lead()), Request)
    assert ended(second, Response(200)).value == 1


def test_an_old_document_is_fetched_by_one_and_used_by_the_others(document: Document) -> None:
    document.get()
    document.clock.advance(60)
    first = acquiring(document.current())
    first.send(document.lead())
    with pytest.raises(StopIteration) as done:
        next(document.current())
    assert done.value.value.value == 1
    assert ended(first, Response(200)).value == 2


def test_a_useless_document_is_waited_for(document: Document) -> None:
    document.get()
    document.clock.advance(600)
    first, second = acquiring(document.current()), acquiring(document.current())
    first.send(document.lead())
    assert isinstance(next(document.current()), AcquireOrWait)
    ended(first, Response(200))
    assert ended(second, WAITED).value == 2


def test_a_failure_of_an_old_document_is_a_pause_in_which_it_is_used(document: Document) -> None:
    document.get()
    document.clock.advance(60)
    assert document.result(document.current(), DOWN).value == 1
    assert document.get().value == 1, "the pause goes on"
    document.clock.advance(1)
    assert document.get().value == 2


def test_a_server_that_says_when_it_is_back_is_not_asked_before(document: Document) -> None:
    with pytest.raises(TemporarilyUnavailable):
        document.result(document.current(), TemporarilyUnavailable("temporarily_unavailable", retry_after=50))
    document.clock.advance(49)
    with pytest.raises(TemporarilyUnavailable) as error:
        document.get()
    assert error.value.retry_at == START + 50
    document.clock.advance(1)
    assert document.get().value == 1


def test_an_error_of_the_program_is_raised_and_has_no_pause(document: Document) -> None:
    with pytest.raises(ZeroDivisionError):
        document.result(document.current(), ZeroDivisionError())
    assert document.get().value == 1


def test_an_error_of_the_program_is_raised_for_the_waiting_caller(document: Document) -> None:
    first, second = acquiring(document.current()), acquiring(document.current())
    first.send(document.lead())
    with pytest.raises(ZeroDivisionError):
        first.throw(ZeroDivisionError())
    with pytest.raises(ZeroDivisionError):
        second.send(WAITED)


def test_a_newer_document_is_fetched_once_for_two_that_need_it(document: Document) -> None:
    old = document.get()
    first, second = acquiring(document.newer(old)), acquiring(document.newer(old))
    first.send(document.lead())
    assert ended(first, Response(200)).value == 2
    assert ended(second, WAITED).value == 2
    assert document.result(document.newer(old)).value == 2, "there is one already"
    assert document.fetches == 2


def test_none_is_fetched_again_within_the_cool_down(document: Document) -> None:
    newer = document.result(document.newer(document.get()))
    document.clock.advance(29.9)
    assert document.result(document.newer(newer)) is None
    document.clock.advance(0.1)
    assert document.result(document.newer(newer)).value == 3


def test_a_failure_to_fetch_a_newer_one_is_shared_and_begins_the_cool_down(document: Document) -> None:
    old = document.get()
    first, second = acquiring(document.newer(old)), acquiring(document.newer(old))
    first.send(document.lead())
    assert ended_by(first, DOWN) is None
    assert ended(second, WAITED) is None
    assert isinstance(document.fetched.error, TransportError)
    document.clock.advance(29.9)
    assert document.result(document.newer(old)) is None
    assert document.fetched.entry is old


def ended_by(flow: Any, error: Exception) -> Any:
    with pytest.raises(StopIteration) as done:
        flow.throw(error)
    return done.value.value


def test_one_that_is_canceled_while_it_fetches_a_newer_one_begins_no_cool_down(document: Document) -> None:
    old = document.get()
    first, second = acquiring(document.newer(old)), acquiring(document.newer(old))
    first.send(document.lead())
    with pytest.raises(KeyboardInterrupt):
        first.throw(KeyboardInterrupt())
    assert isinstance(second.send(WAITED), AcquireOrWait)
    second.send(document.lead())
    assert ended(second, Response(200)).value == 2


def test_a_success_ends_the_failures(document: Document) -> None:
    for pause in (0.25, 0.5, 1.0):
        with pytest.raises(InvalidResponse):
            document.result(document.current(), InvalidResponse("status", "broken"))
        document.clock.advance(pause)
    document.get()
    assert document.fetched.error is None
    document.clock.advance(600)
    with pytest.raises(TransportError):
        document.result(document.current(), DOWN)
    document.clock.advance(0.25)
    assert document.get().value == 2


def test_a_pause_may_be_ended_and_the_next_failure_begins_a_longer_one(document: Document) -> None:
    def refused(outcome: Any = None) -> float | None:
        with pytest.raises(TransportError) as error:
            document.result(document.current(), outcome)
        return error.value.retry_at

    refused(DOWN)
    assert refused() == START + 0.25
    document.fetched.retry_now()
    assert refused(DOWN) is None, "a request was made"
    assert refused() == START + 0.5
    document.fetched.retry_now()
    assert document.get().value == 1

"""How attempts end: what waiters share, when a pause begins and ends, and what an error in a pause states."""

import pytest

from doorkey.errors import InvalidGrant, TransportError, UsageError
from doorkey.renewal.attempts import Attempts
from doorkey.renewal.backoff import Backoff

NOW = 1_800_000_000.0
GONE = TransportError("no connection", retryable=True)


def failed(error: Exception = GONE) -> Attempts:
    made = Attempts(Backoff(first=8.0))
    assert isinstance(error, TransportError | InvalidGrant | UsageError)
    made.fail(error)
    made.back_off(NOW, 1.0)
    made.end()
    return made


def test_nothing_pauses_before_a_failure() -> None:
    made = Attempts(Backoff())
    assert not made.is_pausing(NOW)
    made.raise_shared()
    made.raise_paused()


def test_an_error_in_a_pause_states_when_the_next_attempt_is_made() -> None:
    made = failed()
    assert made.is_pausing(NOW)
    with pytest.raises(TransportError, match="no connection") as told:
        made.raise_paused()
    assert told.value.retry_at == NOW + 8
    assert "retry_now()" in told.value.__notes__[0]
    assert told.value is not GONE
    assert GONE.retry_at is None
    assert not made.is_pausing(NOW + 8)


def test_an_error_that_a_waiter_shares_states_nothing_of_a_pause() -> None:
    with pytest.raises(TransportError) as told:
        failed().raise_shared()
    assert told.value.retry_at is None


def test_a_pause_can_be_ended_at_once() -> None:
    made = failed()
    made.retry_now()
    assert not made.is_pausing(NOW)
    made.fail(GONE)
    made.back_off(NOW, 1.0)
    assert made.retry_at == NOW + 16, "the failures still count"


def test_a_pause_ends_where_the_clock_was_set_back() -> None:
    made = failed()
    assert made.is_pausing(NOW - 1)
    assert not made.is_pausing(NOW - 1.5)


def test_a_pause_that_is_about_to_begin_counts_already() -> None:
    made = Attempts(Backoff())
    made.fail(GONE)
    assert made.is_pausing(NOW)
    made.end()
    assert not made.is_pausing(NOW)


def test_a_failure_that_made_no_request_has_no_pause() -> None:
    assert not failed(UsageError("no endpoint")).is_pausing(NOW)


def test_a_caller_that_made_no_attempt_does_not_begin_the_pause_again() -> None:
    made = failed()
    made.back_off(NOW + 100, 1.0)
    assert made.retry_at == NOW + 8


def test_without_a_backoff_there_is_no_pause() -> None:
    made = Attempts()
    made.fail(GONE)
    made.back_off(NOW, 1.0)
    assert not made.is_pausing(NOW)
    assert made.retry_at == 0.0


def test_a_failure_that_is_not_shared_counts_as_an_attempt_and_nothing_more() -> None:
    made = Attempts(Backoff())
    made.fail(GONE, shared=False)
    assert (made.generation, made.failures, made.error) == (1, 0, None)


def test_a_token_that_is_put_ends_the_failures() -> None:
    made = failed()
    made.record_new_token()
    assert (made.generation, made.failures, made.error) == (2, 0, None)


def test_a_number_out_of_range_is_refused() -> None:
    made = Attempts(Backoff())
    made.fail(GONE)
    with pytest.raises(UsageError, match="what random returns"):
        made.back_off(NOW, 2.0)


def test_a_token_that_was_put_ends_the_pause_and_none_is_to_begin() -> None:
    made = failed()
    made.record_new_token()
    assert not made.is_pausing(NOW)
    made.end()
    assert not made.is_pausing(NOW)


def test_a_success_begins_no_pause() -> None:
    made = Attempts(Backoff(first=8.0))
    made.record_new_token()
    made.back_off(NOW, 1.0)
    assert (made.pause, made.retry_at) == (0.0, 0.0)


def test_a_pause_lasts_to_its_last_moment_and_begins_once() -> None:
    made = Attempts(Backoff(first=8.0))
    made.fail(GONE)
    made.back_off(NOW, 1.0)
    made.back_off(NOW + 5, 1.0)
    assert made.retry_at == NOW + 8
    assert made.is_pausing(NOW + 7.5)
    assert not made.is_pausing(NOW + 8)


def test_an_attempt_may_be_made_at_once_even_where_the_clock_is_at_its_epoch() -> None:
    made = Attempts(Backoff(first=8.0))
    made.fail(GONE)
    made.back_off(0.0, 1.0)
    assert made.is_pausing(0.0)
    made.retry_now()
    assert not made.is_pausing(0.0)

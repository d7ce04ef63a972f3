"""The outcome of a renewal during which the token changes, and what it says of the token that it returns."""

from dataclasses import replace

import pytest

from doorkey.errors import TransportError, UsageError
from doorkey.renewal.backoff import Backoff
from doorkey.renewal.state import Decision
from doorkey.values import Secret
from tests.renewal.test_slot import ANSWER, ASK, NEW, NOW, OLD, answered, failed, renewing, slot


def test_a_token_in_place_of_a_refused_one_is_unproven_until_the_next() -> None:
    made = slot()
    assert made.reject(OLD)
    assert answered(made.renew_or_share(made.attempts.generation)) == NEW
    assert made.rejections.unproven == NEW.access_token
    made.set_token(replace(NEW, refresh_token=None))
    assert made.rejections.unproven == NEW.access_token
    made.set_token(OLD)
    assert made.rejections.unproven is None


def test_a_token_in_place_of_an_expired_one_is_not() -> None:
    made = slot()
    answered(made.renew_or_share(made.attempts.generation))
    assert made.rejections.unproven is None


def test_of_two_tokens_that_are_renewed_by_hand_the_one_that_was_put_meanwhile_stays() -> None:
    made, other = slot(), replace(OLD, access_token=Secret("of a login"))
    filling = made.renew_or_share(made.attempts.generation, renew=renewing)
    assert next(filling) == ASK
    made.set_token(other)
    with pytest.raises(StopIteration) as done:
        filling.send(ANSWER)
    assert (done.value.value, made.token) == (NEW, other)


def test_a_renewal_that_a_login_has_overtaken_brings_the_logins_token() -> None:
    made, other = slot(), replace(OLD, access_token=Secret("of a login"))
    filling = made.renew_or_share(made.attempts.generation)
    assert next(filling) == ASK
    made.set_token(other)
    with pytest.raises(StopIteration) as done:
        filling.send(ANSWER)
    assert done.value.value == other


def test_a_slot_tells_a_token_that_a_renewal_brought_from_one_that_was_put() -> None:
    made = slot()
    before = made.issued
    renewed = answered(made.renew_or_share(made.attempts.generation))
    assert (before, made.issued) == (None, renewed)
    made.set_token(OLD)
    assert made.issued is None


def test_a_slot_without_a_token_holds_none() -> None:
    assert slot(None).is_current(None)
    assert not slot(None).is_current(OLD)


def test_a_token_is_good_until_it_expires_or_is_refused() -> None:
    made = slot(NEW)
    assert made.is_usable(NEW, NOW + 299)
    assert not made.is_usable(NEW, NOW + 300)
    made.reject(NEW)
    assert not made.is_usable(NEW, NOW)


def test_a_caller_between_a_failure_and_its_pause_gets_the_same_error_as_during_it() -> None:
    made = slot(backoff=Backoff())
    failed(made.renew_or_share(made.attempts.generation), TransportError("no connection"))
    with pytest.raises(TransportError, match="no connection"):
        made.decide(NOW)
    made.attempts.back_off(NOW, 1.0)
    with pytest.raises(TransportError, match="no connection"):
        made.decide(NOW)
    assert made.decide(NOW + 3600)[2] is Decision.RENEW


def test_a_failure_without_a_request_announces_no_pause() -> None:
    made = slot(backoff=Backoff())
    failed(made.renew_or_share(made.attempts.generation), UsageError("no endpoint"))
    assert made.decide(NOW)[2] is Decision.RENEW


def test_an_attempt_whose_pause_could_not_begin_is_over_anyway() -> None:
    made = slot(backoff=Backoff())
    failed(made.renew_or_share(made.attempts.generation), TransportError("no connection"))
    made.attempts.end()
    assert made.decide(NOW)[2] is Decision.RENEW

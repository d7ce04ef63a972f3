"""When a token is renewed, and which outcome the waiters get: the state of one single flight, step by step."""

from dataclasses import replace

import pytest

from doorkey.errors import InvalidGrant, MissingTokenError, TokenExpiredError, TransportError, UsageError
from doorkey.renewal.backoff import Backoff
from doorkey.renewal.slot import Freshness, Slot, freshness
from doorkey.renewal.state import Decision
from doorkey.tokens import OAuthToken
from doorkey.values import Secret
from doorkey.wire.flow import Flow
from doorkey.wire.messages import Request, Response
from tests.support.flights import Renews

NOW = 1_800_000_000.0
ASK = Request("POST", "https://as.example/token")
OLD = OAuthToken(Secret("old"), expires_at=NOW, lifetime=300.0)
NEW = OAuthToken(Secret("new"), expires_at=NOW + 300, lifetime=300.0)
ANSWER = Response(200)


def renewing(token: OAuthToken | None) -> Flow[OAuthToken]:
    yield from ASK
    return NEW


def slot(token: OAuthToken | None = OLD, *, can: bool = True, backoff: Backoff | None = None) -> Slot:
    made = Slot(Renews(renewing, can=can), backoff=backoff)
    made.set_token(token)
    return made


def outcome(filling: Flow[OAuthToken]) -> OAuthToken:
    """Return the result of a flow that has no effects."""
    with pytest.raises(StopIteration) as done:
        next(filling)
    assert isinstance(done.value.value, OAuthToken)
    return done.value.value


def answered(filling: Flow[OAuthToken]) -> OAuthToken:
    assert next(filling) == ASK
    with pytest.raises(StopIteration) as done:
        filling.send(ANSWER)
    assert isinstance(done.value.value, OAuthToken)
    return done.value.value


def failed(filling: Flow[OAuthToken], error: BaseException) -> None:
    assert next(filling) == ASK
    with pytest.raises(type(error)) as caught:
        filling.throw(error)
    assert caught.value is error


# -- freshness ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lifetime", "leeway", "left", "fresh"),
    [
        (300.0, None, 60.5, Freshness.FRESH),  # the leeway is a minute,
        (300.0, None, 60.0, Freshness.STALE),
        (60.0, None, 30.5, Freshness.FRESH),  # or half of a short lifetime,
        (60.0, None, 30.0, Freshness.STALE),
        (None, None, 60.0, Freshness.STALE),  # a minute if the lifetime is unknown,
        (60.0, 60.0, 60.0, Freshness.FRESH),  # and a leeway counts up to half of it
        (60.0, 60.0, 30.0, Freshness.STALE),
        (None, 60.0, 60.0, Freshness.STALE),
        (60.0, 0.0, 0.5, Freshness.FRESH),
        (300.0, None, 0.5, Freshness.STALE),
        (300.0, None, 0.0, Freshness.EXPIRED),
        (300.0, 0.0, 0.0, Freshness.EXPIRED),
        (300.0, None, -1e9, Freshness.EXPIRED),
    ],
)
def test_a_token_is_fresh_until_its_margin_and_stale_until_it_expires(
    lifetime: float | None, leeway: float | None, left: float, fresh: Freshness
) -> None:
    token = OAuthToken(Secret("a"), expires_at=NOW + left, lifetime=lifetime)
    assert freshness(token, NOW, leeway) is fresh


def test_a_token_of_unknown_expiry_is_fresh_for_ever() -> None:
    assert freshness(OAuthToken(Secret("a")), 1e15, 1e9) is Freshness.FRESH


# -- what is wanted ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("left", "can", "wanted"),
    [
        (100.0, True, Decision.USE),
        (10.0, True, Decision.RENEW_IF_FREE),
        (10.0, False, Decision.USE),  # what cannot be renewed is used until it really expires
        (0.0, True, Decision.RENEW),
    ],
)
def test_a_token_is_used_tried_or_renewed(left: float, can: bool, wanted: Decision) -> None:
    token = replace(NEW, expires_at=NOW + left)
    made = slot(token, can=can)
    assert made.decide(NOW)[2] is wanted


def test_an_expired_token_that_cannot_be_renewed_is_never_sent() -> None:
    with pytest.raises(TokenExpiredError, match="refresh_token"):
        slot(can=False).decide(NOW)


def test_without_a_token_there_is_a_first_one_to_get_or_an_error() -> None:
    assert slot(None).decide(NOW)[2] is Decision.RENEW
    with pytest.raises(MissingTokenError, match="fetch_token"):
        slot(None, can=False).decide(NOW)


def test_a_look_is_of_one_moment_though_another_token_is_put_meanwhile() -> None:
    class PutsMeanwhile(Renews):
        def renewable(self, token: OAuthToken | None) -> bool:
            made.set_token(NEW)
            return True

    made = slot()
    made.renewer = PutsMeanwhile(renewing)
    assert made.decide(NOW) == (made.attempts.generation, NEW, Decision.USE)


def test_a_token_is_available_while_it_is_fresh_and_neither_rejected_nor_replaced() -> None:
    made = slot(NEW)
    assert made.fresh_token(NOW + 239) is NEW
    assert made.fresh_token(NOW + 240) is None  # stale
    made.drop_fast_path()
    assert made.fresh_token(NOW) is None
    made.set_token(NEW)
    made.reject(NEW)
    assert made.fresh_token(NOW) is None
    assert slot(None).fresh_token(NOW) is None


def test_a_leeway_of_the_slot_counts() -> None:
    made = Slot(Renews(renewing), 300.0, caps_leeway=False)
    made.set_token(NEW)
    assert made.decide(NOW)[2] is Decision.RENEW_IF_FREE


# -- one attempt, and those who waited for it --------------------------------------------------------------------------


def test_the_lock_holder_renews_and_all_callers_get_the_token() -> None:
    made = slot()
    assert answered(made.renew_or_share(made.attempts.generation)) == NEW
    assert made.token == NEW
    assert made.decide(NOW)[2] is Decision.USE


def test_a_waiting_caller_gets_that_token_without_a_request() -> None:
    made = slot()
    seen = made.attempts.generation
    answered(made.renew_or_share(seen))
    assert outcome(made.renew_or_share(seen)) == NEW


def test_a_waiting_caller_gets_a_copy_of_the_error_and_a_later_caller_tries_again() -> None:
    made, error = slot(), InvalidGrant("invalid_grant", "Session not active")
    seen = made.attempts.generation
    failed(made.renew_or_share(seen), error)
    copies: list[InvalidGrant] = []
    for _ in range(2):
        with pytest.raises(InvalidGrant, match="Session not active") as caught:
            next(made.renew_or_share(seen))
        copies.append(caught.value)
    assert error not in copies
    assert copies[0] is not copies[1]
    assert made.token == OLD
    assert answered(made.renew_or_share(made.attempts.generation)) == NEW


@pytest.mark.parametrize("error", [KeyboardInterrupt(), GeneratorExit(), RuntimeError("a time limit of the leader's")])
def test_a_canceled_or_interrupted_attempt_does_not_count_and_the_next_waiter_renews(
    error: BaseException,
) -> None:
    made = slot()
    seen = made.attempts.generation
    failed(made.renew_or_share(seen), error)
    assert made.attempts.generation == seen
    assert answered(made.renew_or_share(seen)) == NEW


def test_a_token_put_from_outside_is_what_the_waiters_get() -> None:
    made = slot()
    seen = made.attempts.generation
    made.set_token(NEW)
    assert outcome(made.renew_or_share(seen)) == NEW


def test_a_token_taken_away_while_one_waited_is_missing() -> None:
    made = slot()
    seen = made.attempts.generation
    made.set_token(None)
    with pytest.raises(MissingTokenError, match="removed while it was being renewed"):
        next(made.renew_or_share(seen))


def test_a_failure_that_comes_after_another_token_was_put_does_not_touch_that_token() -> None:
    made = slot()
    filling = made.renew_or_share(made.attempts.generation)
    next(filling)
    made.set_token(NEW)
    seen = made.attempts.generation
    with pytest.raises(TransportError):
        filling.throw(TransportError("gone"))
    assert made.attempts.error is None
    assert outcome(made.renew_or_share(seen)) == NEW


def test_a_call_may_bring_its_own_way_of_renewing() -> None:
    other = replace(NEW, access_token=Secret("other"))

    def differently(token: OAuthToken | None) -> Flow[OAuthToken]:
        assert token == OLD
        yield from ASK
        return other

    made = slot()
    assert answered(made.renew_or_share(made.attempts.generation, renew=differently)) == other


def test_a_token_that_came_back_inside_its_margin_or_expired_is_used_and_not_asked_for_in_a_loop() -> None:
    made = Slot(Renews(renewing), leeway=1e6, caps_leeway=False)
    made.set_token(OLD)
    assert answered(made.renew_or_share(made.attempts.generation)) == NEW


# -- while the old one is still good -----------------------------------------------------------------------------------


def test_while_the_token_is_still_good_a_server_that_cannot_be_reached_does_no_harm() -> None:
    made = slot()
    filling = made.renew_or_share(made.attempts.generation, OLD)
    next(filling)
    with pytest.raises(StopIteration) as done:
        filling.throw(TransportError("gone"))
    assert done.value.value == OLD


def test_but_a_server_that_says_no_is_heard_at_once() -> None:
    made = slot()
    failed(made.renew_or_share(made.attempts.generation, OLD), InvalidGrant("invalid_grant"))


# -- a refused token, and the pause after a failure --------------------------------------------------------------------


def test_a_refused_token_is_forgotten_only_if_it_is_still_the_one() -> None:
    made = slot(NEW)
    assert not made.reject(OLD)
    assert made.decide(NOW)[2] is Decision.USE
    assert made.reject(NEW)
    assert made.decide(NOW)[2] is Decision.RENEW
    assert not slot(None).reject(NEW)


def test_a_failure_is_raised_again_until_its_pause_is_over() -> None:
    made = slot(backoff=Backoff(first=8.0))
    failed(made.renew_or_share(made.attempts.generation), TransportError("gone"))
    made.attempts.back_off(NOW, 1.0)
    with pytest.raises(TransportError, match="gone"):
        made.decide(NOW + 7.9)
    assert made.decide(NOW + 8)[2] is Decision.RENEW


def test_during_the_pause_a_stale_token_is_used_without_an_attempt() -> None:
    stale = replace(OLD, expires_at=NOW + 30)
    made = slot(stale, backoff=Backoff(first=8.0))
    failed(made.renew_or_share(made.attempts.generation), TransportError("gone"))
    made.attempts.back_off(NOW, 1.0)
    assert made.decide(NOW + 7.9)[2] is Decision.USE
    assert made.decide(NOW + 8)[2] is Decision.RENEW_IF_FREE


def test_pauses_grow_with_failures_in_a_row_and_a_success_ends_them() -> None:
    made = slot(backoff=Backoff(first=8.0))
    for _ in range(2):
        failed(made.renew_or_share(made.attempts.generation), TransportError("gone"))
    made.attempts.back_off(NOW, 1.0)
    assert made.attempts.retry_at == NOW + 16
    answered(made.renew_or_share(made.attempts.generation))
    assert made.attempts.failures == 0
    assert made.decide(NOW)[2] is Decision.USE


def test_a_refusal_has_its_pause_too_or_each_call_would_ask_for_it_again() -> None:
    made = slot(backoff=Backoff(first=8.0))
    failed(made.renew_or_share(made.attempts.generation), InvalidGrant("invalid_grant", "Invalid user credentials"))
    made.attempts.back_off(NOW, 1.0)
    with pytest.raises(InvalidGrant, match="Invalid user credentials"):
        made.decide(NOW + 7.9)
    assert made.decide(NOW + 8)[2] is Decision.RENEW


@pytest.mark.parametrize("error", [UsageError("no subject token"), RuntimeError("a callback's own")])
def test_a_failure_without_a_request_begins_no_pause(error: Exception) -> None:
    made = slot(backoff=Backoff())
    failed(made.renew_or_share(made.attempts.generation), error)
    made.attempts.back_off(NOW, 1.0)
    assert made.decide(NOW)[2] is Decision.RENEW


def test_there_is_no_pause_without_a_backoff_nor_without_a_failure() -> None:
    without = slot()
    failed(without.renew_or_share(without.attempts.generation), TransportError("gone"))
    without.attempts.back_off(NOW, 1.0)
    succeeded = slot(backoff=Backoff())
    succeeded.attempts.back_off(NOW, 1.0)
    assert (without.attempts.retry_at, succeeded.attempts.retry_at) == (0.0, 0.0)


# -- a dead grant ------------------------------------------------------------------------------------------------------

REFUSED = InvalidGrant("invalid_grant", "Session not active", status=400)
LOGIN = replace(OLD, refresh_token=Secret("rt-1"))


def with_dead_grant(token: OAuthToken | None = LOGIN, *, repeatable: bool = False) -> Slot:
    """A slot whose grant is dead, because the server has refused it."""
    made = Slot(Renews(renewing, again=repeatable))
    made.set_token(token)
    made.mark_dead(token, REFUSED)
    return made


def is_told(made: Slot, now: float = NOW) -> None:
    with pytest.raises(InvalidGrant, match="Session not active") as caught:
        made.decide(now)
    assert caught.value is not REFUSED


def test_every_caller_gets_the_error_of_a_dead_grant_until_it_is_replaced() -> None:
    made = with_dead_grant()
    for later in (0, 1, 1e9):
        is_told(made, NOW + later)


def test_a_token_that_is_still_good_is_used_to_its_end_though_its_grant_is_dead() -> None:
    made = with_dead_grant(replace(LOGIN, expires_at=NOW + 100))
    assert made.decide(NOW)[2] is Decision.USE
    assert made.decide(NOW + 99.9)[2] is Decision.USE
    is_told(made, NOW + 100)


def test_a_token_that_an_api_refused_is_not_still_good() -> None:
    made = with_dead_grant(replace(LOGIN, expires_at=NOW + 100))
    assert made.token is not None
    made.reject(made.token)
    is_told(made)


def test_no_grant_can_be_repeated_by_default() -> None:
    made = slot(LOGIN)
    made.mark_dead(LOGIN, REFUSED)
    is_told(made)


def test_where_the_first_grant_can_be_repeated_the_token_is_renewed_anyway() -> None:
    assert with_dead_grant(repeatable=True).decide(NOW)[2] is Decision.RENEW
    stale = replace(LOGIN, expires_at=NOW + 10)
    assert with_dead_grant(stale, repeatable=True).decide(NOW)[2] is Decision.RENEW_IF_FREE


def test_another_token_ends_the_death_of_the_grant_even_with_the_same_refresh_token() -> None:
    for other in (replace(LOGIN, refresh_token=Secret("rt-2")), LOGIN):
        made = with_dead_grant()
        made.set_token(other)
        assert made.dead_grant_of(made.token) is None
        assert made.decide(NOW)[2] is Decision.RENEW


def test_a_refusal_that_comes_after_another_token_was_put_says_nothing_of_that_token() -> None:
    made = slot(LOGIN)
    made.set_token(NEW)
    made.mark_dead(LOGIN, REFUSED)
    assert made.dead is None


def test_credentials_that_can_be_presented_once_are_dead_before_there_was_a_token() -> None:
    is_told(with_dead_grant(None))

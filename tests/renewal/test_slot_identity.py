"""Which token a mark belongs to: a rejection, a dead grant, an attempt; each is of one token and of no other."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from doorkey.errors import InvalidGrant, MissingTokenError
from doorkey.renewal.slot import Slot
from doorkey.renewal.state import Decision
from doorkey.tokens import OAuthToken
from doorkey.values import Secret
from doorkey.wire.flow import Flow
from tests.renewal.test_slot import ANSWER, ASK, NEW, NOW, OLD, answered, slot
from tests.support.flights import Renews, renewing

REFUSED = InvalidGrant("invalid_grant", "Session not active")
DEAD = replace(OLD, refresh_token=Secret("rt-dead"))
OTHER = Secret("other")
LIVING = replace(NEW, refresh_token=Secret("rt-living"))


class Saves(Renews):
    """Puts the token that it renewed by itself, as a session does."""

    def __init__(self) -> None:
        super().__init__(self._renewed)
        self.slot: Slot | None = None

    def _renewed(self, _: OAuthToken | None) -> Flow[OAuthToken]:
        yield from ASK
        assert self.slot is not None
        self.slot.set_token(NEW)
        return NEW


class Meanwhile(Renews):
    """Calls `happens` once, in the middle of a decision: another thread does something."""

    def __init__(self, happens: Callable[[], None]) -> None:
        super().__init__(renewing)
        self._happens: list[Callable[[], None]] = [happens]

    def renewable(self, token: OAuthToken | None) -> bool:
        while self._happens:
            self._happens.pop()()
        return super().renewable(token)


def test_the_current_token_is_the_same_one_or_one_with_the_same_tokens() -> None:
    made = slot(DEAD)
    assert made.is_current(DEAD)
    assert made.is_current(replace(DEAD, expires_at=NOW + 1))
    assert not made.is_current(replace(DEAD, access_token=Secret("other")))
    assert not made.is_current(replace(DEAD, refresh_token=None))
    assert not made.is_current(None)


def test_a_rotated_refresh_token_is_kept_for_the_same_token_and_the_attempt_is_still_a_failure() -> None:
    made = slot(DEAD)
    before = made.generation
    made.rotate(DEAD, Secret("rt-2"))
    assert made.token == replace(DEAD, refresh_token=Secret("rt-2"))
    assert made.is_current(DEAD)
    assert made.is_current(replace(DEAD, refresh_token=Secret("rt-2")))
    assert not made.is_current(replace(DEAD, refresh_token=Secret("rt-3")))
    assert made.generation == before
    made.set_token(NEW)
    made.rotate(DEAD, Secret("rt-4"))
    assert made.token is NEW
    assert not made.is_current(DEAD)


def test_a_rejected_token_is_not_good_and_every_other_one_is() -> None:
    made = slot(NEW)
    assert made.reject(NEW)
    assert not made.is_usable(NEW, NOW)
    assert made.is_usable(replace(NEW, access_token=OTHER), NOW)
    assert made.is_usable(OAuthToken(OTHER), NOW), "without a known expiry"


def test_a_dead_grant_is_that_of_its_refresh_token_alone() -> None:
    made = slot(DEAD)
    assert made.dead_grant_of(DEAD) is None
    made.mark_dead(DEAD, REFUSED)
    known = made.dead_grant_of(DEAD)
    assert known is not None
    assert str(known.error()) == str(REFUSED)
    assert made.dead_grant_of(LIVING) is None


def test_a_decision_about_one_token_is_not_ended_by_the_dead_grant_of_the_next() -> None:
    def login_of_a_dead_grant() -> None:
        made.set_token(LIVING)
        made.mark_dead(LIVING, REFUSED)

    made = Slot(Meanwhile(login_of_a_dead_grant))
    made.set_token(DEAD)
    seen, token, decision = made.decide(NOW)
    assert (seen, token, decision) == (made.generation, LIVING, Decision.USE)


def test_a_rejected_token_that_a_session_replaces_itself_leaves_an_unproven_one() -> None:
    renewer = Saves()
    made = renewer.slot = Slot(renewer)
    made.set_token(OLD)
    made.reject(OLD)
    assert answered(made.renew_or_share(made.generation)) is NEW
    assert made.rejections.unproven == NEW.access_token


def test_no_token_is_unproven_once_the_token_is_taken_away() -> None:
    made = slot()
    made.reject(OLD)
    answered(made.renew_or_share(made.generation))
    assert made.rejections.unproven == NEW.access_token
    made.set_token(None)
    assert made.rejections.unproven is None


def test_an_attempt_that_brings_the_very_same_token_has_ended_anyway() -> None:
    def again(token: OAuthToken | None) -> Flow[OAuthToken]:
        yield from ASK
        assert token is not None
        return token

    made = Slot(Renews(again))
    made.set_token(LIVING)
    before = made.generation
    attempt = made.renew_or_share(before)
    assert next(attempt) == ASK
    with pytest.raises(StopIteration) as done:
        attempt.send(ANSWER)
    assert done.value.value is LIVING
    assert made.generation == before + 1


def test_a_renewal_that_a_logout_has_overtaken_brings_no_token() -> None:
    made = slot()
    attempt = made.renew_or_share(made.generation)
    assert next(attempt) == ASK
    made.set_token(None)
    with pytest.raises(MissingTokenError, match="removed while it was being renewed"):
        attempt.send(ANSWER)
    assert made.token is None

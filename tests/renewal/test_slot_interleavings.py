"""Errors that only an interleaving of two lines can show: the state of a source, step by step."""

from dataclasses import replace

import pytest

from doorkey.errors import TransportError
from doorkey.renewal.backoff import Backoff
from doorkey.renewal.slot import Slot
from doorkey.renewal.state import Decision
from doorkey.tokens import OAuthToken
from doorkey.values import Secret
from doorkey.wire.flow import Flow
from doorkey.wire.messages import Request
from tests.support.flights import Renews

NOW = 1_800_000_000.0
OLD = OAuthToken(Secret("old"), expires_at=NOW + 30, lifetime=300.0, refresh_token=Secret("rt-1"))
NEW = OAuthToken(Secret("new"), expires_at=NOW + 300, lifetime=300.0, refresh_token=Secret("rt-2"))


def renewing(token: OAuthToken | None) -> Flow[OAuthToken]:
    yield from Request("POST", "https://as.example/token")
    return NEW


def slot(**how: float) -> Slot:
    made = Slot(Renews(renewing), None, Backoff(first=8.0))
    made.set_token(OLD)
    return made


class Compared(Secret):
    """An access token that calls a function at the moment it is compared."""

    __slots__ = ("meanwhile",)

    def __init__(self, value: str, slot: Slot) -> None:
        super().__init__(value)
        object.__setattr__(self, "meanwhile", slot)

    def __ne__(self, other: object) -> bool:
        self.meanwhile.set_token(NEW)  # type: ignore[attr-defined]
        return not super().__eq__(other)

    __hash__ = Secret.__hash__


def test_a_token_that_is_put_while_another_is_refused_is_not_lost_nor_forgotten() -> None:
    made = slot()
    refused = replace(OLD, access_token=Compared("old", made))
    made.set_token(refused)
    made.reject(replace(OLD, access_token=Secret("old")))
    assert made.token == NEW
    assert made.decide(NOW)[2] is Decision.USE


def test_a_refused_token_keeps_its_refresh_token_and_its_identity() -> None:
    made = slot()
    assert made.reject(OLD)
    assert made.token is OLD
    assert made.decide(NOW)[2] is Decision.RENEW


def test_a_renewal_that_fails_while_its_token_is_refused_tells_the_waiting_callers() -> None:
    made = slot()
    seen = made.attempts.generation
    filling = made.renew_or_share(seen, OLD)
    next(filling)
    made.reject(OLD)
    with pytest.raises(TransportError):
        filling.throw(TransportError("gone"))
    with pytest.raises(TransportError):
        next(made.renew_or_share(seen))


def test_a_lock_holder_that_sent_nothing_does_not_lengthen_the_pause() -> None:
    made = slot()
    made.reject(OLD)
    filling = made.renew_or_share(made.attempts.generation)
    next(filling)
    with pytest.raises(TransportError):
        filling.throw(TransportError("gone"))
    made.attempts.back_off(NOW, 1.0)
    made.attempts.back_off(NOW + 5, 1.0)
    assert made.attempts.retry_at == NOW + 8

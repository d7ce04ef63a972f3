"""The short path to a fresh token, and each condition that rules it out."""

from doorkey.renewal.slot import Slot
from doorkey.renewal.state import Decision
from doorkey.tokens import OAuthToken
from doorkey.values import Secret
from doorkey.wire.flow import Flow
from tests.support.flights import Renews

NOW = 1_800_000_000.0


def token(text: str, expires_at: float | None = NOW + 300) -> OAuthToken:
    return OAuthToken(Secret(text), "Bearer", expires_at=expires_at)


def never(_: OAuthToken | None) -> Flow[OAuthToken]:
    raise AssertionError("nothing here renews")


def slot_with(one: OAuthToken | None, leeway: float | None = None) -> Slot:
    slot = Slot(Renews(never), leeway)
    slot.set_token(one)
    return slot


def test_a_fresh_token_is_available_until_it_is_stale() -> None:
    slot = slot_with(one := token("a"), leeway=100)
    assert slot.fresh_token(NOW) is one
    assert slot.fresh_token(NOW + 199.9) is one
    assert slot.fresh_token(NOW + 200) is None
    assert slot.decide(NOW + 200)[2] is Decision.RENEW_IF_FREE


def test_a_token_of_unknown_lifetime_is_always_available() -> None:
    slot = slot_with(one := token("a", None))
    assert slot.fresh_token(NOW * 2) is one


def test_no_token_is_not_available() -> None:
    assert slot_with(None).fresh_token(NOW) is None


def test_a_rejected_token_is_no_longer_available_and_the_next_one_is() -> None:
    slot = slot_with(token("a"))
    assert slot.reject(token("a"))
    assert slot.fresh_token(NOW) is None
    slot.set_token(other := token("b"))
    assert slot.fresh_token(NOW) is other


def test_a_rejection_of_a_replaced_token_has_no_effect() -> None:
    slot = slot_with(one := token("b"))
    assert not slot.reject(token("a"))
    assert slot.fresh_token(NOW) is one


def test_a_skipped_token_is_considered_again() -> None:
    slot = slot_with(one := token("a"))
    slot.drop_fast_path()
    assert slot.fresh_token(NOW) is None
    assert slot.decide(NOW)[1:] == (one, Decision.USE)

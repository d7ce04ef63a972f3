"""A leeway that is no shorter than the lifetime of the token, and a token that a session puts itself."""

from dataclasses import replace

import pytest

from doorkey.renewal.slot import Slot, warn_of_leeway
from doorkey.renewal.state import Decision
from doorkey.tokens import OAuthToken
from doorkey.wire.flow import Flow
from tests.renewal.test_slot import ASK, NEW, NOW, OLD, answered, slot
from tests.support.flights import Renews, renewing


@pytest.mark.parametrize("leeway", [300.0, 301.0, 9000.0])
def test_a_leeway_that_is_not_shorter_than_the_lifetime_counts_as_half_of_it_and_is_warned_of_once(
    leeway: float,
) -> None:
    made = Slot(Renews(renewing), leeway)
    with pytest.warns(RuntimeWarning, match=rf"leeway={leeway:g} is not shorter .* \(300 s\).* renewed 150 s"):
        made.set_token(NEW)
    assert made.decide(NOW + 149)[2] is Decision.USE
    assert made.decide(NOW + 150)[2] is Decision.RENEW_IF_FREE
    made.set_token(replace(NEW, expires_at=NOW + 600))  # no second warning, which would be an error here
    assert made.fresh_token(NOW + 449) is not None
    assert made.fresh_token(NOW + 450) is None


def test_a_warning_that_is_an_error_loses_no_token() -> None:
    made = Slot(Renews(renewing), 300.0)
    with pytest.raises(RuntimeWarning):  # as this suite turns every warning into one
        made.set_token(NEW)
    assert made.fresh_token(NOW + 149) is NEW


def test_a_leeway_between_half_the_lifetime_and_all_of_it_counts_as_half_without_a_warning() -> None:
    made = Slot(Renews(renewing), 299.0)
    made.set_token(NEW)
    assert made.fresh_token(NOW + 149) is NEW
    assert made.fresh_token(NOW + 150) is None


def test_a_session_honors_a_leeway_as_given() -> None:
    made = Slot(Renews(renewing), 300.0, caps_leeway=False)
    made.set_token(NEW)
    assert made.fresh_token(NOW) is None
    assert made.decide(NOW)[2] is Decision.RENEW_IF_FREE


@pytest.mark.parametrize(
    ("token", "leeway"), [(None, 1.0), (NEW, None), (NEW, 299.9), (replace(NEW, lifetime=None), 1e6)]
)
def test_there_is_no_warning_without_a_token_a_leeway_or_a_lifetime(
    token: OAuthToken | None, leeway: float | None
) -> None:
    assert not warn_of_leeway(token, leeway)


def test_another_leeway_changes_when_the_current_token_becomes_stale() -> None:
    made = slot(NEW)
    made.change_leeway(100.0)
    assert made.decide(NOW + 199)[2] is Decision.USE
    assert made.decide(NOW + 200)[2] is Decision.RENEW_IF_FREE
    assert made.fresh_token(NOW) is None, "decided until the next token is put"
    made.refuse_change("leeway")


def test_a_token_that_the_renewal_has_put_itself_is_put_once() -> None:
    class Puts(Renews):
        def _renew(self, _: OAuthToken | None) -> Flow[OAuthToken]:
            yield from ASK
            made.set_token(NEW)
            return NEW

    renewer = Puts(renewing)
    renewer.renew = renewer._renew
    made = Slot(renewer)
    made.set_token(OLD)
    before = made.generation
    assert answered(made.renew_or_share(before)) is NEW
    assert made.generation == before + 1


def test_a_slot_says_whether_its_token_can_be_renewed() -> None:
    assert slot().renewable()
    assert not slot(can=False).renewable()

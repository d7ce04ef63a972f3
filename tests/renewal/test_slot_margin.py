"""The margin before expiry at which the token of a slot is stale: the share that `random` draws, and the warning."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from doorkey.errors import UsageError
from doorkey.renewal.slot import Slot, warn_of_leeway
from doorkey.tokens import OAuthToken
from tests.renewal.test_slot import NEW, NOW
from tests.support.flights import Renews, renewing


def slot(random: Callable[[], float], leeway: float | None = None) -> Slot:
    made = Slot(Renews(renewing), leeway, random=random)
    made.set_token(NEW)
    return made


def is_stale_from(made: Slot, seconds: float, token: OAuthToken = NEW) -> bool:
    """Return whether the token is fresh until `seconds` before it expires, and no longer."""
    assert token.expires_at is not None
    stale_at = token.expires_at - seconds
    return made.fresh_token(stale_at - 0.5) is token and made.fresh_token(stale_at) is None


@pytest.mark.parametrize(("drawn", "margin"), [(0.0, 30.0), (0.5, 45.0), (1.0, 60.0)])
def test_each_token_has_from_half_to_all_of_the_default_margin(drawn: float, margin: float) -> None:
    assert NEW.margin() == 60.0
    assert is_stale_from(slot(lambda: drawn), margin)


def test_each_token_draws_its_own_share() -> None:
    shares = iter([0.0, 1.0])
    made, second = slot(lambda: next(shares)), replace(NEW, expires_at=NOW + 600)
    assert is_stale_from(made, 30.0)
    made.set_token(second)
    assert is_stale_from(made, 60.0, second)


def test_a_leeway_as_given_is_not_shared_out() -> None:
    assert is_stale_from(slot(lambda: 0.0, leeway=50.0), 50.0)


def test_a_random_that_fails_loses_no_token_and_leaves_the_whole_margin() -> None:
    draws = iter([0.0, 7.0])
    made, second = slot(lambda: next(draws)), replace(NEW, expires_at=NOW + 600)
    with pytest.raises(UsageError, match="what random returns"):
        made.set_token(second)
    assert is_stale_from(made, 60.0, second)


def test_a_slot_that_never_had_a_token_has_no_fresh_one() -> None:
    assert Slot(Renews(renewing)).fresh_token(NOW) is None


def test_the_warning_of_a_leeway_names_the_line_of_its_caller() -> None:
    with pytest.warns(RuntimeWarning, match="leeway=300") as caught:
        assert warn_of_leeway(NEW, 300.0)
    assert [warning.filename for warning in caught] == [__file__]

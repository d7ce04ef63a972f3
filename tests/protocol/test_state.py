import pytest

from doorkey.errors import MismatchingStateError
from doorkey.protocol.state import check_state


def test_the_state_of_the_request_and_no_other_is_accepted() -> None:
    check_state("s", "s")
    check_state(None, None)
    for got, expected in (("t", "s"), ("s", None), (None, "s"), ("", "s"), ("\ud800", "s")):
        with pytest.raises(MismatchingStateError):
            check_state(got, expected)

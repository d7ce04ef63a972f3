"""No check of an argument leaves the value that it refuses in a frame: a collector of errors would show it."""

from collections.abc import Callable
from typing import Any

import pytest

from doorkey import arguments
from doorkey.errors import UsageError
from tests.support.tracebacks import local_variables

SECRET = "s3cret-of-a-caller"
OF_A_WRONG_TYPE: list[Any] = [SECRET.encode(), [SECRET.encode()], {"password": SECRET}, (1, SECRET)]


def function(value: object) -> None:
    arguments.function(value, "it is a callable")


CHECKS: dict[str, Callable[[Any], object]] = {
    "text": lambda value: arguments.text(value, "it"),
    "texts": lambda value: arguments.texts(value, "it"),
    "seconds": lambda value: arguments.seconds(value, "it"),
    "count": lambda value: arguments.count(value, "it"),
    "nonempty_text": lambda value: arguments.nonempty_text(value, "it"),
    "each": lambda value: arguments.each(value, str, "it is several texts"),
    "function": function,
    "blocking": lambda value: arguments.blocking(value, "it is a callable"),
    "clock": arguments.clock,
    "share": lambda value: arguments.share(value, "it"),
    "instance": lambda value: arguments.instance(value, int, "it is a number"),
}


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("value", OF_A_WRONG_TYPE, ids=lambda value: type(value).__name__)
def test_a_refused_value_is_in_no_frame_of_the_check(check: str, value: Any) -> None:
    with pytest.raises(UsageError) as refused:
        CHECKS[check](value)
    assert SECRET not in local_variables(refused.value)


@pytest.mark.parametrize("value", [SECRET, SECRET.encode()], ids=["text", "bytes"])
def test_text_in_place_of_several_values_or_a_mapping_is_in_no_frame(value: Any) -> None:
    for check in (
        lambda: arguments.mapping(value, "it"),
        lambda: arguments.members(value, "it is several texts"),
        lambda: arguments.each(value, bytes, "it is several"),
    ):
        with pytest.raises(UsageError) as refused:
            check()
        assert SECRET not in local_variables(refused.value)


def test_a_name_that_utf8_cannot_hold_is_in_no_frame() -> None:
    with pytest.raises(UsageError, match="lone surrogate") as refused:
        arguments.nonempty_text(SECRET + "\ud800", "it")
    assert SECRET not in local_variables(refused.value)

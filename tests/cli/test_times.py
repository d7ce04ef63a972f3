"""Durations and times in words."""

import pytest

from doorkey.cli.times import absolute, in_words, relative


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 seconds"),
        (1.9, "1 second"),
        (59.9, "59 seconds"),
        (60, "1 minute"),
        (-180, "3 minutes"),
        (3600, "1 hour"),
        (86_399, "23 hours"),
        (86_400, "1 day"),
        (365 * 86_400 * 2, "2 years"),
    ],
)
def test_a_duration_is_told_in_its_largest_unit(seconds: float, words: str) -> None:
    assert in_words(seconds) == words


def test_a_time_is_told_relative_to_now() -> None:
    assert relative(100, 280) == "3 minutes ago"
    assert relative(280, 100) == "in 3 minutes"


def test_a_time_is_told_in_utc() -> None:
    assert absolute(1_795_918_204) == "2026-11-29 02:10:04 UTC"


@pytest.mark.parametrize("at", [1e12, -1e13, 9.9e11])
def test_a_time_that_no_calendar_has_is_told_as_its_number(at: float) -> None:
    assert absolute(at) == f"{at:.0f} seconds after 1970-01-01 00:00:00 UTC"

"""How long a fetched document is used: what HTTP caching headers say, within the bounds of the program."""

import pytest

from doorkey.protocol.http_caching import CacheEntry, Lifetime, freshness_lifetime
from doorkey.wire.messages import Response

NOW = 1_800_000_000.0  # Fri, 15 Jan 2027 08:00:00 GMT
TIMES = Lifetime(least=60, default=600, most=3600, stale=86_400)


def told(*headers: tuple[str, str]) -> float | None:
    return freshness_lifetime(Response(200, headers), NOW)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("max-age=300", 300),
        ("public, max-age=300, must-revalidate", 300),
        ("MAX-AGE=300", 300),
        ('max-age="300"', 300),
        ("max-age=300, max-age=20", 20),
        ("max-age=0", 0),
        ("max-age=-1", 0),
        ("max-age=soon", 0),
        ("max-age", 0),
        ("max-age=", 0),
        ("max-age=" + "9" * 400, 999_999_999_999),
        ("max-age=300, no-store", 0),
        ("no-cache", 0),
        ("s-maxage=300", None),
        ("public", None),
        ("", None),
        (",,=;\x00", None),
    ],
)
def test_cache_control_says_how_long_a_response_is_fresh(value: str, seconds: float | None) -> None:
    assert told(("Cache-Control", value)) == seconds


def test_several_cache_control_headers_are_one() -> None:
    assert told(("Cache-Control", "public"), ("cache-control", "max-age=7")) == 7


@pytest.mark.parametrize(
    ("age", "left"), [("100", 200), (" 100 ", 200), ("300", 0), ("9" * 30, 0), ("x", 300), ("-5", 300), ("", 300)]
)
def test_the_time_that_a_response_spent_in_caches_is_subtracted(age: str, left: float) -> None:
    assert told(("Cache-Control", "max-age=300"), ("Age", age)) == left


@pytest.mark.parametrize(
    ("expires", "seconds"),
    [
        ("Fri, 15 Jan 2027 08:10:00 GMT", 600),
        ("Fri, 15 Jan 2027 08:10:00", 600),
        ("Fri, 15 Jan 2027 07:00:00 GMT", 0),
        ("0", 0),
        ("", 0),
        ("Fri, 15 Jan 99999 08:10:00 GMT", 0),
        ("\ud800", 0),
    ],
)
def test_expires_counts_where_there_is_no_max_age(expires: str, seconds: float) -> None:
    assert told(("Expires", expires)) == seconds
    assert told(("Expires", expires), ("Cache-Control", "max-age=5")) == 5


def test_expires_counts_from_the_time_of_the_server() -> None:
    date, expires = "Fri, 15 Jan 2027 06:00:00 GMT", "Fri, 15 Jan 2027 06:00:30 GMT"
    assert told(("Date", date), ("Expires", expires)) == 30


def test_a_response_without_caching_headers_says_nothing() -> None:
    assert told() is None


@pytest.mark.parametrize(
    ("header", "seconds"), [("max-age=0", 60), ("max-age=100", 100), ("max-age=99999", 3600), ("public", 600)]
)
def test_the_next_fetch_is_within_the_bounds(header: str, seconds: float) -> None:
    entry = TIMES.entry("value", Response(200, (("Cache-Control", header),)), NOW)
    assert entry == CacheEntry("value", NOW, NOW + seconds, NOW + 86_400)


def test_a_value_that_is_fresh_is_usable_however_small_the_other_bound_is() -> None:
    entry = Lifetime(least=60, default=600, most=3600, stale=0).entry("value", Response(200), NOW)
    assert entry.usable_until == NOW + 600


@pytest.mark.parametrize(
    ("after", "fresh", "usable"),
    [(0, True, True), (599, True, True), (600, False, True), (86_399, False, True), (86_400, False, False)],
)
def test_a_kept_value_becomes_old_and_then_useless(after: float, fresh: bool, usable: bool) -> None:
    entry = TIMES.entry("value", Response(200), NOW)
    assert (entry.is_fresh(NOW + after), entry.is_usable(NOW + after)) == (fresh, usable)


def test_a_clock_that_was_set_back_makes_a_value_old_and_leaves_it_usable() -> None:
    entry = TIMES.entry("value", Response(200), NOW)
    assert (entry.is_fresh(NOW - 1), entry.is_usable(NOW - 1)) == (False, True)

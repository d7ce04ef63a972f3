"""Extra parameters: what becomes of their values, and which names are reserved."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doorkey.errors import UsageError
from doorkey.values import Secret
from doorkey.wire.parameters import merged, not_in_query, pairs_of, parse_form, with_query


def test_values_become_text_as_a_form_wants_it() -> None:
    assert pairs_of(
        {"a": "x", "b": 7, "c": 1.5, "d": True, "e": False, "f": b"\xc3\xa9", "g": Secret("s"), "h": ""}
    ) == (
        ("a", "x"),
        ("b", "7"),
        ("c", "1.5"),
        ("d", "true"),
        ("e", "false"),
        ("f", "é"),
        ("g", "s"),
        ("h", ""),
    )


def test_a_parameter_of_none_is_omitted() -> None:
    assert pairs_of({"a": None, "b": "x"}) == (("b", "x"),)


@pytest.mark.parametrize("several", [["a", "b"], ("a", "b")])
def test_a_list_repeats_its_name_and_scope_is_joined_by_blanks(several: Any) -> None:
    assert pairs_of({"resource": several, "scope": several}) == (("resource", "a"), ("resource", "b"), ("scope", "a b"))


@pytest.mark.parametrize("value", [{"a": 1}, object(), [object()], lambda: 1])
def test_what_no_form_can_hold_is_a_usage_error_that_names_the_parameter(value: Any) -> None:
    with pytest.raises(UsageError, match="'claims'"):
        pairs_of({"claims": value})


def test_extra_parameters_follow_ours() -> None:
    assert merged((("a", "1"),), [("b", "2"), ("b", "3")], "the grant") == (("a", "1"), ("b", "2"), ("b", "3"))


def test_saying_again_what_we_say_anyway_adds_nothing() -> None:
    assert merged((("a", "1"),), [("a", "1")], "the grant") == (("a", "1"),)


def test_a_reserved_parameter_cannot_be_overridden() -> None:
    with pytest.raises(UsageError, match="'grant_type' is reserved: the grant sets it") as caught:
        merged((("grant_type", "password"),), [("grant_type", "hunter2")], "the grant")
    assert "hunter2" not in str(caught.value)


def test_a_form_is_read_with_its_blanks_and_repeats() -> None:
    assert parse_form("a=&b=1&b=%C3%A9+x&c") == (("a", ""), ("b", "1"), ("b", "é x"), ("c", ""))


def test_absurdly_many_parameters_are_refused() -> None:
    with pytest.raises(UsageError, match="1000"):
        parse_form("a&" * 2000)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://a.example", "https://a.example?x=1+2"),
        ("https://a.example/p?t=%2F&t=", "https://a.example/p?t=%2F&t=&x=1+2"),
        ("https://a.example/p?t#part", "https://a.example/p?t&x=1+2#part"),
    ],
)
def test_a_query_is_kept_as_it_is_and_ours_comes_at_its_end(url: str, expected: str) -> None:
    assert with_query(url, [("x", "1 2")]) == expected


def test_a_query_to_which_nothing_is_added_stays() -> None:
    assert with_query("https://a.example/p?t=%2F", []) == "https://a.example/p?t=%2F"


@settings(deadline=None, max_examples=100)
@given(st.lists(st.tuples(st.text(min_size=1), st.text()), max_size=8))
def test_query_parameters_are_read_back(pairs: list[tuple[str, str]]) -> None:
    try:
        url = with_query("https://a.example/", pairs)
    except UsageError:  # a lone surrogate
        return
    assert parse_form(url.partition("?")[2]) == tuple(pairs)


HERE = "https://as.example/token?tenant=t-1&audience=a"


def test_a_parameter_in_the_endpoints_query_is_not_sent_again() -> None:
    pairs = [("tenant", "t-1"), ("scope", "read"), ("audience", "b")]
    assert not_in_query(HERE, pairs) == (("scope", "read"), ("audience", "b"))
    assert not_in_query("https://as.example/token", pairs) == tuple(pairs)


def test_a_contradicting_parameter_in_the_endpoints_query_is_an_error_that_names_it() -> None:
    with pytest.raises(UsageError, match="'tenant'"):
        not_in_query(HERE, [("tenant", "t-2")])

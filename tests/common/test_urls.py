"""Parameters in URLs and forms, as pair lists that keep their order and their repeats."""

import urllib.parse
from typing import Any

import pytest

from doorkey.common.urls import (
    add_params_to_qs,
    add_params_to_uri,
    extract_params,
    is_valid_url,
    quote,
    unquote,
    url_decode,
    url_encode,
    urlparse,
)
from doorkey.errors import UsageError


def test_pairs_and_mappings_are_form_encoded() -> None:
    assert url_encode([("a", "1 2"), ("a", "é&="), ("b", "")]) == "a=1+2&a=%C3%A9%26%3D&b="
    assert url_encode({"a": "b"}) == "a=b"


def test_a_form_is_decoded_to_pairs() -> None:
    assert url_decode("a=1+2&a=%C3%A9&b=&c") == [("a", "1 2"), ("a", "é"), ("b", ""), ("c", "")]
    assert url_decode("") == []


@pytest.mark.parametrize("query", ["a=b c", "a=é", "a=\n", "a=\x00"])
def test_what_no_form_has_is_a_usage_error(query: str) -> None:
    with pytest.raises(UsageError, match="visible ASCII"):
        url_decode(query)


def test_parameters_are_added_at_the_end_of_a_query() -> None:
    assert add_params_to_qs("a=1", {"b": "2"}) == "a=1&b=2"
    assert add_params_to_qs("", [("a", "1"), ("a", "2")]) == "a=1&a=2"


@pytest.mark.parametrize(
    ("uri", "fragment", "expected"),
    [
        ("https://a.example/p", False, "https://a.example/p?x=1"),
        ("https://a.example/p?y=2#f", False, "https://a.example/p?y=2&x=1#f"),
        ("https://a.example/p?y=2", True, "https://a.example/p?y=2#x=1"),
        ("https://a.example/p#y=2", True, "https://a.example/p#y=2&x=1"),
    ],
)
def test_parameters_are_added_to_the_query_or_the_fragment_of_a_uri(uri: str, fragment: bool, expected: str) -> None:
    assert add_params_to_uri(uri, [("x", "1")], fragment) == expected


@pytest.mark.parametrize("fragment", [False, True])
def test_a_value_that_is_not_a_uri_is_a_usage_error(fragment: bool) -> None:
    with pytest.raises(UsageError):
        add_params_to_uri("https://[nonsense/p", {"x": "1"}, fragment)


def test_a_lone_surrogate_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="encoded"):
        url_encode({"a": "\ud800"})


def test_the_names_of_the_standard_library_are_there() -> None:
    assert urlparse is urllib.parse
    assert (quote, unquote) == (urllib.parse.quote, urllib.parse.unquote)


@pytest.mark.parametrize(
    ("raw", "pairs"),
    [
        ("a=1&a=2&b=%C3%A9", [("a", "1"), ("a", "2"), ("b", "é")]),
        ({"a": "1", "b": b"2"}, [("a", "1"), ("b", "2")]),
        ([("a", "1"), ("a", "2")], [("a", "1"), ("a", "2")]),
        ([], []),
        ({}, []),
        ("", None),
        ('{"a": 1}', None),
        ("a=%zz", None),
        ("a=é", None),
        (None, None),
        (5, None),
        (b"a=1", None),
        ([1], None),
        (["a=1"], None),
        ([(b"\xff", "1")], None),
    ],
)
def test_parameters_are_extracted_from_forms_mappings_and_pairs(raw: Any, pairs: Any) -> None:
    assert extract_params(raw) == pairs


@pytest.mark.parametrize(
    "url", ["https://a.example", "http://a.example:8080/p?q#f", "app://callback", "https://[::1]/"]
)
def test_an_absolute_url_with_a_host_is_valid(url: str) -> None:
    assert is_valid_url(url)
    assert is_valid_url(url, fragments_allowed=False) is ("#" not in url)


@pytest.mark.parametrize(
    "url",
    [
        *("", "/p", "a.example/p", "//a.example", "mailto:a@a.example", "https://", "https://[nonsense/"),
        *(
            "https://a.example@evil.example/",
            "https://a.example\\@evil.example/",
            "https://a.example/\n",
            "https://a b/",
        ),
        *(None, 5, b"https://a.example"),
    ],
)
def test_what_has_no_host_or_hides_it_is_not_valid(url: Any) -> None:
    assert not is_valid_url(url)

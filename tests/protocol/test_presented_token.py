"""Where a request has its access token, and what is rejected with 400 (RFC 6750 §2, §3.1)."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorkey.protocol.presented_token import MAX_TOKEN, PresentedToken, presented_token
from doorkey.protocol.rejections import MalformedRequest
from doorkey.values import Secret


def bearer(token: str, name: str = "Authorization") -> tuple[str, str]:
    return name, f"Bearer {token}"


def rejected(*headers: tuple[str, str], **more: Any) -> MalformedRequest:
    with pytest.raises(MalformedRequest) as caught:
        presented_token(headers, **more)
    return caught.value


@pytest.mark.parametrize("value", ["Bearer mF_9.B5f-4.1JqM", "bearer  mF_9.B5f-4.1JqM ", "BEARER mF_9.B5f-4.1JqM"])
def test_the_token_is_in_the_authorization_header(value: str) -> None:
    assert presented_token([("authorization", value)]) == PresentedToken("Bearer", Secret("mF_9.B5f-4.1JqM"))


def test_the_scheme_of_a_dpop_token_is_kept() -> None:
    assert presented_token([("Authorization", "DPoP abc")]) == PresentedToken("DPoP", Secret("abc"))


@pytest.mark.parametrize(
    "headers", [[], [("Authorization", "Basic YTpi")], [("Authorization", "")], [("X", "Bearer a")]]
)
def test_a_request_without_one_has_none(headers: list[tuple[str, str]]) -> None:
    assert presented_token(headers) is None


@pytest.mark.parametrize(
    "value", ["Bearer", "Bearer ", "Bearer a b", "Bearer a, Basic b", "Bearer é", "Bearer ===", 'Bearer "a"']
)
def test_a_token_of_illegal_form_is_rejected(value: str) -> None:
    assert rejected(("Authorization", value)).claim == "access_token"


def test_a_token_without_end_is_rejected() -> None:
    assert presented_token([bearer("a" * MAX_TOKEN)]) is not None
    assert "longer" in rejected(bearer("a" * (MAX_TOKEN + 1))).reason


def test_two_authorization_headers_are_rejected_even_if_they_are_equal() -> None:
    assert "more than once" in rejected(bearer("a"), bearer("a", "authorization")).reason
    assert "more than once" in rejected(("Authorization", "Basic YTpi"), bearer("a")).reason


@pytest.mark.parametrize("query", ["access_token=a", "x=1&access_token=", "access%5Ftoken=a"])
def test_a_token_in_the_query_is_rejected_by_default(query: str) -> None:
    assert "query" in rejected(query=query).reason
    assert "query" in rejected(bearer("a"), query=query).reason


def test_a_token_in_the_query_is_accepted_where_the_program_says_so() -> None:
    assert presented_token([], "x=1&access_token=a%2Bb", in_query=True) == PresentedToken("Bearer", Secret("a+b"))
    assert presented_token([], "x=1", in_query=True) is None


def test_a_token_in_the_form_is_accepted_if_the_program_reads_it() -> None:
    assert presented_token([], form=[("access_token", "a")]) == PresentedToken("Bearer", Secret("a"))


def test_a_token_that_is_sent_in_two_ways_is_rejected() -> None:
    assert "more than once" in rejected(bearer("a"), query="access_token=a", in_query=True).reason
    assert "more than once" in rejected(bearer("a"), form=[("access_token", "a")]).reason
    assert "more than once" in rejected(query="access_token=a&access_token=a", in_query=True).reason
    assert "more than once" in rejected(query="access_token=a", form=[("access_token", "a")], in_query=True).reason


@given(st.lists(st.tuples(st.sampled_from(["authorization", "x"]), st.text())), st.text(), st.booleans())
def test_any_request_has_a_token_or_none_or_is_rejected(
    headers: list[tuple[str, str]], query: str, in_query: bool
) -> None:
    found = None
    with suppress(MalformedRequest):
        found = presented_token(headers, query, in_query=in_query)
    assert found is None or found.token.reveal().isascii()

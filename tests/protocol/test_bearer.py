"""Where an access token goes in a request to an API: one place, once (RFC 6750 §2)."""

from typing import Any

import pytest

from doorkey.errors import UsageError
from doorkey.protocol.bearer import authorization_header, place
from doorkey.tokens import OAuthToken
from doorkey.values import Secret
from doorkey.wire.messages import FORM

TOKEN = OAuthToken(Secret("mF_9.B5f-4.1JqM"))
API = "https://server.example.com/resource"


def test_the_header_is_that_of_rfc_6750_section_2_1() -> None:
    assert authorization_header(TOKEN) == "Bearer mF_9.B5f-4.1JqM"
    assert authorization_header(OAuthToken(Secret("a"), "bearer")) == "Bearer a"


@pytest.mark.parametrize("placement", ["header", "body", "uri"])
def test_a_bound_token_is_never_sent_as_bearer(placement: str) -> None:
    with pytest.raises(UsageError, match="bound to a key") as caught:
        place(OAuthToken(Secret("a"), "DPoP"), placement, API, {}, None)
    assert caught.value.error == "unsupported_token_type"


def test_in_the_header_it_replaces_any_other_authorization_and_leaves_all_else() -> None:
    headers = {"authorization": "Basic x", "X-A": "1"}
    body = object()
    assert place(TOKEN, "header", API, headers, body) == (
        API,
        {"X-A": "1", "Authorization": "Bearer mF_9.B5f-4.1JqM"},
        body,
    )
    assert headers == {"authorization": "Basic x", "X-A": "1"}


def test_in_the_query_it_is_at_the_end_as_in_section_2_3() -> None:
    assert place(TOKEN, "uri", API + "?a=b#c", {"X-A": "1"}, b"x") == (
        API + "?a=b&access_token=mF_9.B5f-4.1JqM#c",
        {"X-A": "1"},
        b"x",
    )


@pytest.mark.parametrize(
    ("body", "placed"),
    [
        (None, "access_token=mF_9.B5f-4.1JqM"),
        ("", "access_token=mF_9.B5f-4.1JqM"),
        ("a=b%2F", "a=b%2F&access_token=mF_9.B5f-4.1JqM"),
        (b"a=b", "a=b&access_token=mF_9.B5f-4.1JqM"),
        ("a=x#y&c=d", "a=x#y&c=d&access_token=mF_9.B5f-4.1JqM"),
        ("a=//[", "a=//[&access_token=mF_9.B5f-4.1JqM"),
        ("a=\tb\n", "a=\tb\n&access_token=mF_9.B5f-4.1JqM"),
    ],
)
def test_in_the_body_it_is_at_the_end_of_the_form_which_stays_as_it_is(body: Any, placed: str) -> None:
    assert place(TOKEN, "body", API, {"content-type": FORM}, body) == (API, {"Content-Type": FORM}, placed)


def test_a_form_may_name_its_charset_and_a_body_of_no_type_is_a_form() -> None:
    for headers in ({"Content-Type": FORM.upper() + "; charset=utf-8"}, {}):
        assert place(TOKEN, "body", API, headers, "a=b")[2] == "a=b&access_token=mF_9.B5f-4.1JqM"


@pytest.mark.parametrize(
    ("headers", "body"),
    [({"content-type": "application/json"}, b"{}"), ({}, iter([b"a=b"])), ({}, {"a": "b"}), ({}, object())],
)
def test_a_body_that_is_no_form_is_refused(headers: dict[str, str], body: Any) -> None:
    with pytest.raises(UsageError, match="token_placement='body'"):
        place(TOKEN, "body", API, headers, body)


def test_what_an_exchange_brought_that_is_no_access_token_is_not_sent() -> None:
    with pytest.raises(UsageError, match="N_A is not an access token"):
        authorization_header(OAuthToken(Secret("an.id.token"), "N_A"))

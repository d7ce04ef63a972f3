"""A token that is presented: what introspection and revocation share, and what is refused before it leaves."""

import pytest

from doorkey.errors import UsageError
from doorkey.protocol.token_query import token_query
from doorkey.values import Secret
from doorkey.wire.messages import Request

URL = "https://server.example.com/about"
TOKEN = Secret("mF_9.B5f-4.1JqM")


def test_a_token_and_its_hint_are_the_parameters() -> None:
    assert token_query(URL, TOKEN, "access_token", (), "revocation") == Request(
        "POST",
        URL,
        (("Accept", "application/json"),),
        (("token", "mF_9.B5f-4.1JqM"), ("token_type_hint", "access_token")),
    )


@pytest.mark.parametrize("hint", [None, ""])
def test_without_a_hint_none_is_sent(hint: str | None) -> None:
    assert token_query(URL, TOKEN, hint, (), "revocation").form == (("token", "mF_9.B5f-4.1JqM"),)


def test_further_parameters_and_headers_are_added() -> None:
    request = token_query(URL, TOKEN, None, [("x", "1")], "revocation", [("accept", "text/plain"), ("X-Trace", "1")])
    assert request.form == (("token", "mF_9.B5f-4.1JqM"), ("x", "1"))
    assert request.headers == (("accept", "text/plain"), ("X-Trace", "1"))


def test_a_parameter_in_the_endpoint_is_not_repeated() -> None:
    assert token_query(f"{URL}?x=1", TOKEN, None, [("x", "1")], "revocation").form == (("token", "mF_9.B5f-4.1JqM"),)


@pytest.mark.parametrize("token", ["", "é", "a\r\nb", "a\x7f", "***"])
def test_a_value_that_is_not_a_token_is_not_sent(token: str) -> None:
    with pytest.raises(UsageError, match=r"visible ASCII|printed token"):
        token_query(URL, Secret(token), None, (), "revocation")


def test_another_token_is_refused_and_an_endpoint_that_cannot_be_is_named() -> None:
    with pytest.raises(UsageError, match="'token' is reserved: the revocation request"):
        token_query(URL, TOKEN, None, [("token", "other")], "revocation")
    with pytest.raises(UsageError, match="revocation endpoint"):
        token_query("http://server.example.com/about", TOKEN, None, (), "revocation")


def test_a_refresh_token_with_a_space_is_presented() -> None:
    assert token_query(URL, Secret("a b"), None, (), "revocation").form == (("token", "a b"),)

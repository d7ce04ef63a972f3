"""Requests and responses as values: pairs until the wire, and nothing secret in a repr."""

from typing import Any

import pytest

from doorkey.errors import TransportError, UsageError
from doorkey.wire.flow import Flow, run
from doorkey.wire.messages import Request, Response, body_bytes, form_encoded, header_pairs, with_header

TOKEN = "https://as.example/token"


def test_a_form_keeps_its_order_and_its_repeats_on_the_wire() -> None:
    request = Request("POST", TOKEN, form=(("resource", "a b"), ("x", "é&="), ("resource", "c")))
    assert request.content == b"resource=a+b&x=%C3%A9%26%3D&resource=c"


def test_a_body_that_a_hook_encoded_wins_over_the_form() -> None:
    assert Request("POST", TOKEN, form=(("a", "b"),), body=b"{}").content == b"{}"
    assert Request("POST", TOKEN, form=(("a", "b"),), body=b"").content == b""


def test_a_lone_surrogate_cannot_be_sent_and_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="cannot be encoded"):
        _ = Request("POST", TOKEN, form=(("password", "\ud800"),)).content
    with pytest.raises(UsageError) as caught:
        form_encoded([("password", "hunter2\udfff")])
    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_headers_are_found_in_any_case_and_the_first_counts() -> None:
    pairs = (("X-One", "1"), ("x-one", "2"))
    assert Request("GET", TOKEN, pairs).header("X-ONE") == "1"
    assert Response(200, pairs).header("x-One") == "1"
    assert Request("GET", TOKEN).header("x") is None
    assert Response(200).header("x") is None


def test_setting_a_header_replaces_all_of_that_name_and_changes_nothing_given() -> None:
    request = Request("GET", TOKEN, (("ACCEPT", "a"), ("accept", "b"), ("Other", "o")))
    assert request.with_header("Accept", "c").headers == (("Other", "o"), ("Accept", "c"))
    assert len(request.headers) == 3


def test_options_are_for_the_client_that_carries_the_request() -> None:
    assert Request("GET", TOKEN).with_options((("timeout", 3),)) == Request("GET", TOKEN, options=(("timeout", 3),))


@pytest.mark.parametrize(
    ("header", "media_type"),
    [
        ("application/json", "application/json"),
        ("Application/JSON; charset=utf-8", "application/json"),
        (" text/html ;", "text/html"),
        ("", ""),
    ],
)
def test_the_media_type_is_lower_case_and_without_parameters(header: str, media_type: str) -> None:
    assert Response(200, (("Content-Type", header),)).media_type == media_type
    assert Response(200).media_type == ""


def test_a_repr_shows_neither_forms_nor_queries_nor_bodies_nor_headers() -> None:
    request = Request("POST", TOKEN + "?code=hunter2", (("Authorization", "hunter2"),), (("password", "hunter2"),))
    assert repr(request) == "<Request POST https://as.example/token>"
    response = Response(200, (("Set-Cookie", "hunter2"), ("Content-Type", "application/json")), b'"hunter2"')
    assert repr(response) == "<Response 200 application/json, 9 bytes>"
    assert repr(Response(204)) == "<Response 204 of no type, 0 bytes>"


def test_a_header_set_in_a_mapping_stands_there_once_in_a_copy() -> None:
    given = {"authorization": "a", "AUTHORIZATION": "b", "X": "x"}
    assert with_header(given, "Authorization", "c") == {"X": "x", "Authorization": "c"}
    assert given == {"authorization": "a", "AUTHORIZATION": "b", "X": "x"}


def test_a_response_knows_what_it_answers_without_being_another_answer_for_it() -> None:
    def flow() -> Flow[Response]:
        return (yield from request)

    request, answer = Request("POST", TOKEN), Response(200, (), b"{}")
    got = run(flow(), lambda _: answer)
    assert (got, got.request) == (answer, request)
    assert TOKEN not in repr(got)


@pytest.mark.parametrize(
    "given", [{"A": "1", "B": b"2"}, [("A", "1"), ("B", b"2")], (("A", 1), ("B", 2)), {b"A": "1", b"B": "2"}.items()]
)
def test_headers_are_a_mapping_or_pairs_of_text_bytes_or_numbers(given: Any) -> None:
    assert header_pairs(given, "these") == (("A", "1"), ("B", "2"))


@pytest.mark.parametrize("given", [5, "AB", ["A"], [("A", None)], {"A": ["1"]}, [("A", "1", "2")]])
def test_other_headers_are_refused_with_whose_they_are(given: Any) -> None:
    with pytest.raises(UsageError, match="these must be"):
        header_pairs(given, "these")


@pytest.mark.parametrize(
    ("given", "expected"),
    [(None, b""), (b"a", b"a"), (bytearray(b"a"), b"a"), ("é", "é".encode()), ("\udcff", b"\xff")],
)
def test_a_body_is_text_or_bytes(given: Any, expected: bytes) -> None:
    assert body_bytes(given, "this") == expected


@pytest.mark.parametrize("given", [5, ["a"], "\ud800"])
def test_another_body_is_refused_with_whose_it_is(given: Any) -> None:
    with pytest.raises(UsageError, match="this "):
        body_bytes(given, "this")


def test_a_header_is_set_in_place_of_what_it_was_in_any_case() -> None:
    request = Request("GET", TOKEN, (("accept", "text/html"), ("X", "1"))).with_header("Accept", "application/json")
    assert request.headers == (("X", "1"), ("Accept", "application/json"))


def test_numbers_and_bytes_in_headers_become_text() -> None:
    assert header_pairs({"X": 1, b"Y": b"\xe9"}, "headers=") == (("X", "1"), ("Y", "é"))


def test_headers_of_text_stay_as_they_are() -> None:
    assert header_pairs({"X": "1"}, "headers=") == (("X", "1"),)


def test_an_error_of_an_exchange_names_the_request() -> None:
    def failing(_: object) -> Response:
        raise TransportError("no usable answer")

    def asking() -> Flow[Response]:
        return (yield from Request("POST", TOKEN))

    with pytest.raises(TransportError, match=r"POST https://as\.example/token"):
        run(asking(), failing)

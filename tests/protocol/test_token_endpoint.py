"""The token endpoint: one strict parser for every answer."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doorkey.errors import InvalidGrant, InvalidResponse, TemporarilyUnavailable, UsageError
from doorkey.protocol.token_endpoint import (
    MAX_EXTRA,
    check_token_types,
    parse_token,
    token_of,
)
from doorkey.stores.encryption import Sealer
from doorkey.stores.envelope import open_record, pack
from doorkey.stores.limits import MAX_DATA
from doorkey.tokens import MAX_TOKEN, TEN_YEARS, OAuth2Token, OAuthToken
from doorkey.values import Scope, Secret
from doorkey.wire.messages import Response
from tests.support.saying import said_by

NOW = 1_800_000_000.0
BEARER = {"access_token": "at-1", "token_type": "Bearer"}


def answer(**members: Any) -> Response:
    return Response(200, (("Content-Type", "application/json"),), json.dumps({**BEARER, **members}).encode())


def token(**members: Any) -> OAuthToken:
    return parse_token(answer(**members), requested_at=NOW)


def problem_of(response: Response) -> str:
    with pytest.raises(InvalidResponse) as caught:
        parse_token(response, requested_at=NOW)
    assert caught.value.status == response.status
    return caught.value.problem


def test_the_response_of_rfc_6749_section_5_1_is_a_token() -> None:
    response = Response(
        200,
        (("Content-Type", "application/json;charset=UTF-8"), ("Cache-Control", "no-store")),
        b"""{
            "access_token":"2YotnFZFEjr1zCsicMWpAA",
            "token_type":"example",
            "expires_in":3600,
            "refresh_token":"tGzv3JOkF0XG5Qx2TlKWIA",
            "example_parameter":"example_value"
        }""".replace(b'"example",', b'"bearer",'),
    )
    got = parse_token(response, requested_at=NOW)
    assert got == OAuthToken(
        Secret("2YotnFZFEjr1zCsicMWpAA"),
        "Bearer",
        NOW + 3600,
        3600.0,
        Secret("tGzv3JOkF0XG5Qx2TlKWIA"),
    )
    assert dict(got.extra) == {"example_parameter": "example_value"}


def test_the_error_of_rfc_6749_section_5_2_is_an_error() -> None:
    with pytest.raises(InvalidGrant) as caught:
        parse_token(Response(400, (), b'{"error":"invalid_grant"}'), requested_at=NOW)
    assert caught.value.status == 400


def test_an_error_wins_over_a_token_with_any_status() -> None:
    with pytest.raises(InvalidGrant):
        token(error="invalid_grant")


@pytest.mark.parametrize("status", [400, 401, 500])
def test_a_token_in_a_response_that_failed_is_none(status: int) -> None:
    assert problem_of(Response(status, (), answer().body)) == "status"


def test_a_busy_server_says_when_to_come_back_and_a_date_counts_from_the_moment_of_asking() -> None:
    headers = (("Retry-After", "Fri, 15 Jan 2027 08:00:30 GMT"),)
    with pytest.raises(TemporarilyUnavailable) as caught:
        parse_token(Response(503, headers, b"<html>"), requested_at=NOW)
    assert caught.value.retry_after == 30


@pytest.mark.parametrize("name", ["bearer", "BEARER", "BeArEr"])
def test_the_type_of_a_token_is_known_in_any_case(name: str) -> None:
    assert token(token_type=name).token_type == "Bearer"
    assert token(token_type=name).to_dict()["token_type"] == name, "as the server wrote it"
    assert token(token_type=name) == token(token_type="Bearer")
    assert token(token_type="dpop").token_type == "DPoP"


@pytest.mark.parametrize("value", ["mac", "N_A", "", 7, True, ["Bearer"], "Bearer "])
def test_a_type_that_is_not_known_is_refused(value: Any) -> None:
    assert problem_of(answer(token_type=value)) == "token_type_unknown"


@pytest.mark.parametrize("value", [{}, {"token_type": None}])
def test_a_token_without_a_type_is_a_bearer_token_unless_a_bound_one_was_requested(value: dict[str, None]) -> None:
    body = json.dumps({"access_token": "A", "expires_in": 9, **value}).encode()
    got = parse_token(Response(200, (), body), requested_at=NOW)
    assert (got.token_type, got.raw_token_type, got.lifetime) == ("Bearer", None, 9)
    assert got.to_dict()["token_type"] == "Bearer"
    with pytest.raises(InvalidResponse) as caught:
        parse_token(Response(200, (), body), requested_at=NOW, bound=True)
    assert caught.value.problem == "not_sender_constrained"


def test_an_option_says_what_an_unknown_type_means() -> None:
    types = check_token_types({"User": "bearer"})
    got = parse_token(answer(token_type="USER"), requested_at=NOW, token_types=types)
    assert (got.token_type, got.to_dict()["token_type"]) == ("Bearer", "USER")
    assert parse_token(answer(token_type="dpop"), requested_at=NOW, token_types={"dpop": "Bearer"}).token_type == "DPoP"
    with pytest.raises(InvalidResponse, match="token_types="):
        parse_token(answer(token_type="mac"), requested_at=NOW, token_types=types)


@pytest.mark.parametrize("given", ["Bearer", {"user": "mac"}, {"user": None}, {7: "Bearer"}, {"a b": "Bearer"}])
def test_an_option_that_names_no_known_type_is_refused(given: Any) -> None:
    with pytest.raises(UsageError):
        check_token_types(given)
    assert check_token_types(None) == {}


def test_an_option_does_not_change_the_meaning_of_a_known_type() -> None:
    assert check_token_types({"DPoP": "Bearer", "user": "dpop"}) == {"user": "DPoP"}


def test_a_response_without_an_access_token_is_none() -> None:
    assert problem_of(Response(200, (), b"{}")) == "access_token_missing"
    assert problem_of(answer(access_token=None)) == "access_token_missing"


ODD = ["a b", "a\n", "a\x00", "é", "\ud800", 7, True, ["a"], {"a": 1}]


@pytest.mark.parametrize("value", ["", *ODD])
def test_an_access_token_that_cannot_be_sent_is_refused(value: Any) -> None:
    assert problem_of(answer(access_token=value)) == "access_token_illegal"


@pytest.mark.parametrize("value", ["***", *ODD])
def test_a_refresh_token_or_id_token_that_cannot_be_sent_is_refused(value: Any) -> None:
    if value != "a b":
        assert problem_of(answer(refresh_token=value)) == "refresh_token_illegal"
    assert problem_of(answer(id_token=value)) == "id_token_illegal"


def test_a_refresh_token_may_contain_a_space() -> None:
    assert token(refresh_token="a b~").refresh_token == Secret("a b~")


@pytest.mark.parametrize("name", ["access_token", "refresh_token", "id_token"])
def test_a_token_that_no_store_could_hold_is_refused(name: str) -> None:
    assert token(**{name: "a" * MAX_TOKEN}).to_dict()[name] == "a" * MAX_TOKEN
    assert problem_of(answer(**{name: "a" * (MAX_TOKEN + 1)})) == f"{name}_too_long"


def test_members_that_no_store_could_hold_are_dropped_and_named() -> None:
    body = (
        b'{"access_token": "a", "refresh_token": "rt", "big": [1, 1e400], "low": {"x": -1e999}, "text": "\\ud800", '
        b'"\\ud800": 1, "fine": 1.5, "long": "' + "\xe9".encode() * (MAX_EXTRA // 4) + b'", "last": "\\u00e9"}'
    )
    got = parse_token(Response(200, (), body), requested_at=NOW)
    assert got.refresh_token == Secret("rt")
    assert got.extra == {"fine": 1.5, "last": "\xe9"}
    assert got.dropped == ("big", "low", "text", "\\ud800", "long")
    assert open_record(pack(got))[0].to_dict() == got.to_dict()


def test_the_largest_token_fits_into_a_record() -> None:
    secret = "a" * MAX_TOKEN
    extra = {f"member{number}": "\xe9" * 5000 for number in range(100)}
    got = token(access_token=secret, refresh_token=secret, id_token=secret, scope="s" * MAX_EXTRA, **extra)
    assert 0 < len(got.dropped) < 100
    assert len(Sealer({"k": b"k" * 32}, "k").seal("key", pack(got))) < MAX_DATA


def test_an_empty_refresh_token_or_id_token_is_none() -> None:
    assert token(refresh_token="", id_token="").refresh_token is None
    assert token(refresh_token="", id_token="").id_token is None
    assert token(id_token="a.b.c").id_token == Secret("a.b.c")


@pytest.mark.parametrize("value", [1, 60, 3600, "3600", "0060", 3600.0, "3600.0", TEN_YEARS])
def test_a_lifetime_is_an_integer_a_numeric_string_or_a_whole_float(value: Any) -> None:
    got = token(expires_in=value)
    assert got.lifetime == float(value)
    assert got.expires_at == NOW + float(value)


@pytest.mark.parametrize(
    "text",
    [
        *("-1", "true", "false", "null", "[]", "{}", '""', '"-1"', '"1e3"', '"soon"', '"\\u0663"', "0", '"0"', "0.0"),
        *("1e400", "-1e400", "1e300", str(TEN_YEARS + 1), "9" * 400, '"' + "9" * 5000 + '"'),
    ],
)
def test_any_other_lifetime_is_unknown_and_never_a_builtin_error(text: str) -> None:
    body = b'{"access_token": "a", "token_type": "Bearer", "expires_in": ' + text.encode() + b"}"
    got = parse_token(Response(200, (), body), requested_at=NOW)
    assert (got.lifetime, got.expires_at) == (None, None)


@pytest.mark.parametrize("value", [3599.5, "3599.5"])
def test_a_lifetime_with_a_fraction_is_rounded_down(value: Any) -> None:
    assert (token(expires_in=value).lifetime, token(expires_in=value).expires_at) == (3599, NOW + 3599)


@pytest.mark.parametrize("text", ["NaN", "Infinity", "9" * 5000])
def test_a_lifetime_that_is_no_json_spoils_the_response_with_a_typed_error(text: str) -> None:
    body = b'{"access_token": "a", "token_type": "Bearer", "expires_in": ' + text.encode() + b"}"
    assert problem_of(Response(200, (), body)) == "not_json"


@pytest.mark.parametrize("value", [NOW + 9999, str(NOW + 9999), float(NOW + 9999)])
@pytest.mark.parametrize("expires_in", [None, "soon"])
def test_a_server_that_says_no_lifetime_may_say_the_moment(value: Any, expires_in: Any) -> None:
    got = token(expires_at=value, expires_in=expires_in)
    assert (got.lifetime, got.expires_at) == (9999, NOW + 9999)
    assert "expires_at" not in got.extra
    assert token(expires_at=value, expires_in=60).expires_at == NOW + 60


def test_a_moment_that_is_over_is_that_of_an_expired_token() -> None:
    got = token(expires_at=NOW - 1, expires_in=None)
    assert (got.lifetime, got.expires_at) == (0, NOW - 1)


@pytest.mark.parametrize(
    "value",
    [
        *(0, "0", -1, True, None, [], {}, "", "soon", "2030-01-01T00:00:00Z", 10**400, "9" * 5000, 1e308),
        *((NOW + 60) * 1000, NOW + TEN_YEARS + 1, NOW - TEN_YEARS - 1),
    ],
)
def test_a_moment_that_can_be_none_is_unknown_and_never_a_builtin_error(value: Any) -> None:
    got = token_of({"access_token": "a", "token_type": "Bearer", "expires_at": value}, requested_at=NOW)
    assert (got.lifetime, got.expires_at) == (None, None)
    assert "expires_at" not in got.extra


@pytest.mark.parametrize(
    ("value", "scope"),
    [
        (None, None),
        ("read write", Scope(("read", "write"))),
        ("", Scope()),
        (["read", "write"], Scope(("read", "write"))),
        ("a  a b", Scope(("a", "b"))),
    ],
)
def test_the_granted_scope_is_what_the_server_says_and_none_where_it_is_silent(value: Any, scope: Scope | None) -> None:
    assert token(scope=value).scope == scope


@pytest.mark.parametrize("value", [7, {"read": True}, True])
def test_a_scope_that_is_no_text_grants_nothing_for_sure(value: Any) -> None:
    assert token(scope=value).scope == Scope()


@pytest.mark.parametrize("value", ['a"b', "a\\b", "é", "a\x00"])
def test_a_scope_with_illegal_characters_is_kept_as_text_and_stored(value: str) -> None:
    got = token(scope=f"read {value}")
    assert got.scope == Scope(("read", value))
    assert open_record(pack(got))[0].scope == got.scope
    assert OAuth2Token(json.loads(json.dumps(got.to_dict()))).value.scope == got.scope


def test_a_scope_that_no_store_could_hold_is_no_reason_to_lose_the_token() -> None:
    assert token(scope="a \ud800").scope == Scope(("a", "?"))
    assert token(scope="a" * (MAX_EXTRA + 1)).scope is None


def test_a_refresh_without_a_new_refresh_token_keeps_the_old_one_and_a_new_one_replaces_it() -> None:
    old = Secret("rt-1")
    assert parse_token(answer(), requested_at=NOW, refresh_token=old).refresh_token == old
    assert parse_token(answer(refresh_token=None), requested_at=NOW, refresh_token=old).refresh_token == old
    assert parse_token(answer(refresh_token="rt-2"), requested_at=NOW, refresh_token=old).refresh_token == Secret(
        "rt-2"
    )


def test_a_repeated_member_is_refused() -> None:
    body = b'{"access_token": "a", "token_type": "Bearer", "access_token": "b"}'
    assert problem_of(Response(200, (), body)) == "duplicate_member"


def test_a_fragment_has_the_same_parser() -> None:
    members = {"access_token": "2YotnFZFEjr1zCsicMWpAA", "token_type": "bearer", "expires_in": "3600"}
    assert token_of(members, requested_at=NOW).expires_at == NOW + 3600


@pytest.mark.parametrize("name", ["access_token", "refresh_token", "id_token", "token_type"])
def test_no_error_quotes_what_was_in_the_response(name: str) -> None:
    with pytest.raises(InvalidResponse) as caught:
        token(**{name: 'hunter2 "\n'})
    assert "hunter2" not in str(caught.value) + repr(caught.value) + repr(vars(caught.value))


anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["Bearer", "at", ""]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=3,
)
NAMES = ["access_token", "token_type", "expires_in", "refresh_token", "scope", "id_token", "error", "error_uri", "x"]


@settings(deadline=None, max_examples=300)
@given(st.integers(100, 599) | st.just(200), st.dictionaries(st.sampled_from(NAMES), anything), st.booleans())
def test_whatever_the_response_it_is_a_token_or_an_error_of_ours(
    status: int, members: dict[str, Any], valid: bool
) -> None:
    body = json.dumps({**(BEARER if valid else {}), **members}).encode()
    answer = Response(status, (("Content-Type", "text/plain"),), body)
    assert said_by(lambda: json.dumps(parse_token(answer, requested_at=NOW).to_dict())).isprintable()


# -- tokens that are bound to a key ------------------------------------------------------------------------------------


def test_a_sender_constrained_token_was_asked_for_and_bearer_came() -> None:
    with pytest.raises(InvalidResponse, match=r"DPoP proof.*Nothing of the response is kept") as caught:
        parse_token(answer(refresh_token="rt-9"), requested_at=NOW, bound=True)
    assert (caught.value.problem, caught.value.status) == ("not_sender_constrained", 200)
    assert "at-1" not in repr(caught.value) + str(caught.value)
    assert "rt-9" not in repr(caught.value) + str(caught.value)


@pytest.mark.parametrize("written", ["DPoP", "dpop", "DPOP"])
def test_a_sender_constrained_token_was_asked_for_and_came(written: str) -> None:
    assert parse_token(answer(token_type=written), requested_at=NOW, bound=True).token_type == "DPoP"


def test_where_no_bound_token_was_asked_for_one_is_a_token_anyway() -> None:
    assert parse_token(answer(token_type="DPoP"), requested_at=NOW).token_type == "DPoP"


def test_an_error_is_an_error_whatever_was_asked_for() -> None:
    with pytest.raises(InvalidGrant):
        parse_token(Response(400, (), b'{"error": "invalid_grant"}'), requested_at=NOW, bound=True)


def test_a_response_without_the_id_token_that_was_asked_for_is_refused() -> None:
    with pytest.raises(InvalidResponse, match="openid") as caught:
        parse_token(answer(), requested_at=NOW, openid=True)
    assert (caught.value.problem, caught.value.status) == ("id_token_missing", 200)
    assert parse_token(answer(id_token="a.b.c"), requested_at=NOW, openid=True).id_token == Secret("a.b.c")

"""The token endpoint: one request for every grant, and one strict parser for every answer."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doorkey.errors import InvalidGrant, InvalidResponse, TemporarilyUnavailable, UsageError
from doorkey.protocol.grants import (
    AuthorizationCodeGrant,
    ClientCredentialsGrant,
    Grant,
    PasswordGrant,
    RefreshTokenGrant,
)
from doorkey.protocol.token_endpoint import (
    asks_for_a_bound_token,
    asks_for_an_id_token,
    parse_token,
    token_of,
    token_request,
)
from doorkey.tokens import TEN_YEARS, OAuthToken
from doorkey.values import Scope, Secret
from doorkey.wire.messages import FORM, Request, Response
from tests.support.saying import said_by

ENDPOINT = "https://server.example.com/token"
NOW = 1_800_000_000.0
BEARER = {"access_token": "at-1", "token_type": "Bearer"}


def answer(**members: Any) -> Response:
    return Response(200, (("Content-Type", "application/json"),), json.dumps({**BEARER, **members}).encode())


def token(**members: Any) -> OAuthToken:
    return parse_token(answer(**members), asked_at=NOW)


def problem_of(response: Response) -> str:
    with pytest.raises(InvalidResponse) as caught:
        parse_token(response, asked_at=NOW)
    assert caught.value.status == response.status
    return caught.value.problem


# -- asking ------------------------------------------------------------------------------------------------------------


def test_a_password_is_exchanged_as_in_rfc_6749_section_4_3_2() -> None:
    request = token_request(ENDPOINT, PasswordGrant("johndoe", Secret("A3ddj3w")))
    assert request == Request(
        "POST",
        ENDPOINT,
        (("Accept", "application/json"), ("Content-Type", FORM)),
        (("grant_type", "password"), ("username", "johndoe"), ("password", "A3ddj3w")),
    )
    assert request.content == b"grant_type=password&username=johndoe&password=A3ddj3w"


def test_further_parameters_follow_and_repeat() -> None:
    extra = [("scope", "a b"), ("resource", "x"), ("resource", "y")]
    request = token_request(ENDPOINT, ClientCredentialsGrant(), extra)
    assert request.content == b"grant_type=client_credentials&scope=a+b&resource=x&resource=y"


@pytest.mark.parametrize(
    ("grant", "name"),
    [
        (ClientCredentialsGrant(), "grant_type"),
        (PasswordGrant("johndoe", Secret("p")), "username"),
        (PasswordGrant("johndoe", Secret("p")), "password"),
        (RefreshTokenGrant(Secret("rt")), "refresh_token"),
    ],
)
def test_what_belongs_to_the_grant_is_reserved(grant: Grant, name: str) -> None:
    with pytest.raises(UsageError, match=f"'{name}' is reserved"):
        token_request(ENDPOINT, grant, [(name, "other")])


def test_where_a_server_wants_get_the_parameters_go_into_the_query() -> None:
    assert token_request(ENDPOINT + "?t=1", ClientCredentialsGrant(), method="get") == Request(
        "GET", ENDPOINT + "?t=1&grant_type=client_credentials", (("Accept", "application/json"),)
    )


@pytest.mark.parametrize("method", ["PUT", "DELETE", "", "POST\r\nX: y"])
def test_no_other_method_asks_for_a_token(method: str) -> None:
    with pytest.raises(UsageError, match="POST"):
        token_request(ENDPOINT, ClientCredentialsGrant(), method=method)


def test_headers_given_replace_ours_of_that_name() -> None:
    request = token_request(ENDPOINT, ClientCredentialsGrant(), headers=[("accept", "text/x"), ("X-Trace", "1")])
    assert request.headers == (("Content-Type", FORM), ("accept", "text/x"), ("X-Trace", "1"))


@pytest.mark.parametrize("url", ["http://server.example.com/token", "https://u:p@server.example.com/", "file:///token"])
def test_a_secret_is_not_sent_to_an_endpoint_that_cannot_be(url: str) -> None:
    with pytest.raises(UsageError, match="the token endpoint"):
        token_request(url, ClientCredentialsGrant())


# -- the answer --------------------------------------------------------------------------------------------------------


def test_the_answer_of_rfc_6749_section_5_1_is_a_token() -> None:
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
    got = parse_token(response, asked_at=NOW)
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
        parse_token(Response(400, (), b'{"error":"invalid_grant"}'), asked_at=NOW)
    assert caught.value.status == 400


def test_an_error_wins_over_a_token_with_any_status() -> None:
    with pytest.raises(InvalidGrant):
        token(error="invalid_grant")


@pytest.mark.parametrize("status", [400, 401, 500])
def test_a_token_in_an_answer_that_failed_is_none(status: int) -> None:
    assert problem_of(Response(status, (), answer().body)) == "status"


def test_a_busy_server_says_when_to_come_back_and_a_date_counts_from_the_moment_of_asking() -> None:
    headers = (("Retry-After", "Fri, 15 Jan 2027 08:00:30 GMT"),)
    with pytest.raises(TemporarilyUnavailable) as caught:
        parse_token(Response(503, headers, b"<html>"), asked_at=NOW)
    assert caught.value.retry_after == 30


@pytest.mark.parametrize("name", ["bearer", "BEARER", "BeArEr"])
def test_the_type_of_a_token_is_known_in_any_case(name: str) -> None:
    assert token(token_type=name).token_type == "Bearer"
    assert token(token_type=name).to_dict()["token_type"] == name, "as the server spelt it"
    assert token(token_type=name) == token(token_type="Bearer")
    assert token(token_type="dpop").token_type == "DPoP"


@pytest.mark.parametrize("value", ["mac", "N_A", "", 7, True, ["Bearer"], "Bearer "])
def test_a_type_that_is_not_known_is_refused(value: Any) -> None:
    assert problem_of(answer(token_type=value)) == "token_type_unknown"


def test_a_token_without_a_type_is_refused_and_the_way_out_is_named() -> None:
    with pytest.raises(InvalidResponse, match="access_token_response") as caught:
        parse_token(Response(200, (), b'{"access_token": "a"}'), asked_at=NOW)
    assert caught.value.problem == "token_type_missing"


def test_an_answer_without_an_access_token_is_none() -> None:
    assert problem_of(Response(200, (), b"{}")) == "access_token_missing"
    assert problem_of(answer(access_token=None)) == "access_token_missing"


ODD = ["a b", "a\n", "a\x00", "é", "\ud800", 7, True, ["a"], {"a": 1}]


@pytest.mark.parametrize("value", ["", *ODD])
def test_an_access_token_that_cannot_be_sent_is_refused(value: Any) -> None:
    assert problem_of(answer(access_token=value)) == "access_token_illegal"


@pytest.mark.parametrize("value", ODD)
def test_a_refresh_token_or_id_token_that_cannot_be_sent_is_refused(value: Any) -> None:
    assert problem_of(answer(refresh_token=value)) == "refresh_token_illegal"
    assert problem_of(answer(id_token=value)) == "id_token_illegal"


def test_an_empty_refresh_token_or_id_token_is_none() -> None:
    assert token(refresh_token="", id_token="").refresh_token is None
    assert token(refresh_token="", id_token="").id_token is None
    assert token(id_token="a.b.c").id_token == Secret("a.b.c")


@pytest.mark.parametrize("value", [0, 60, 3600, "3600", "0060", 3600.0, TEN_YEARS])
def test_a_lifetime_is_an_integer_a_numeric_string_or_a_whole_float(value: Any) -> None:
    got = token(expires_in=value)
    assert got.lifetime == float(value)
    assert got.expires_at == NOW + float(value)


@pytest.mark.parametrize(
    "text",
    [
        *("-1", "true", "false", "null", "[]", "{}", '""', '"-1"', '"1e3"', '"3600.0"', '"soon"', '"\\u0663"', "1.5"),
        *("1e400", "-1e400", "1e300", str(TEN_YEARS + 1), "9" * 400, '"' + "9" * 5000 + '"'),
    ],
)
def test_any_other_lifetime_is_unknown_and_never_a_builtin_error(text: str) -> None:
    body = b'{"access_token": "a", "token_type": "Bearer", "expires_in": ' + text.encode() + b"}"
    got = parse_token(Response(200, (), body), asked_at=NOW)
    assert (got.lifetime, got.expires_at) == (None, None)


@pytest.mark.parametrize("text", ["NaN", "Infinity", "9" * 5000])
def test_a_lifetime_that_is_no_json_spoils_the_answer_with_a_typed_error(text: str) -> None:
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
    got = token_of({"access_token": "a", "token_type": "Bearer", "expires_at": value}, asked_at=NOW)
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
def test_a_scope_with_illegal_characters_is_a_typed_error(value: str) -> None:
    assert problem_of(answer(scope=value)) == "scope_illegal"


def test_a_refresh_without_a_new_refresh_token_keeps_the_old_one_and_a_new_one_replaces_it() -> None:
    old = Secret("rt-1")
    assert parse_token(answer(), asked_at=NOW, refresh_token=old).refresh_token == old
    assert parse_token(answer(refresh_token=None), asked_at=NOW, refresh_token=old).refresh_token == old
    assert parse_token(answer(refresh_token="rt-2"), asked_at=NOW, refresh_token=old).refresh_token == Secret("rt-2")


def test_a_repeated_member_is_refused() -> None:
    body = b'{"access_token": "a", "token_type": "Bearer", "access_token": "b"}'
    assert problem_of(Response(200, (), body)) == "duplicate_member"


def test_a_fragment_has_the_same_parser() -> None:
    members = {"access_token": "2YotnFZFEjr1zCsicMWpAA", "token_type": "bearer", "expires_in": "3600"}
    assert token_of(members, asked_at=NOW).expires_at == NOW + 3600


@pytest.mark.parametrize("name", ["access_token", "refresh_token", "id_token", "scope", "token_type"])
def test_no_error_quotes_what_was_in_the_answer(name: str) -> None:
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
def test_whatever_the_answer_it_is_a_token_or_an_error_of_ours(
    status: int, members: dict[str, Any], valid: bool
) -> None:
    body = json.dumps({**(BEARER if valid else {}), **members}).encode()
    answer = Response(status, (("Content-Type", "text/plain"),), body)
    assert said_by(lambda: json.dumps(parse_token(answer, asked_at=NOW).to_dict())).isprintable()


# -- tokens that are bound to a key ------------------------------------------------------------------------------------


def test_a_request_with_a_proof_of_a_key_asks_for_a_token_bound_to_it() -> None:
    plain = token_request(ENDPOINT, ClientCredentialsGrant())
    assert not asks_for_a_bound_token(plain)
    assert asks_for_a_bound_token(plain.with_header("dpop", "a-proof"))


def test_a_sender_constrained_token_was_asked_for_and_bearer_came() -> None:
    with pytest.raises(InvalidResponse, match=r"DPoP proof.*nothing of the answer is kept") as caught:
        parse_token(answer(refresh_token="rt-9"), asked_at=NOW, bound=True)
    assert (caught.value.problem, caught.value.status) == ("not_sender_constrained", 200)
    assert "at-1" not in repr(caught.value) + str(caught.value)
    assert "rt-9" not in repr(caught.value) + str(caught.value)


@pytest.mark.parametrize("spelt", ["DPoP", "dpop", "DPOP"])
def test_a_sender_constrained_token_was_asked_for_and_came(spelt: str) -> None:
    assert parse_token(answer(token_type=spelt), asked_at=NOW, bound=True).token_type == "DPoP"


def test_where_no_bound_token_was_asked_for_one_is_a_token_all_the_same() -> None:
    assert parse_token(answer(token_type="DPoP"), asked_at=NOW).token_type == "DPoP"


def test_an_error_is_an_error_whatever_was_asked_for() -> None:
    with pytest.raises(InvalidGrant):
        parse_token(Response(400, (), b'{"error": "invalid_grant"}'), asked_at=NOW, bound=True)


PASSWORD, CODE = PasswordGrant("u", Secret("p")), AuthorizationCodeGrant(Secret("c"))


@pytest.mark.parametrize(
    ("grant", "scope", "promised", "expected"),
    [
        (PASSWORD, "openid email", None, True),
        (PASSWORD, "email", None, False),
        (CODE, "", Scope(("openid",)), True),
        (CODE, "", Scope(("email",)), False),
        (CODE, "", None, False),
        (ClientCredentialsGrant(), "openid", Scope(("openid",)), False),
    ],
)
def test_an_id_token_is_to_come_where_a_person_was_asked_for_openid(
    grant: Grant, scope: str, promised: Scope | None, expected: bool
) -> None:
    extra = [("scope", scope), ("audience", "openid")] if scope else []
    assert asks_for_an_id_token(grant, extra, promised) is expected


def test_an_answer_without_the_id_token_that_was_asked_for_is_refused() -> None:
    with pytest.raises(InvalidResponse, match="openid") as caught:
        parse_token(answer(), asked_at=NOW, openid=True)
    assert (caught.value.problem, caught.value.status) == ("id_token_missing", 200)
    assert parse_token(answer(id_token="a.b.c"), asked_at=NOW, openid=True).id_token == Secret("a.b.c")

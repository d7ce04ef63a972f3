"""The request for a token: one form for every grant, and what the server is to send for it."""

import pytest

from doorkey.errors import UsageError
from doorkey.protocol.grants import (
    AuthorizationCodeGrant,
    ClientCredentialsGrant,
    Grant,
    PasswordGrant,
    RefreshTokenGrant,
)
from doorkey.protocol.token_endpoint import (
    check_token_types,
    requests_bound_token,
    requests_id_token,
    token_request,
)
from doorkey.values import Scope, Secret
from doorkey.wire.messages import FORM, Request

ENDPOINT = "https://server.example.com/token"


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


def test_a_request_with_a_proof_of_a_key_asks_for_a_token_bound_to_it() -> None:
    plain = token_request(ENDPOINT, ClientCredentialsGrant())
    assert not requests_bound_token(plain)
    assert requests_bound_token(plain.with_header("dpop", "a-proof"))


PASSWORD, CODE = PasswordGrant("u", Secret("p")), AuthorizationCodeGrant(Secret("c"))


@pytest.mark.parametrize(
    ("grant", "scope", "promised", "expected"),
    [
        (PASSWORD, "openid email", None, False),
        (CODE, "openid email", None, True),
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
    assert requests_id_token(grant, extra, promised) is expected


def test_a_header_of_the_caller_replaces_ours_in_any_case() -> None:
    request = token_request(ENDPOINT, ClientCredentialsGrant(), headers=[("accept", "*/*"), ("X", "1"), ("x", "2")])
    assert request.headers == (("Content-Type", FORM), ("accept", "*/*"), ("x", "2"))


def test_a_program_cannot_change_the_meaning_of_a_known_type() -> None:
    assert check_token_types({"Bearer": "DPoP", "User": "bearer"}) == {"user": "Bearer"}

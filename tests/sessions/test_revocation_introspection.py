"""Telling a server that a token is no longer used (RFC 7009), and asking what one is worth (RFC 7662)."""

from typing import Any

import pytest

from doorkey.errors import InvalidResponse, MissingTokenError, ServerError, UnsupportedTokenType, UsageError
from tests.support.contract_servers import Code, Introspecting, Site, on
from tests.support.every_adapter import Adapter, Client
from tests.support.hostile_server import Hostile, reply
from tests.support.session_logins import logged_in

TOKEN = {"access_token": "at-1", "refresh_token": "rt-1"}


@on(Introspecting)
def test_a_server_says_what_a_token_is_worth(adapter: Adapter, site: Site) -> None:
    row = site.ability(Introspecting)
    token = adapter.client(*row.client, scope=row.scope, **site.options).fetch_token()
    asker = adapter.client(*row.asker, **site.options)
    # Where only holders of a token may ask, the asker's own is in the session.
    answer = asker.introspect_token(token=token.access_token, token_type_hint="access_token")
    assert answer.active is True
    assert answer["active"] is True
    assert answer["client_id"] == row.client[0]


@on(Introspecting)
def test_a_token_that_is_none_is_not_active(adapter: Adapter, site: Site) -> None:
    answer = adapter.client(*site.ability(Introspecting).asker, **site.options).introspect_token(token="never-issued")
    assert answer.active is False


@on(Introspecting, Code)
def test_a_revoked_refresh_token_is_dead(adapter: Adapter, site: Site) -> None:
    client = logged_in(adapter, site, site.ability(Code))
    assert client.revoke_token(token_type_hint="refresh_token").status_code == 200
    with pytest.raises(ServerError, match=r"^invalid_grant"):
        client.refresh_token()


@on(Code)
def test_revoking_what_was_never_issued_is_no_error(adapter: Adapter, site: Site) -> None:
    client = adapter.client(*site.ability(Code).client, **site.options)
    assert client.revoke_token(token="never-issued").status_code == 200


@pytest.fixture
def client(adapter: Adapter, hostile: Hostile) -> Client:
    hostile.on("/revoke", reply(200))
    hostile.on("/introspect", reply(json={"active": True, "scope": "a"}))
    return adapter.client(
        "c",
        "s",
        token=TOKEN,
        revocation_endpoint=hostile.url("/revoke"),
        introspection_endpoint=hostile.url("/introspect"),
    )


def test_the_sessions_refresh_token_is_meant_unless_another_is_named(client: Client, hostile: Hostile) -> None:
    client.revoke_token()
    client.revoke_token(token="other", token_type_hint="access_token")
    client.introspect_token(body={"x": "1"}, y="2")
    forms = [request.form for request in hostile.received]
    assert forms == [
        {"token": "rt-1"},
        {"token": "other", "token_type_hint": "access_token"},
        {"token": "rt-1", "x": "1", "y": "2"},
    ]
    assert {request.header("authorization") for request in hostile.received} == {"Basic Yzpz"}
    assert {request.header("content-type") for request in hostile.received} == {"application/x-www-form-urlencoded"}


def test_revocation_has_a_client_authentication_of_its_own(adapter: Adapter, hostile: Hostile) -> None:
    hostile.on("/revoke", reply(200))
    client = adapter.client("c", "s", token=TOKEN, revocation_endpoint_auth_method="client_secret_post")
    client.revoke_token(hostile.url("/revoke"))
    client.revoke_token(hostile.url("/revoke"), auth="none")
    assert hostile.received[0].form["client_secret"] == "s"
    assert "client_secret" not in hostile.received[1].form


def test_the_response_of_a_revocation_is_the_http_librarys_own(client: Client) -> None:
    assert isinstance(client.revoke_token(), client.kind.library.Response)


def test_a_refused_revocation_is_typed(client: Client, hostile: Hostile) -> None:
    hostile.on("/revoke", reply(400, json={"error": "unsupported_token_type"}))
    with pytest.raises(UnsupportedTokenType):
        client.revoke_token()
    hostile.on("/revoke", reply(500, "oops"))
    with pytest.raises(InvalidResponse, match="HTTP 500"):
        client.revoke_token()


def test_the_body_of_a_successful_revocation_means_nothing(client: Client, hostile: Hostile) -> None:
    keycloaks = reply(200, json={"error": "invalid_token", "error_description": "Invalid token"})
    for answer in (reply(200, "OK"), reply(200, "<html>"), reply(204), reply(200, "[]"), keycloaks):
        hostile.on("/revoke", answer)
        client.revoke_token()


@pytest.mark.parametrize("members", [{}, {"active": "true"}, {"active": 1}, {"active": None}, {"scope": "a"}])
def test_an_introspection_that_says_not_whether_it_is_active_denies(
    client: Client, hostile: Hostile, members: dict[str, Any]
) -> None:
    hostile.on("/introspect", reply(json=members))
    with pytest.raises(InvalidResponse) as error:
        client.introspect_token()
    assert error.value.problem == "active_missing"


def test_without_a_token_or_an_endpoint_nothing_is_sent(adapter: Adapter, hostile: Hostile) -> None:
    client = adapter.client()
    for call in (client.revoke_token, client.introspect_token):
        with pytest.raises(UsageError, match="endpoint"):
            call()
        with pytest.raises(MissingTokenError):
            call(hostile.url("/any"))
    assert hostile.received == []


@pytest.mark.parametrize("illegal", ["a\tb", "a\r\nb", "ü"])
def test_a_token_that_cannot_be_one_is_not_sent(client: Client, hostile: Hostile, illegal: str) -> None:
    with pytest.raises(UsageError):
        client.introspect_token(token=illegal)
    assert hostile.received == []

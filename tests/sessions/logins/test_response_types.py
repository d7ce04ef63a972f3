"""Authorization responses of every response type, read by one parser (OpenID Connect Core §3.2, §3.3)."""

import urllib.parse
from typing import Any

import pytest

from doorkey.errors import AccessDenied, MismatchingStateError, UsageError, VerificationError
from tests.support.every_adapter import Adapter, Client
from tests.support.hostile_server import Hostile, token

HOME = "https://rp.example/cb"
ID_TOKEN = "header.claims.signature"


@pytest.fixture
def client(adapter: Adapter, hostile: Hostile) -> Client:
    hostile.on("/token", token("at-1", id_token="from.token.endpoint"))
    return adapter.client(
        token_endpoint=hostile.token_endpoint,
        authorization_endpoint=hostile.url("/authorize"),
        redirect_uri=HOME,
        scope="openid",
        code_challenge_method="S256",
    )


def begin(client: Client, **parameters: Any) -> str:
    state: str = client.create_authorization_url(**parameters)[1]
    return state


def fragment(**parameters: str) -> str:
    return f"{HOME}#{urllib.parse.urlencode(parameters)}"


def test_an_id_token_from_the_authorization_endpoint_is_readable(client: Client, hostile: Hostile) -> None:
    state = begin(client, response_type="id_token")
    response = client.native.parse_authorization_response(fragment(id_token=ID_TOKEN, state=state))
    assert (response.id_token, response.code, response.access_token) == (ID_TOKEN, None, None)
    assert ID_TOKEN not in repr(response)
    assert hostile.received == []


def test_an_id_token_alone_is_no_token_to_fetch_and_the_error_says_how_to_read_it(
    client: Client, hostile: Hostile
) -> None:
    state = begin(client, response_type="id_token")
    callback = fragment(id_token=ID_TOKEN, state=state)
    with pytest.raises(UsageError, match=r"parse_authorization_response\(\)"):
        client.fetch_token(authorization_response=callback)
    assert client.native.parse_authorization_response(callback).id_token == ID_TOKEN, "the state was not used up"
    assert hostile.received == []


@pytest.mark.parametrize("response_type", ["code id_token", "code id_token token"])
def test_a_hybrid_response_is_read_and_then_its_code_is_exchanged(
    client: Client, hostile: Hostile, response_type: str
) -> None:
    state = begin(client, response_type=response_type)
    front = {"code": "c-1", "id_token": ID_TOKEN, "state": state}
    if "id_token token" in response_type:
        front |= {"access_token": "front-at", "token_type": "Bearer"}
    response = client.native.parse_authorization_response(fragment(**front))
    assert (response.code, response.id_token, response.access_token) == ("c-1", ID_TOKEN, front.get("access_token"))
    assert client.fetch_token(authorization_response=response)["id_token"] == "from.token.endpoint"
    (request,) = hostile.token_requests
    assert (request.form["code"], request.form["redirect_uri"]) == ("c-1", HOME)
    assert request.form["code_verifier"]


def test_a_parsed_response_is_exchanged_once_and_by_its_own_session(
    adapter: Adapter, client: Client, hostile: Hostile
) -> None:
    state = begin(client)
    response = client.native.parse_authorization_response(f"{HOME}?code=c-1&state={state}")
    other = adapter.client(token_endpoint=hostile.token_endpoint)
    with pytest.raises(UsageError, match="another session"):
        other.fetch_token(authorization_response=response)
    client.fetch_token(authorization_response=response)
    with pytest.raises(VerificationError, match="exchanged already"):
        client.fetch_token(authorization_response=response)
    assert len(hostile.token_requests) == 1


def test_a_response_of_form_post_is_a_mapping(client: Client, hostile: Hostile) -> None:
    state = begin(client, response_mode="form_post")
    assert client.fetch_token(authorization_response={"code": "c-1", "state": state}).access_token == "at-1"
    assert hostile.token_requests[0].form["code"] == "c-1"


def test_a_form_post_login_is_finished_by_its_transaction(client: Client, hostile: Hostile) -> None:
    login = client.begin_authorization(response_mode="form_post")
    assert "response_mode=form_post" in login.url
    posted = {"code": "c-1", "state": login.state}
    response = client.native.parse_authorization_response(posted, transaction=login)
    assert client.fetch_token(authorization_response=response).access_token == "at-1"
    assert hostile.token_requests[0].form["code_verifier"] == login.code_verifier.reveal()
    with pytest.raises(VerificationError, match="finished already"):
        client.fetch_token(authorization_response=posted, transaction=login)


def test_a_posted_id_token_with_a_token_is_the_token(client: Client, hostile: Hostile) -> None:
    state = begin(client, response_type="id_token token", response_mode="form_post")
    posted = {"access_token": "front-at", "token_type": "Bearer", "id_token": ID_TOKEN, "state": state}
    assert client.fetch_token(authorization_response=posted).id_token == ID_TOKEN
    assert client.access_token == "front-at"
    assert hostile.received == []


def test_a_posted_form_is_checked_like_a_url(client: Client, hostile: Hostile) -> None:
    state = begin(client, response_mode="form_post")
    with pytest.raises(MismatchingStateError):
        client.fetch_token(authorization_response={"code": "c", "state": "never-sent"})
    with pytest.raises(VerificationError, match="more than once"):
        client.fetch_token(authorization_response={"code": ["c", "d"], "state": state})
    state = begin(client, response_mode="form_post")
    with pytest.raises(AccessDenied):
        client.fetch_token(authorization_response={"error": "access_denied", "state": state})
    assert hostile.received == []


def test_a_response_without_the_promised_id_token_is_refused(client: Client) -> None:
    state = begin(client, response_type="code id_token")
    with pytest.raises(VerificationError, match="id_token is missing"):
        client.native.parse_authorization_response(fragment(code="c-1", state=state))


@pytest.mark.parametrize("wrong", [7, None, b"https://rp.example/cb?code=c", ["code"]])
def test_a_callback_that_is_neither_a_url_nor_a_form_is_a_usage_error(client: Client, wrong: Any) -> None:
    with pytest.raises(UsageError, match="authorization_response"):
        client.native.parse_authorization_response(wrong)

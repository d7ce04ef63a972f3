"""Parameters of authorization requests: from the session's options, from a call, and carried to the token request."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from doorkey.errors import UsageError
from doorkey.protocol.authorization import AuthorizationTransaction
from tests.support.every_adapter import Adapter
from tests.support.hostile_server import Hostile, token

HOME = "https://rp.example/cb"
AUTHORIZE = "https://as.example/authorize"
OPTIONS: dict[str, Any] = {
    "prompt": "select_account",
    "login_hint": "alice@example.com",
    "nonce": "n-0S6_WzA2Mj",
    "response_mode": "form_post",
    "display": "page",
    "max_age": 300,
    "ui_locales": "fr en",
    "acr_values": "urn:mace:silver",
}


def query(url: str) -> dict[str, list[str]]:
    return parse_qs(urlsplit(url).query)


def test_options_of_the_session_are_parameters_of_every_authorization_request(adapter: Adapter) -> None:
    client = adapter.client(authorization_endpoint=AUTHORIZE, redirect_uri=HOME, **OPTIONS)
    for url in (client.create_authorization_url()[0], client.begin_authorization().url):
        sent = query(url)
        assert {name: sent[name] for name in OPTIONS} == {name: [str(value)] for name, value in OPTIONS.items()}
    assert client.begin_authorization().nonce == OPTIONS["nonce"]


def test_an_argument_of_a_call_replaces_the_option_of_the_session(adapter: Adapter) -> None:
    client = adapter.client(authorization_endpoint=AUTHORIZE, redirect_uri=HOME, prompt="login", login_hint="alice")
    sent = query(client.create_authorization_url(prompt="consent")[0])
    assert (sent["prompt"], sent["login_hint"]) == (["consent"], ["alice"])


def test_a_response_mode_of_the_session_says_where_the_response_is_read(adapter: Adapter, hostile: Hostile) -> None:
    hostile.on("/token", token("at-1"))
    endpoints = {"authorization_endpoint": AUTHORIZE, "token_endpoint": hostile.token_endpoint}
    client = adapter.client(**endpoints, redirect_uri=HOME, response_mode="fragment")
    state = client.create_authorization_url()[1]
    assert client.fetch_token(authorization_response=f"{HOME}#code=c&state={state}").access_token == "at-1"


@pytest.mark.parametrize("wrong", [{"prompt": object()}, {"max_age": object()}, {"login_hint": {}}])
def test_an_option_that_no_url_can_hold_is_a_usage_error(adapter: Adapter, wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=next(iter(wrong))):
        adapter.client(**wrong)


@pytest.mark.parametrize("resource", ["https://api.example", ["https://api.example", "https://other.example"]])
def test_the_resource_of_a_login_is_sent_to_the_token_endpoint_and_repeated_by_renewals(
    adapter: Adapter, hostile: Hostile, resource: str | list[str]
) -> None:
    hostile.on("/token", token("at-1", refresh_token="rt-1"))
    wanted = [resource] if isinstance(resource, str) else resource
    client = adapter.client(token_endpoint=hostile.token_endpoint, authorization_endpoint=AUTHORIZE, redirect_uri=HOME)
    login = AuthorizationTransaction.from_json(client.begin_authorization(resource=resource).to_json())
    assert query(login.url)["resource"] == wanted
    client.fetch_token(authorization_response=f"{HOME}?code=c&state={login.state}", transaction=login)
    client.refresh_token()
    for request in hostile.token_requests:
        assert parse_qs(request.body.decode())["resource"] == wanted


def test_a_resource_of_the_same_session_is_carried_too_and_one_of_the_call_wins(
    adapter: Adapter, hostile: Hostile
) -> None:
    hostile.on("/token", token("at-1"))
    client = adapter.client(token_endpoint=hostile.token_endpoint, authorization_endpoint=AUTHORIZE, redirect_uri=HOME)
    for given, sent in (
        ({}, "https://api.example"),
        ({"resource": "https://one.example"}, "https://one.example"),
        ({"body": {"resource": "https://two.example"}}, "https://two.example"),
    ):
        state = client.create_authorization_url(resource="https://api.example")[1]
        client.fetch_token(authorization_response=f"{HOME}?code=c&state={state}", **given)
        assert hostile.token_requests[-1].form["resource"] == sent

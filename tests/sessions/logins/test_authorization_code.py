"""The authorization code grant, from the URL to the token, through the login pages of each server (RFC 6749 §4.1)."""

import urllib.parse

import pytest

from doorkey.errors import InvalidGrant, MismatchingStateError, OAuthError, UsageError
from doorkey.protocol.authorization import AuthorizationTransaction
from tests.servers.handle import CALLBACK
from tests.support.contract_servers import EMBEDDED, Code, Site, on
from tests.support.every_adapter import Adapter


def nonce_in(url: str) -> str:
    return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(url).query))["nonce"]


@on(Code)
def test_a_transaction_is_finished_by_another_session_in_another_process(adapter: Adapter, site: Site) -> None:
    grant = site.ability(Code)
    begun = adapter.client(*grant.client, scope=grant.scope, **site.options).begin_authorization()
    stored = begun.to_json()
    callback = site.log_in(begun.url)

    client = adapter.client(*grant.client, **site.options)
    restored = AuthorizationTransaction.from_json(stored)
    token = client.fetch_token(authorization_response=callback, transaction=restored)
    assert token["access_token"]
    assert token["id_token"]
    assert client.token is token


@on(Code)
def test_one_session_goes_all_the_way_with_pkce(adapter: Adapter, site: Site) -> None:
    grant = site.ability(Code)
    client = adapter.client(*grant.client, scope=grant.scope, code_challenge_method="S256", **site.options)
    url, state = client.create_authorization_url()
    assert "code_challenge_method=S256" in url
    assert f"state={state}" in url
    callback = site.log_in(url)
    assert client.fetch_token(authorization_response=callback)["access_token"]


@on(Code)
def test_a_second_session_finishes_with_state_and_verifier(adapter: Adapter, site: Site) -> None:
    grant = site.ability(Code)
    verifier = "v" * 64
    first = adapter.client(*grant.client, scope=grant.scope, **site.options)
    url, state = first.create_authorization_url(code_verifier=verifier)
    callback = site.log_in(url)
    second = adapter.client(*grant.client, scope=grant.scope, **site.options)
    sent = {"state": state, "code_verifier": verifier}
    with pytest.raises(UsageError, match="nonce"):
        second.fetch_token(authorization_response=callback, **sent)
    assert second.fetch_token(authorization_response=callback, nonce=nonce_in(url), **sent)["access_token"]


@on(Code, only=(EMBEDDED,))
def test_a_second_session_constructed_with_only_the_state_finishes(adapter: Adapter, site: Site) -> None:
    grant = site.ability(Code)
    url, state = adapter.client(*grant.client, **site.options).create_authorization_url()
    callback = site.log_in(url)
    second = adapter.client(*grant.client, state=state, **site.options)
    assert second.fetch_access_token(site.token_endpoint, authorization_response=callback)["access_token"]


@on(Code)
def test_a_code_works_once(adapter: Adapter, site: Site) -> None:
    grant = site.ability(Code)
    client = adapter.client(*grant.client, scope=grant.scope, **site.options)
    begun = client.begin_authorization()
    callback = site.log_in(begun.url)
    client.fetch_token(authorization_response=callback, transaction=begun)
    elsewhere = adapter.client(*grant.client, scope=grant.scope, **site.options)
    with pytest.raises(InvalidGrant):
        elsewhere.fetch_token(authorization_response=callback, transaction=begun)


@on(Code)
def test_the_wrong_verifier_gets_no_token(adapter: Adapter, site: Site) -> None:
    grant = site.ability(Code)
    client = adapter.client(*grant.client, scope=grant.scope, **site.options)
    url, state = client.create_authorization_url(code_verifier="v" * 64)
    callback = site.log_in(url)
    other = adapter.client(*grant.client, scope=grant.scope, **site.options)
    with pytest.raises(OAuthError, match=r"^invalid_grant"):
        other.fetch_token(authorization_response=callback, state=state, code_verifier="w" * 64, nonce=nonce_in(url))


@on(Code)
def test_the_callback_of_another_login_is_refused_before_any_request(adapter: Adapter, site: Site) -> None:
    grant = site.ability(Code)
    client = adapter.client(*grant.client, scope=grant.scope, **site.options)
    callback = site.log_in(client.begin_authorization().url)
    with pytest.raises(MismatchingStateError):
        client.fetch_token(authorization_response=callback, transaction=client.begin_authorization())


@on(Code)
def test_a_server_that_names_itself_is_recognized(adapter: Adapter, site: Site) -> None:
    grant = site.ability(Code)
    begun = adapter.client(*grant.client, scope=grant.scope, **site.options).begin_authorization()
    callback = site.log_in(begun.url)
    assert ("iss=" in callback) is grant.names_itself
    assert begun.issuer == site.issuer


def test_two_logins_of_one_session_finish_in_any_order(adapter: Adapter, embedded: Site) -> None:
    grant = embedded.ability(Code)
    client = adapter.client(*grant.client, code_challenge_method="S256", **embedded.options)
    urls = [client.create_authorization_url()[0] for _ in range(2)]
    callbacks = [embedded.log_in(url) for url in urls]
    tokens = [client.fetch_token(authorization_response=callback) for callback in reversed(callbacks)]
    assert tokens[0].access_token != tokens[1].access_token


def test_the_redirect_uri_of_the_request_is_sent_with_the_code(adapter: Adapter, embedded: Site) -> None:
    grant = embedded.ability(Code)
    options = {**embedded.options, "redirect_uri": None}
    client = adapter.client(*grant.client, **options)
    url, _ = client.create_authorization_url(redirect_uri=CALLBACK)
    callback = embedded.log_in(url)
    assert client.fetch_token(authorization_response=callback)["access_token"]

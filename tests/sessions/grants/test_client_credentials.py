"""The client credentials grant (RFC 6749 §4.4)."""

import pytest

from doorkey.errors import InvalidClient, OAuthError, UsageError
from tests.support.contract_servers import EMBEDDED, KEYCLOAK, ClientCredentials, Site, on
from tests.support.every_adapter import Adapter
from tests.support.hostile_server import Hostile, token


@on(ClientCredentials)
def test_without_anything_else_the_client_asks_for_itself(adapter: Adapter, site: Site) -> None:
    grant = site.ability(ClientCredentials)
    client = adapter.client(*grant.client, **site.options)
    assert client.fetch_token() is client.token
    assert client.fetch_token(site.token_endpoint, grant_type="client_credentials")["access_token"]


@on(ClientCredentials)
def test_a_wrong_secret_is_invalid_client(adapter: Adapter, site: Site) -> None:
    client_id, _ = site.ability(ClientCredentials).client
    client = adapter.client(client_id, "not the secret", **site.options)
    with pytest.raises(OAuthError) as refused:
        client.fetch_token()
    assert refused.value.error in ("invalid_client", "unauthorized_client")
    assert client.token is None


def test_a_wrong_secret_has_a_class_of_its_own(adapter: Adapter, hostile: Hostile) -> None:
    from tests.support.hostile_server import reply

    hostile.on("/token", reply(401, json={"error": "invalid_client"}))
    with pytest.raises(InvalidClient, match=r"^invalid_client$"):
        adapter.client(client_secret="another", token_endpoint=hostile.token_endpoint).fetch_token()


@on(ClientCredentials, only=(EMBEDDED, KEYCLOAK))
def test_the_scope_of_the_session_is_asked_for_and_that_of_the_call_instead(adapter: Adapter, site: Site) -> None:
    grant = site.ability(ClientCredentials)
    client = adapter.client(*grant.client, scope=grant.scope, **site.options)
    assert "scope-1" in client.fetch_token()["scope"].split()
    assert "scope-1" not in client.fetch_token(scope="profile")["scope"].split()


def test_what_was_inferred_once_does_not_stick(adapter: Adapter, hostile: Hostile) -> None:
    hostile.on("/token", token())
    client = adapter.client(token_endpoint=hostile.token_endpoint)
    client.fetch_token(username="u", password="p")
    client.fetch_token()
    client.fetch_token(code="a-code")
    client.fetch_token()
    asked = [request.form["grant_type"] for request in hostile.token_requests]
    assert asked == ["password", "client_credentials", "authorization_code", "client_credentials"]


def test_the_sessions_grant_type_is_taken_where_nothing_else_says(adapter: Adapter, hostile: Hostile) -> None:
    hostile.on("/token", token())
    client = adapter.client(token_endpoint=hostile.token_endpoint, grant_type="urn:example:robot")
    client.fetch_token(robot="r2")
    assert hostile.token_requests[0].form["grant_type"] == "urn:example:robot"
    assert hostile.token_requests[0].form["robot"] == "r2"


def test_repeated_parameters_survive_in_order(adapter: Adapter, hostile: Hostile) -> None:
    hostile.on("/token", token())
    client = adapter.client(token_endpoint=hostile.token_endpoint)
    client.fetch_token(resource=["https://a.example/", "https://b.example/"], scope=["x", "y"])
    body = hostile.token_requests[0].body.decode()
    assert "resource=https%3A%2F%2Fa.example%2F&resource=https%3A%2F%2Fb.example%2F" in body
    assert "scope=x+y" in body


def test_no_endpoint_anywhere_is_named(adapter: Adapter) -> None:
    with pytest.raises(UsageError, match="token endpoint"):
        adapter.client().fetch_token()

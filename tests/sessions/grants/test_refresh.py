"""Explicit refreshes (RFC 6749 §6)."""

import pytest

from doorkey.errors import InvalidGrant, MissingTokenError, OAuthError
from tests.support.contract_servers import EMBEDDED, KEYCLOAK, Password, Rotating, Site, on
from tests.support.every_adapter import Adapter
from tests.support.hostile_server import Hostile, reply, token
from tests.support.session_logins import issuer_of, logged_in


@on(Password)
def test_a_refresh_brings_another_token(adapter: Adapter, site: Site) -> None:
    grant = site.ability(Password)
    client = adapter.client(*grant.client, **site.options)
    first = client.fetch_token(username=grant.user[0], password=grant.user[1])
    second = client.refresh_token()
    assert second.access_token != first.access_token
    assert client.token == second
    assert second.refresh_token


@on(Rotating)
def test_a_rotated_refresh_token_is_kept_and_works_in_its_turn(adapter: Adapter, site: Site) -> None:
    rotating = site.ability(Rotating)
    client = logged_in(adapter, site, rotating.code, issuer_of(site, rotating))
    used: list[str | None] = []
    for _ in range(3):
        assert client.token is not None
        used.append(client.token.refresh_token)
        client.refresh_token()
    assert None not in used
    assert len(set(used)) == 3


@on(Rotating)
def test_a_used_refresh_token_is_refused(adapter: Adapter, site: Site) -> None:
    rotating = site.ability(Rotating)
    client = logged_in(adapter, site, rotating.code, issuer_of(site, rotating))
    assert client.token is not None
    used = client.token.refresh_token
    client.refresh_token()
    with pytest.raises(InvalidGrant):
        client.refresh_token(refresh_token=used)


@on(Password, only=(EMBEDDED, KEYCLOAK))
def test_a_removed_session_is_the_documents_error(adapter: Adapter, site: Site) -> None:
    client = adapter.client("admin-cli", **site.options)
    token = client.fetch_token(username="admin", password="admin")
    url = f"{site.origin}/admin/realms/master/sessions/{token['session_state']}"
    assert client.request("DELETE", url).status_code == 204
    with pytest.raises(OAuthError) as refused:
        client.refresh_token()
    assert str(refused.value) == "invalid_grant: Session not active"
    assert type(refused.value) is InvalidGrant


def test_a_refresh_through_fetch_token_is_the_same(adapter: Adapter, hostile: Hostile) -> None:
    hostile.on("/token", token("at-2"))
    client = adapter.client(token={"access_token": "at-1", "refresh_token": "rt-1"})
    client.fetch_token(hostile.token_endpoint, grant_type="refresh_token", refresh_token="rt-1")
    form = hostile.token_requests[0].form
    assert form == {"grant_type": "refresh_token", "refresh_token": "rt-1", "client_id": "a-client"}
    assert client.access_token == "at-2"


def test_where_no_new_refresh_token_comes_the_old_one_stays(adapter: Adapter, hostile: Hostile) -> None:
    hostile.on("/token", token("at-2"))
    client = adapter.client(token={"access_token": "at-1", "refresh_token": "rt-1"})
    assert client.refresh_token(hostile.token_endpoint).refresh_token == "rt-1"


def test_an_empty_refresh_token_is_none_and_the_old_one_stays(adapter: Adapter, hostile: Hostile) -> None:
    hostile.on("/token", token("at-2", refresh_token=""))
    client = adapter.client(token={"access_token": "at-1", "refresh_token": "rt-1"})
    assert client.refresh_token(hostile.token_endpoint).refresh_token == "rt-1"


def test_where_no_scope_comes_the_old_one_is_still_granted(adapter: Adapter, hostile: Hostile) -> None:
    hostile.on("/token", token("at-2"), token("at-3", scope="a"))
    client = adapter.client(token={"access_token": "at-1", "refresh_token": "rt-1", "scope": "a b"})
    assert client.refresh_token(hostile.token_endpoint).scope == "a b"
    assert client.refresh_token(hostile.token_endpoint).scope == "a"


def test_a_narrower_scope_can_be_asked_for(adapter: Adapter, hostile: Hostile) -> None:
    hostile.on("/token", token("at-2"))
    client = adapter.client(token={"access_token": "at-1", "refresh_token": "rt-1"}, scope="a b")
    client.refresh_token(hostile.token_endpoint, scope="a", body={"audience": "api"})
    form = hostile.token_requests[0].form
    assert form["scope"] == "a"
    assert form["audience"] == "api"


def test_another_refresh_token_can_be_given(adapter: Adapter, hostile: Hostile) -> None:
    hostile.on("/token", token("at-2"))
    client = adapter.client(token_endpoint=hostile.token_endpoint)
    assert client.refresh_token(refresh_token="from-a-store").refresh_token == "from-a-store"
    assert hostile.token_requests[0].form["refresh_token"] == "from-a-store"


def test_without_a_refresh_token_nothing_is_sent(adapter: Adapter, hostile: Hostile) -> None:
    client = adapter.client(token_endpoint=hostile.token_endpoint)
    with pytest.raises(MissingTokenError):
        client.refresh_token()
    client.token = {"access_token": "at-1"}
    with pytest.raises(MissingTokenError):
        client.refresh_token()
    assert hostile.received == []


def test_a_refused_refresh_keeps_the_token_that_is_there(adapter: Adapter, hostile: Hostile) -> None:
    hostile.on("/token", reply(400, json={"error": "invalid_grant"}))
    client = adapter.client(
        token={"access_token": "at-1", "refresh_token": "rt-1"}, token_endpoint=hostile.token_endpoint
    )
    with pytest.raises(InvalidGrant):
        client.refresh_token()
    assert client.access_token == "at-1"


def test_a_session_without_a_token_says_so_before_it_asks_for_an_endpoint(adapter: Adapter) -> None:
    with pytest.raises(MissingTokenError):
        adapter.client().refresh_token()

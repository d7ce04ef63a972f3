"""The password grant (RFC 6749 §4.3)."""

import pytest

from doorkey.errors import InvalidGrant, ServerError, UsageError
from tests.support.contract_servers import EMBEDDED, KEYCLOAK, Password, Site, on
from tests.support.every_adapter import Adapter


@on(Password)
def test_a_name_and_a_password_bring_a_token_that_is_kept(adapter: Adapter, site: Site) -> None:
    grant = site.ability(Password)
    client = adapter.client(*grant.client, **site.options)
    token = client.fetch_token(username=grant.user[0], password=grant.user[1])
    assert client.token is token
    assert token["access_token"] == token.access_token
    assert token["token_type"] == "Bearer"
    assert token["refresh_token"]
    assert not token.is_expired(now=site.clock())


@on(Password)
def test_the_expiry_counts_from_the_moment_of_asking(adapter: Adapter, site: Site) -> None:
    grant = site.ability(Password)
    client = adapter.client(*grant.client, **site.options)
    before = site.clock()
    token = client.fetch_token(username=grant.user[0], password=grant.user[1])
    assert before + token["expires_in"] - 1 <= token["expires_at"] <= site.clock() + token["expires_in"]


@on(Password)
def test_a_wrong_password_is_the_servers_refusal_in_its_own_words(adapter: Adapter, site: Site) -> None:
    grant = site.ability(Password)
    client = adapter.client(*grant.client, **site.options)
    with pytest.raises(ServerError) as refused:
        client.fetch_token(username=grant.user[0], password="not the password")
    assert refused.value.status in (400, 401)
    assert str(refused.value).startswith("invalid_grant: ")
    assert isinstance(refused.value, InvalidGrant)
    assert client.token is None


@on(Password, only=(EMBEDDED, KEYCLOAK))
def test_extra_parameters_reach_the_server(adapter: Adapter, site: Site) -> None:
    grant = site.ability(Password)
    client = adapter.client(*grant.client, **site.options)
    token = client.fetch_token(username=grant.user[0], password=grant.user[1], scope="openid")
    assert token["id_token"]
    assert "openid" in token["scope"].split()


def test_a_reserved_parameter_cannot_be_overridden(adapter: Adapter, embedded: Site) -> None:
    client = adapter.client("admin-cli", **embedded.options)
    with pytest.raises(UsageError, match="'username' is reserved"):
        client.fetch_token(username="admin", password="admin", body={"username": "another"})
    assert embedded.provider is not None
    assert embedded.provider.token_requests == 0


def test_a_body_is_further_parameters_as_text_or_mapping(adapter: Adapter, embedded: Site) -> None:
    client = adapter.client("admin-cli", **embedded.options)
    for body in ("scope=openid", {"scope": "openid"}):
        assert client.fetch_token(username="admin", password="admin", body=body)["id_token"]

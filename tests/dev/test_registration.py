"""Clients that register themselves at a provider: `register_client` and its relatives against the real endpoints."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from doorkey import OAuth2Session, RegisteredClient, Secret, aregister_client, discover, register_client
from doorkey.dev import Provider
from doorkey.dev.config import parse_config
from doorkey.errors import InvalidClient, InvalidToken, ServerError, TemporarilyUnavailable, UsageError
from doorkey.integrations.httpx_client import AsyncOAuth2Client
from doorkey.protocol.registration import InvalidClientMetadata, InvalidRedirectURI
from doorkey.registration import (
    adelete_client,
    aread_client,
    aupdate_client,
    delete_client,
    read_client,
    update_client,
)
from doorkey.server.storage import registered
from tests.support.changed_text import with_changed

CALLBACK = "http://127.0.0.1/cb"


@pytest.fixture(scope="module")
def open_provider() -> Iterator[Provider]:
    with Provider() as provider:
        yield provider


def native(provider: Provider, **more: Any) -> RegisteredClient:
    return register_client(
        provider.issuer, redirect_uris=[CALLBACK], token_endpoint_auth_method="none", client_name="Tool", **more
    )


def test_a_native_application_registers_itself_and_logs_a_user_in(
    open_provider: Provider, http: requests.Session
) -> None:
    client = native(open_provider, grant_types=["authorization_code", "refresh_token"])
    assert (client.client_secret, client.metadata["client_name"]) == (None, "Tool")
    with OAuth2Session(
        client.client_id,
        redirect_uri="http://127.0.0.1:4711/cb",  # any port (RFC 8252 §7.3)
        scope="openid",
        issuer=open_provider.issuer,
        token_endpoint_auth_method="none",
    ) as session:
        login = session.begin_authorization()
        token = session.fetch_token(authorization_response=open_provider.log_in(login.url, "alice"), transaction=login)
        assert token["scope"].split()[0] == "openid"
        assert session.get(open_provider.userinfo_endpoint).json()["preferred_username"] == "alice"
        headers = {"Authorization": f"Bearer {session.refresh_token()['access_token']}"}
        delete_client(client)
        assert http.get(open_provider.userinfo_endpoint, headers=headers).status_code == 401
        with pytest.raises(InvalidClient):
            session.refresh_token()


def test_a_confidential_client_gets_a_secret_that_works(open_provider: Provider) -> None:
    client = register_client(open_provider.issuer, grant_types=["client_credentials"], scope=["profile"])
    assert client.client_secret
    assert client.client_secret_expires_at is None
    with OAuth2Session(client.client_id, client.client_secret.reveal(), issuer=open_provider.issuer) as session:
        assert session.fetch_token()["token_type"] == "Bearer"
    changed = update_client(client, client_name="Batch")
    assert changed.client_secret == client.client_secret
    assert changed.metadata == {**client.metadata, "client_name": "Batch"}
    assert update_client(changed, token_endpoint_auth_method="client_secret_post").client_secret == client.client_secret
    with pytest.raises(InvalidClientMetadata, match="client_credentials needs"):
        update_client(changed, token_endpoint_auth_method="none")


def test_the_awaiting_twins_do_the_same(open_provider: Provider) -> None:
    async def life() -> None:
        client = await aregister_client(open_provider.issuer, redirect_uris=[CALLBACK])
        assert await aread_client(client) == client
        changed = await aupdate_client(client, client_name="Other")
        assert changed.metadata["client_name"] == "Other"
        async with AsyncOAuth2Client(client.client_id, client.client_secret, issuer=open_provider.issuer) as session:
            with pytest.raises(ServerError):
                await session.fetch_token(grant_type="client_credentials")  # not registered for it
        await adelete_client(changed)
        with pytest.raises(InvalidToken):
            await aread_client(changed)

    asyncio.run(life())


def test_the_errors_are_those_of_rfc_7591(open_provider: Provider) -> None:
    with pytest.raises(InvalidRedirectURI, match="plain http"):
        register_client(open_provider.issuer, redirect_uris=["http://app.example/cb"])
    with pytest.raises(InvalidClientMetadata, match="grant_types"):
        register_client(open_provider.issuer, redirect_uris=[CALLBACK], grant_types=["password"])
    with pytest.raises(InvalidClientMetadata, match="id_token_signed_response_alg"):
        register_client(open_provider.issuer, redirect_uris=[CALLBACK], id_token_signed_response_alg="ES384")
    with pytest.raises(ServerError, match="unapproved_software_statement"):
        register_client(open_provider.issuer, redirect_uris=[CALLBACK], software_statement="e30.e30.")


@pytest.mark.parametrize(
    ("body", "media_type"),
    [
        (b"{}", "text/plain"),  # what a page elsewhere may post
        (b"redirect_uris=x", "application/x-www-form-urlencoded"),
        (b"[]", "application/json"),
        (b'{"a": 1, "a": 2}', "application/json"),
        (b"\xff", "application/json"),
        (b"", "application/json"),
    ],
)
def test_a_body_that_is_no_registration_is_an_error(
    open_provider: Provider, http: requests.Session, body: bytes, media_type: str
) -> None:
    sent = http.post(open_provider.registration_endpoint, body, headers={"Content-Type": media_type})
    assert (sent.status_code, sent.json()["error"]) == (400, "invalid_client_metadata")
    assert sent.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "change",
    [
        {"client_id": "other"},
        {"client_id": None},
        {"client_secret": "another"},
        {"client_secret": 5},
        {"registration_access_token": "t"},
        {"registration_client_uri": "https://evil.example/"},
        {"client_secret_expires_at": 1},
    ],
    ids=str,
)
def test_an_update_names_the_client_and_sets_nothing_that_the_server_issues(
    open_provider: Provider, http: requests.Session, change: dict[str, Any]
) -> None:
    client = register_client(open_provider.issuer, redirect_uris=[CALLBACK])
    assert client.registration_client_uri
    assert client.registration_access_token
    assert client.client_secret
    body = {**client.metadata, "client_id": client.client_id, "client_secret": client.client_secret.reveal()}
    headers = {"Authorization": f"Bearer {client.registration_access_token.reveal()}"}
    assert http.put(client.registration_client_uri, json=body, headers=headers).status_code == 200
    refused = http.put(client.registration_client_uri, json={**body, **change}, headers=headers)
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_client_metadata")
    assert read_client(client) == client


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_only_the_token_of_a_client_manages_it(open_provider: Provider, http: requests.Session, method: str) -> None:
    first, second = native(open_provider), native(open_provider)
    assert second.registration_access_token
    uri = str(first.registration_client_uri)
    for token in ("", "Bearer wrong", f"Bearer {second.registration_access_token.reveal()}"):
        refused = http.request(method, uri, headers={"Authorization": token}, json={})
        assert (refused.status_code, refused.json()["error"]) == (401, "invalid_token")
        assert "Bearer" in refused.headers["WWW-Authenticate"]
    unknown = http.request(method, with_changed(uri, -1), headers={"Authorization": "Bearer wrong"})
    assert unknown.json() == http.request(method, uri, headers={"Authorization": "Bearer wrong"}).json()
    assert read_client(first) == first


def test_a_page_of_a_registered_client_may_read_its_responses(open_provider: Provider, http: requests.Session) -> None:
    client = register_client(
        open_provider.issuer, redirect_uris=["https://spa.example/cb"], token_endpoint_auth_method="none"
    )
    form = {"client_id": client.client_id, "grant_type": "authorization_code", "code": "x"}
    for origin, allowed in (("https://spa.example", "https://spa.example"), ("https://other.example", None)):
        sent = http.post(open_provider.token_endpoint, form, headers={"Origin": origin})
        assert sent.headers.get("Access-Control-Allow-Origin") == allowed


def test_the_number_of_clients_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registered, "MAX_CLIENTS", 2)
    with Provider() as provider:
        first = native(provider)
        native(provider)
        with pytest.raises(TemporarilyUnavailable):
            native(provider)
        delete_client(first)
        native(provider)
        other_realm = register_client(provider.issuer_of("rotating"), redirect_uris=[CALLBACK])
        assert read_client(other_realm) == other_realm


def test_a_registration_outlives_a_restart_and_its_token_is_not_in_the_file(tmp_path: Path) -> None:
    store = tmp_path / "store.sqlite"
    with Provider(store=store) as provider:
        client, port = native(provider), provider.port
    with Provider(store=store, port=port):
        assert read_client(client) == client
    assert client.registration_access_token
    assert client.registration_access_token.reveal().encode() not in store.read_bytes()


def test_an_initial_access_token_is_required_where_there_is_one() -> None:
    with Provider(initial_access_token="for-developers") as provider:
        for wrong in (None, "other"):
            with pytest.raises(InvalidToken, match="initial access token"):
                native(provider, initial_access_token=wrong)
        assert native(provider, initial_access_token="for-developers").client_id
        assert "for-developers" not in repr(vars(provider))


REMOTE: dict[str, Any] = {"host": "127.0.0.1", "public_url": "https://login.example"}


@pytest.mark.parametrize(
    ("options", "is_on"),
    [
        ({}, True),
        ({"registration": False}, False),
        (REMOTE, False),  # a proxy makes it reachable from elsewhere
        ({**REMOTE, "registration": True}, True),
        ({**REMOTE, "initial_access_token": "for-developers"}, True),
        ({"public_url": "http://localhost:8080"}, True),
    ],
    ids=str,
)
def test_registration_is_on_by_default_only_on_loopback(
    http: requests.Session, options: dict[str, Any], is_on: bool
) -> None:
    with Provider(**options) as provider:
        at = f"http://127.0.0.1:{provider.port}/realms/master"
        headers = {"Host": provider.origin.partition("://")[2]}
        published = http.get(f"{at}/.well-known/openid-configuration", headers=headers).json()
        assert ("registration_endpoint" in published) is is_on
        assert published.get("client_id_metadata_document_supported") is (True if is_on else None)
        answered = http.post(f"{at}/clients-registrations/openid-connect", json={}, headers=headers)
        assert answered.status_code == (404 if not is_on else 401 if "initial_access_token" in options else 400)


@pytest.mark.parametrize(
    "wrong",
    [
        {"registration": "yes"},
        {"initial_access_token": ""},
        {"initial_access_token": 5},
        {"registration": False, "initial_access_token": "for-developers"},
    ],
    ids=str,
)
def test_wrong_options_are_errors(wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        Provider(**wrong)


def test_the_configuration_file_has_both_options() -> None:
    found = parse_config({"server": {"registration": True, "initial_access_token": "for-developers"}})
    assert (found.registration, found.initial_access_token) == (True, Secret("for-developers"))
    assert "for-developers" not in repr(found)
    nothing = parse_config({})
    assert (nothing.registration, nothing.initial_access_token) == (None, None)


def test_the_metadata_names_what_a_client_finds(open_provider: Provider) -> None:
    assert discover(open_provider.issuer).registration_endpoint == open_provider.registration_endpoint
    assert json.dumps(native(open_provider).to_dict())

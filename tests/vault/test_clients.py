"""HTTP clients of a vault's key: sessions of doorkey's, and any other client class."""

from collections.abc import Callable
from typing import Any

import aiohttp
import httpx
import httpx2
import pytest
import requests

from doorkey.errors import InvalidGrant, MissingTokenError, UsageError
from doorkey.integrations.httpx_client import AsyncOAuth2Client, OAuth2Client
from doorkey.integrations.requests_client import OAuth2Session
from doorkey.stores import MemoryStore
from doorkey.vault import AsyncTokenVault, TokenVault
from tests.support.backends import both_backends
from tests.support.hostile_server import Hostile, reply, token
from tests.vault.arrivals import Arrivals
from tests.vault.conftest import OLD


class OwnSession(requests.Session):
    """What a user has subclassed."""


class OwnClient(httpx2.Client):
    """What a user has subclassed."""


SESSIONS: dict[Any, type] = {
    requests.Session: OAuth2Session,
    OAuth2Session: OAuth2Session,
    httpx2.Client: httpx2.Client,
    OAuth2Client: OAuth2Client,
    httpx.Client: httpx.Client,
}
BLOCKING = [*SESSIONS, OwnSession, OwnClient]


@pytest.mark.parametrize("kind", BLOCKING)
def test_a_client_of_any_class_sends_the_vaults_token_and_renews_it(
    kind: Any, vault: TokenVault, hostile: Hostile, clock: Arrivals
) -> None:
    hostile.on("/token", token("at-2", refresh_token="rt-2"))
    vault.save("u", OLD)
    expected: Any = SESSIONS.get(kind)
    with vault.client("u", kind) as client:
        client.get(hostile.url())
        clock.advance(300)
        client.get(hostile.url())
        assert isinstance(client, expected or kind)
    assert [request.token for request in hostile.to("/api")] == ["at-1", "at-2"]
    assert vault.source("u").token().access_token.reveal() == "at-2"
    assert len(hostile.token_requests) == 1


@pytest.mark.parametrize("kind", BLOCKING)
def test_a_client_renews_once_on_401(kind: Any, vault: TokenVault, hostile: Hostile) -> None:
    hostile.on("/token", token("at-2", refresh_token="rt-2"))
    hostile.on("/api", reply(401), reply(200))
    vault.save("u", OLD)
    with vault.client("u", kind) as client:
        assert client.get(hostile.url()).status_code == 200
    assert [request.token for request in hostile.to("/api")] == ["at-1", "at-2"]


@pytest.mark.parametrize("kind", BLOCKING)
def test_a_client_renews_once_on_403_with_an_invalid_token_challenge(
    kind: Any, vault: TokenVault, hostile: Hostile
) -> None:
    hostile.on("/token", token("at-2", refresh_token="rt-2"))
    hostile.on("/api", reply(403, "no", {"WWW-Authenticate": 'Bearer error="invalid_token"'}), reply(200))
    vault.save("u", OLD)
    with vault.client("u", kind) as client:
        assert client.get(hostile.url()).status_code == 200
    assert [request.token for request in hostile.to("/api")] == ["at-1", "at-2"]


class OwnOAuth2Session(OAuth2Session):
    """A session that a user has subclassed, with a constructor of its own."""

    def __init__(self, client_id: str, client_secret: Any, **options: Any) -> None:
        super().__init__(client_id, client_secret, default_timeout=70, **options)


@pytest.mark.parametrize("kind", [OAuth2Session, OwnOAuth2Session, OAuth2Client])
def test_a_session_of_a_vault_is_of_exactly_the_class_that_was_given(
    kind: Any, vault: TokenVault, hostile: Hostile, clock: Arrivals
) -> None:
    hostile.on("/token", token("at-2", refresh_token="rt-2"))
    vault.save("u", OLD)
    with vault.client("u", kind) as session:
        assert type(session) is kind
        assert session.token is None  # nothing is read yet
        clock.advance(300)
        assert session.refresh_token().access_token == "at-2"
    assert len(hostile.token_requests) == 1


@pytest.mark.parametrize("override", [{"scope": "other"}, {"auth": "none"}, {"headers": {"X": "y"}}, {"body": "a=b"}])
def test_a_vaults_session_does_not_change_the_request_of_a_renewal(
    override: dict[str, Any], vault: TokenVault, hostile: Hostile
) -> None:
    vault.save("u", OLD)
    with (
        vault.client("u") as session,
        pytest.raises(UsageError, match="a vault renews its tokens with its own settings"),
    ):
        session.refresh_token(**override)
    assert hostile.token_requests == []


def test_without_a_class_it_is_an_oauth2_session(vault: TokenVault) -> None:
    with vault.client("u") as session:
        assert isinstance(session, OAuth2Session)
        assert session.client_id == "app"


@pytest.mark.parametrize("kind", [requests.Session, httpx2.Client])
def test_a_login_by_the_session_is_saved_to_the_vault(kind: Any, vault: TokenVault, hostile: Hostile) -> None:
    hostile.on("/token", token("at-7", refresh_token="rt-7"))
    with vault.client("u", kind) as session:
        with pytest.raises(MissingTokenError):
            session.get(hostile.url())
        session.fetch_token(username="alice", password="wonderland")
        session.get(hostile.url())
    assert [request.token for request in hostile.to("/api")] == ["at-7"]
    assert vault.source("u").token().access_token.reveal() == "at-7"


def test_an_explicit_refresh_is_one_request_for_all_callers(
    vault_on: Callable[..., TokenVault], hostile: Hostile
) -> None:
    hostile.on("/token", token("at-2", refresh_token="rt-2"))
    store = MemoryStore()
    here, there = vault_on(store), vault_on(store)
    here.save("u", OLD)
    with here.client("u") as session:
        assert session.refresh_token().access_token == "at-2"
        assert session.token is not None
        assert session.token.access_token == "at-2"
        with pytest.raises(UsageError, match="a vault renews its tokens with its own settings"):
            session.refresh_token(hostile.url("/other"))
    assert there.source("u").token().access_token.reveal() == "at-2"
    assert len(hostile.token_requests) == 1


def test_a_custom_refresh_token_is_used_and_what_it_brings_is_saved(vault: TokenVault, hostile: Hostile) -> None:
    hostile.on("/token", token("at-5", refresh_token="rt-5"))
    with vault.client("u") as session:
        session.refresh_token(refresh_token="rt-4")
    assert hostile.token_requests[0].form["refresh_token"] == "rt-4"
    assert vault.source("u").token().access_token.reveal() == "at-5"


def test_logging_out_revokes_what_the_vault_holds_and_forgets_it(vault: TokenVault, hostile: Hostile) -> None:
    hostile.on("/revoke", reply(200))
    vault.save("u", OLD)
    with vault.client("u") as session:
        session.revoke_token(hostile.url("/revoke"))
    vault.forget("u")
    (request,) = hostile.to("/revoke")
    assert request.form["token"] == "rt-1"
    with pytest.raises(MissingTokenError):
        vault.source("u").token()


def test_introspection_asks_about_the_vaults_token(vault: TokenVault, hostile: Hostile) -> None:
    hostile.on("/introspect", reply(json={"active": True}))
    vault.save("u", OLD)
    with vault.client("u") as session:
        assert session.introspect_token(hostile.url("/introspect"))["active"] is True
    assert hostile.to("/introspect")[0].form["token"] == "rt-1"


def test_a_session_takes_the_options_of_its_kind(vault: TokenVault) -> None:
    with vault.client("u", default_timeout=70) as session:
        assert session.default_timeout == 70
    with vault.client("u", httpx2.Client, base_url="https://api.example") as client:
        assert str(client.base_url) == "https://api.example"


def test_two_sessions_and_a_source_share_one_memory(vault: TokenVault, hostile: Hostile, clock: Arrivals) -> None:
    hostile.on("/token", token("at-2", refresh_token="rt-2"))
    vault.save("u", OLD)
    with vault.client("u") as one, vault.client("u", httpx2.Client) as other:
        clock.advance(300)
        one.get(hostile.url())
        other.get(hostile.url())
        vault.source("u").token()
    assert len(hostile.token_requests) == 1


def test_a_client_says_that_the_grant_is_dead_and_sends_nothing(
    vault: TokenVault, hostile: Hostile, clock: Arrivals
) -> None:
    hostile.on("/token", reply(400, json={"error": "invalid_grant"}))
    vault.save("u", OLD)
    clock.advance(300)
    with vault.client("u") as session, pytest.raises(InvalidGrant):
        session.get(hostile.url())
    assert hostile.to("/api") == []


@pytest.mark.parametrize("kind", [httpx2.AsyncClient, AsyncOAuth2Client])
def test_a_class_of_the_other_world_is_refused(kind: Any, vault: TokenVault) -> None:
    with pytest.raises(UsageError, match="this vault is"):
        vault.client("u", kind)


@pytest.mark.parametrize("kind", [httpx2.Client, httpx.Client, requests.Session, OAuth2Session])
def test_an_asynchronous_vault_says_that_its_clients_are_asynchronous(kind: Any, async_vault: AsyncTokenVault) -> None:
    with pytest.raises(UsageError, match=r"an AsyncTokenVault makes asynchronous clients, such as httpx2\.AsyncClient"):
        async_vault.client("u", kind)


def _save(token: Any, refresh_token: str | None = None, access_token: str | None = None) -> None:
    """Do nothing. The vault rejects an update_token."""


DECIDED: dict[str, Any] = {
    "client_id": "other",
    "client_secret": "s2",
    "token_endpoint": "https://other.example/token",
    "token_endpoint_auth_method": "none",
    "leeway": 7,
    "scope": "other",
    "update_token": _save,
    "token": {"access_token": "mine"},
}


@pytest.mark.parametrize("name", DECIDED)
@pytest.mark.parametrize("kind", [OAuth2Session, httpx2.Client])
def test_a_session_cannot_change_the_options_of_its_vault(vault: TokenVault, kind: Any, name: str) -> None:
    with pytest.raises(UsageError, match=f"{name} belongs to the vault"):
        vault.client("u", kind, **{name: DECIDED[name]})
    with vault.client("u", kind) as session:
        before = getattr(session, name)
        with pytest.raises(UsageError, match=f"{name} belongs to the vault"):
            setattr(session, name, DECIDED[name])
        assert getattr(session, name) == before


@pytest.mark.anyio
@pytest.mark.parametrize("name", DECIDED)
async def test_an_asynchronous_session_cannot_change_the_options_of_its_vault(
    async_vault: AsyncTokenVault, name: str
) -> None:
    with pytest.raises(UsageError, match="belongs to the vault"):
        async_vault.client("u", kind=None, **{name: DECIDED[name]})
    async with async_vault.client("u") as session:
        with pytest.raises(UsageError, match="belongs to the vault"):
            setattr(session, name, DECIDED[name])


def test_neither_metadata_nor_a_token_option_replaces_the_vaults(vault: TokenVault) -> None:
    with vault.client("u", metadata={"revocation_endpoint": "https://as.example/revoke"}) as session:
        assert session.revocation_endpoint == "https://as.example/revoke"
        with pytest.raises(UsageError, match="belongs to the vault"):
            session.metadata = {"token_endpoint": "https://other.example/token"}
        with pytest.raises(UsageError, match="belongs to the vault"):
            session.ensure_active_token({"access_token": "mine"})


def test_the_sessions_own_attributes_can_be_changed(vault: TokenVault, hostile: Hostile) -> None:
    with vault.client("u", redirect_uri="https://app.example/a") as session:
        session.redirect_uri = "https://app.example/b"
        session.revocation_endpoint = hostile.url("/revoke")
        session.revocation_endpoint_auth_method = "none"
        assert session.redirect_uri == "https://app.example/b"


@pytest.mark.parametrize("kind", [OwnSession, OwnClient])
def test_a_vaults_client_is_signed_by_the_vault_alone(vault: TokenVault, kind: Any) -> None:
    with pytest.raises(UsageError, match="omit auth="):
        vault.client("u", kind, auth=("alice", "wonderland"))


@pytest.mark.parametrize("kind", BLOCKING)
def test_a_client_of_any_class_takes_the_statuses_that_reject_a_token(
    kind: Any, vault: TokenVault, hostile: Hostile
) -> None:
    hostile.on("/token", token("at-2", refresh_token="rt-2"))
    hostile.on("/api", reply(418), reply(200))
    vault.save("u", OLD)
    with vault.client("u", kind, rejected_statuses=[418]) as client:
        assert client.get(hostile.url()).status_code == 200
    hostile.on("/api", reply(418))
    with vault.client("u", kind, rejected_statuses=[418], retry_rejected=False) as client:
        assert client.get(hostile.url()).status_code == 418
    assert [request.token for request in hostile.to("/api")] == ["at-1", "at-2", "at-2"]


@pytest.mark.parametrize("kind", [OwnSession, OwnClient])
def test_a_client_without_a_session_takes_the_origins_and_the_place_of_its_token(
    kind: Any, vault: TokenVault, hostile: Hostile
) -> None:
    vault.save("u", OLD)
    with vault.client("u", kind, allowed_origins=[hostile.url()], token_placement="uri") as client:
        client.get(hostile.url())
        with pytest.raises(UsageError, match="allowed_origins="):
            client.get("http://127.0.0.1:1/")
    assert [request.query["access_token"] for request in hostile.to("/api")] == ["at-1"]


class OwnAsyncClient(httpx2.AsyncClient):
    """What a user has subclassed."""


@pytest.mark.parametrize("kind", [aiohttp.ClientSession, OwnAsyncClient])
def test_a_class_that_awaits_is_refused_by_a_vault_that_blocks(vault: TokenVault, kind: Any) -> None:
    with pytest.raises(UsageError, match="this vault is"):
        vault.client("u", kind)


@pytest.mark.parametrize("kind", [OwnSession, OwnClient])
def test_a_class_that_blocks_is_refused_by_a_vault_that_awaits(async_vault: AsyncTokenVault, kind: Any) -> None:
    with pytest.raises(UsageError, match="this vault is"):
        async_vault.client("u", kind)


def test_a_value_that_is_not_a_class_is_refused(vault: TokenVault) -> None:
    kind: Any = "requests"
    with pytest.raises(UsageError, match="must be the class of a client"):
        vault.client("u", kind)


@pytest.mark.anyio
@both_backends
@pytest.mark.parametrize("kind", [None, httpx2.AsyncClient, httpx.AsyncClient, AsyncOAuth2Client])
async def test_asynchronous_clients_do_the_same(
    kind: Any, async_vault: AsyncTokenVault, hostile: Hostile, clock: Arrivals
) -> None:
    hostile.on("/token", token("at-1", refresh_token="rt-1"), token("at-2", refresh_token="rt-2"), token("at-3"))
    client: Any = async_vault.client("u") if kind is None else async_vault.client("u", kind)
    async with client:
        await client.fetch_token(username="alice", password="wonderland")
        await client.get(hostile.url())
        clock.advance(300)
        await client.get(hostile.url())
        assert (await client.refresh_token()).access_token == "at-3"
    assert [request.token for request in hostile.to("/api")] == ["at-1", "at-2"]
    assert (await async_vault.source("u").token()).access_token.reveal() == "at-3"


@pytest.mark.anyio
async def test_an_aiohttp_session_gets_the_vaults_token_as_a_middleware(
    async_vault: AsyncTokenVault, hostile: Hostile
) -> None:
    await async_vault.save("u", OLD)
    async with async_vault.client("u", aiohttp.ClientSession) as session, session.get(hostile.url()) as answer:
        assert answer.status == 200
    assert [request.token for request in hostile.to("/api")] == ["at-1"]


def shown(session: Any) -> object:
    """Return the access token that a session shows."""
    return session.token["access_token"]


@pytest.mark.parametrize("kind", [OAuth2Session, OAuth2Client])
def test_a_session_shows_the_token_of_its_last_request(kind: Any, vault: TokenVault, hostile: Hostile) -> None:
    hostile.on("/token", token("at-2", refresh_token="rt-2"))
    vault.save("u", OLD)
    for access_token in ("at-1", "at-2"):
        with vault.client("u", kind) as session:
            session.get(hostile.url())
            assert shown(session) == access_token
            session.refresh_token()
            assert shown(session) == "at-2"


@pytest.mark.anyio
async def test_an_async_session_shows_the_token_of_its_last_request(
    async_vault: AsyncTokenVault, hostile: Hostile
) -> None:
    hostile.on("/token", token("at-2", refresh_token="rt-2"))
    await async_vault.save("u", OLD)
    for access_token in ("at-1", "at-2"):
        async with async_vault.client("u", AsyncOAuth2Client) as session:
            await session.get(hostile.url())
            assert shown(session) == access_token
            await session.refresh_token()
            assert shown(session) == "at-2"

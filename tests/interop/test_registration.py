"""Registration at Keycloak: it needs an initial access token, and issues a new registration token each time."""

import asyncio
from typing import Any

import pytest

from doorkey import OAuth2Session, RegisteredClient, aregister_client, register_client
from doorkey.errors import OAuthError
from doorkey.protocol.registration import InvalidClientMetadata
from doorkey.registration import (
    adelete_client,
    aread_client,
    aupdate_client,
    delete_client,
    read_client,
    update_client,
)
from tests.servers.handle import RealServer
from tests.servers.keycloak_realms import Admin

NATIVE: dict[str, Any] = {"redirect_uris": ["http://127.0.0.1/cb"], "token_endpoint_auth_method": "none"}


@pytest.fixture
def initial_access_token(keycloak: RealServer) -> str:
    wanted = {"count": 2, "expiration": 300}
    token: str = Admin(keycloak.origin).call("POST", "/admin/realms/master/clients-initial-access", wanted)["token"]
    return token


def test_keycloak_registers_reads_updates_and_deletes_a_client(keycloak: RealServer, initial_access_token: str) -> None:
    client = register_client(
        keycloak.issuer,
        initial_access_token=initial_access_token,
        client_name="Batch",
        grant_types=["client_credentials"],
        redirect_uris=["http://127.0.0.1/cb"],
    )
    assert client.client_secret
    with OAuth2Session(client.client_id, client.client_secret.reveal(), issuer=keycloak.issuer) as session:
        assert session.fetch_token()["token_type"] == "Bearer"
    client = RegisteredClient.from_dict(client.to_dict())
    seen = read_client(client)
    assert seen.client_secret == client.client_secret
    changed = update_client(seen, client_name="Other")
    assert changed.metadata["client_name"] == "Other"
    delete_client(changed)
    with pytest.raises(OAuthError, match="invalid_"):
        read_client(changed)


def test_the_awaiting_twins_do_the_same(keycloak: RealServer, initial_access_token: str) -> None:
    async def life() -> None:
        client = await aregister_client(keycloak.issuer, initial_access_token=initial_access_token, **NATIVE)
        assert client.client_secret is None
        changed = await aupdate_client(await aread_client(client), client_name="Other")
        assert changed.metadata["client_name"] == "Other"
        await adelete_client(changed)

    asyncio.run(life())


def test_the_errors_of_keycloak_are_ours(keycloak: RealServer, initial_access_token: str) -> None:
    with pytest.raises(OAuthError):  # no initial access token: a policy of Keycloak refuses
        register_client(keycloak.issuer, redirect_uris=["http://127.0.0.1/cb"])
    with pytest.raises(InvalidClientMetadata):
        register_client(
            keycloak.issuer,
            initial_access_token=initial_access_token,
            redirect_uris=["http://127.0.0.1/cb"],
            token_endpoint_auth_method="no_such_method",
        )

"""A token exchange may issue another token than an access token: it is returned, and never sent (RFC 8693 §2.2.1)."""

import pytest

from doorkey.errors import OAuthError, UsageError
from tests.support.every_adapter import Adapter, Client
from tests.support.hostile_server import Hostile, reply

EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"
ID_TOKEN = "urn:ietf:params:oauth:token-type:id_token"


def exchanged(client: Client, wanted: str | None) -> str:
    asked = {} if wanted is None else {"requested_token_type": wanted}
    token = client.fetch_token(grant_type=EXCHANGE, subject_token="st", subject_token_type=ACCESS_TOKEN, **asked)
    return token.access_token


def test_a_session_gets_an_id_token_by_exchange_and_sends_it_nowhere(adapter: Adapter, hostile: Hostile) -> None:
    hostile.on(
        "/token", reply(json={"access_token": "an.id.token", "issued_token_type": ID_TOKEN, "token_type": "N_A"})
    )
    client = adapter.client("c", "s", token_endpoint=hostile.token_endpoint)
    assert exchanged(client, ID_TOKEN) == "an.id.token"
    with pytest.raises(UsageError):
        client.get(hostile.url())
    assert hostile.to("/api") == []


def test_an_issued_token_that_is_no_access_token_does_not_replace_the_sessions_token(
    adapter: Adapter, hostile: Hostile
) -> None:
    hostile.on(
        "/token", reply(json={"access_token": "an.id.token", "issued_token_type": ID_TOKEN, "token_type": "N_A"})
    )
    saved: list[object] = []

    def save(token: object, **_: object) -> None:
        saved.append(token)

    client = adapter.client(
        "c",
        "s",
        token_endpoint=hostile.token_endpoint,
        token={"access_token": "good"},
        update_token=save,
    )
    assert exchanged(client, ID_TOKEN) == "an.id.token"
    assert client.get(hostile.url()).status_code == 200
    assert [request.token for request in hostile.to("/api")] == ["good"]
    assert saved == []


def test_an_access_token_that_was_asked_for_has_a_type(adapter: Adapter, hostile: Hostile) -> None:
    hostile.on("/token", reply(json={"access_token": "at", "issued_token_type": ACCESS_TOKEN, "token_type": "N_A"}))
    client = adapter.client("c", "s", token_endpoint=hostile.token_endpoint)
    with pytest.raises(OAuthError):
        exchanged(client, ACCESS_TOKEN)

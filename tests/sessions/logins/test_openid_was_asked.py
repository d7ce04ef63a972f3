"""`openid` was asked, and no ID token came (OpenID Connect Core §3.1.3.3): wherever it was asked."""

from collections.abc import Callable

import pytest

from doorkey.errors import InvalidResponse, VerificationError
from tests.support.every_adapter import Adapter, Client
from tests.support.hostile_server import Hostile, token

HOME = "https://rp.example/cb"


@pytest.fixture
def client(adapter: Adapter, hostile: Hostile) -> Client:
    return adapter.client(
        token_endpoint=hostile.token_endpoint, authorization_endpoint=hostile.url("/authorize"), redirect_uri=HOME
    )


def test_openid_was_asked_and_no_id_token_came(adapter: Adapter, hostile: Hostile) -> None:
    hostile.on("/token", token())
    client = adapter.client(scope="openid", token_endpoint=hostile.token_endpoint)
    _, state = client.create_authorization_url(hostile.url("/authorize"))
    with pytest.raises(InvalidResponse) as error:
        client.fetch_token(authorization_response=f"{HOME}?code=c&state={state}")
    assert error.value.problem == "id_token_missing"
    assert client.token is None


def asks_with_the_calls_scope(client: Client) -> object:
    return client.fetch_token(code="c", scope="openid email")


def asks_with_the_calls_body(client: Client) -> object:
    return client.fetch_token(code="c", body="scope=openid")


def asks_with_the_scope_of_a_transaction(client: Client) -> object:
    begun = client.begin_authorization("https://as.example/authorize", scope="openid")
    return client.fetch_token(authorization_response=f"{HOME}?code=c&state={begun.state}", transaction=begun)


@pytest.mark.parametrize(
    "ask",
    [
        asks_with_the_calls_scope,
        asks_with_the_calls_body,
        asks_with_the_scope_of_a_transaction,
    ],
)
def test_openid_was_asked_and_no_id_token_came_wherever_it_was_asked(
    adapter: Adapter, hostile: Hostile, ask: Callable[[Client], object]
) -> None:
    hostile.on("/token", token(), token(id_token="h.p.s"))
    client = adapter.client(token_endpoint=hostile.token_endpoint)
    with pytest.raises(InvalidResponse) as error:
        ask(client)
    assert error.value.problem == "id_token_missing"
    assert client.token is None
    ask(client)
    assert client.access_token == "at-1"


def test_a_password_grant_needs_no_id_token(adapter: Adapter, hostile: Hostile) -> None:
    hostile.on("/token", token())
    client = adapter.client(token_endpoint=hostile.token_endpoint, scope="openid")
    assert client.fetch_token(username="alice", password="wonderland").access_token == "at-1"


def test_a_client_that_asks_for_itself_and_a_renewal_need_no_id_token(adapter: Adapter, hostile: Hostile) -> None:
    hostile.on("/token", token(refresh_token="rt-1"))
    client = adapter.client(token_endpoint=hostile.token_endpoint, scope="openid")
    client.fetch_token()
    client.refresh_token()
    assert [request.form["grant_type"] for request in hostile.received] == ["client_credentials", "refresh_token"]


@pytest.mark.parametrize("answer", ["access_token=at-1&token_type=Bearer", "code=c"])
def test_an_id_token_that_a_fragment_was_to_bring_is_missing(client: Client, hostile: Hostile, answer: str) -> None:
    kind = "code id_token" if answer == "code=c" else "id_token token"
    _, state = client.create_authorization_url(response_type=kind, scope="openid")
    with pytest.raises(VerificationError) as error:
        client.fetch_token(authorization_response=f"{HOME}#{answer}&state={state}")
    assert error.value.claim == "id_token"
    assert (hostile.received, client.token) == ([], None)
    _, state = client.create_authorization_url(response_type=kind, scope="email")
    hostile.on("/token", token())
    client.fetch_token(authorization_response=f"{HOME}#{answer}&id_token=h.p.s&state={state}")
    assert client.access_token == "at-1"

"""An API that answers 401: the token is renewed once, and the request sent once more if that can be done safely."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from doorkey.errors import InvalidGrant
from tests.support.every_adapter import Adapter, Client, in_background, together
from tests.support.fake_clock import START, Clock
from tests.support.hostile_server import Held, Hostile, reply, token

OLD = {"access_token": "at-1", "refresh_token": "rt-1", "expires_at": START + 300, "expires_in": 300}
NO = reply(401, headers={"WWW-Authenticate": 'Bearer error="invalid_token"'})


@pytest.fixture
def client(adapter: Adapter, hostile: Hostile, clock: Clock) -> Client:
    hostile.on("/token", token("at-2"), token("at-3"))
    return adapter.client(token=OLD, clock=clock, token_endpoint=hostile.token_endpoint)


def sent(hostile: Hostile) -> list[str | None]:
    return [request.token for request in hostile.to("/api")]


def test_a_refused_token_is_renewed_and_the_request_repeated(client: Client, hostile: Hostile) -> None:
    hostile.on("/api", NO, reply(200, "fine"))
    answer = client.get(hostile.url())
    assert (answer.status_code, answer.text) == (200, "fine")
    assert sent(hostile) == ["at-1", "at-2"]
    assert client.access_token == "at-2"


def test_it_is_tried_once_and_no_more(client: Client, hostile: Hostile) -> None:
    hostile.on("/api", NO)
    assert client.get(hostile.url()).status_code == 401
    assert sent(hostile) == ["at-1", "at-2"]
    assert len(hostile.token_requests) == 1


def test_a_body_of_bytes_is_sent_again(client: Client, hostile: Hostile) -> None:
    hostile.on("/api", NO, reply(200))
    client.post(hostile.url(), data={"a": "1"})
    assert [request.form for request in hostile.to("/api")] == [{"a": "1"}, {"a": "1"}]


def test_a_streamed_body_is_spent_and_the_401_is_the_callers(client: Client, hostile: Hostile) -> None:
    hostile.on("/api", NO, reply(200))
    assert client.upload(hostile.url(), [b"one", b"two"]).status_code == 401
    assert sent(hostile) == ["at-1"]


def test_a_token_that_cannot_be_renewed_leaves_the_401_to_the_caller(adapter: Adapter, hostile: Hostile) -> None:
    hostile.on("/api", NO)
    client = adapter.client(token={"access_token": "at-1"})
    assert client.get(hostile.url()).status_code == 401
    assert sent(hostile) == ["at-1"]


def test_a_refused_renewal_is_raised(client: Client, hostile: Hostile) -> None:
    hostile.on("/api", NO)
    hostile.on("/token", reply(400, json={"error": "invalid_grant"}))
    with pytest.raises(InvalidGrant):
        client.get(hostile.url())


def test_other_refusals_are_the_callers(client: Client, hostile: Hostile) -> None:
    for status in (400, 403, 407, 500):
        hostile.on("/api", reply(status))
        assert client.get(hostile.url()).status_code == status
    assert hostile.token_requests == []


def test_a_custom_auth_is_never_renewed(client: Client, hostile: Hostile) -> None:
    hostile.on("/api", NO)
    assert client.get(hostile.url(), auth=("u", "p")).status_code == 401
    assert client.request("GET", hostile.url(), withhold_token=True).status_code == 401
    assert hostile.token_requests == []


@pytest.fixture
def other() -> Iterator[Hostile]:
    server = Hostile()
    yield server
    server.close()


def test_a_challenge_of_another_origin_after_a_redirect_means_nothing(
    client: Client, hostile: Hostile, other: Hostile
) -> None:
    hostile.on("/api", reply(302, headers={"Location": other.url("/api")}))
    other.on("/api", NO)
    assert client.following_redirects("GET", hostile.url()).status_code == 401
    assert hostile.token_requests == []
    assert [request.header("authorization") for request in other.received] == [None]


def test_many_refusals_of_one_token_make_one_renewal(adapter: Adapter, hostile: Hostile, clock: Clock) -> None:
    """The API answers 401 once all eight have arrived; who comes late finds the token renewed already."""
    everybody = threading.Barrier(8)

    def answer(exchange: Any) -> None:
        if exchange.request.token == "at-1":
            everybody.wait(60)
            exchange.send(reply(401, headers={"Connection": "close"}))
        else:
            exchange.send(reply(200, headers={"Connection": "close"}))

    hostile.on("/api", answer)
    hostile.on("/token", token("at-2", refresh_token="rt-2"))
    client = adapter.client(token=OLD, clock=clock, token_endpoint=hostile.token_endpoint)
    assert together(8, lambda: client.get(hostile.url()).status_code) == [200] * 8
    assert len(hostile.token_requests) == 1
    assert sorted(map(str, sent(hostile))) == ["at-1"] * 8 + ["at-2"] * 8


def test_a_refusal_of_a_token_that_was_renewed_meanwhile_renews_nothing(
    adapter: Adapter, hostile: Hostile, clock: Clock
) -> None:
    held = Held(NO)
    hostile.on("/api", held, reply(200))
    hostile.on("/token", token("at-2"), token("at-3"))
    client = adapter.client(token=OLD, clock=clock, token_endpoint=hostile.token_endpoint)
    with in_background(lambda: client.get(hostile.url()).status_code) as slow:
        held.wait_for_arrival()
        client.refresh_token()
        held.release.set()
        assert slow() == 200
    assert len(hostile.token_requests) == 1
    assert sent(hostile) == ["at-1", "at-2"]


def test_an_api_that_always_refuses_costs_one_renewal(adapter: Adapter, hostile: Hostile) -> None:
    hostile.on("/token", *[token(f"at-{one}", refresh_token=f"rt-{one}") for one in range(2, 12)])
    hostile.on("/api", reply(401))
    client = adapter.client(token=OLD, clock=Clock(), token_endpoint=hostile.token_endpoint)
    assert [client.get(hostile.url()).status_code for _ in range(8)] == [401] * 8
    assert [request.token for request in hostile.to("/api")] == ["at-1"] + ["at-2"] * 8
    client.refresh_token()  # a person asks
    assert client.get(hostile.url()).status_code == 401
    assert [request.token for request in hostile.to("/api")][-2:] == ["at-3", "at-4"]

"""An API that redirects: the token stays with the origin it was meant for."""

from collections.abc import Iterator

import httpx
import httpx2
import pytest
import requests

from doorkey.errors import OAuthError
from tests.clients.adapters import Adapter
from tests.clients.hostile import Hostile, reply

TOKEN = {"access_token": "at-1"}
STATUSES = [301, 302, 303, 307, 308]


@pytest.fixture
def other() -> Iterator[Hostile]:
    server = Hostile()
    yield server
    server.close()


@pytest.mark.parametrize("status", STATUSES)
def test_the_same_origin_keeps_the_token(adapter: Adapter, hostile: Hostile, status: int) -> None:
    hostile.on("/old", reply(status, headers={"Location": "/new"}))
    answer = adapter.client(token=TOKEN).following_redirects("GET", hostile.url("/old"))
    assert answer.status_code == 200
    assert [request.token for request in hostile.to("/new")] == ["at-1"]


@pytest.mark.parametrize("status", STATUSES)
def test_another_port_is_another_origin_and_gets_no_token(
    adapter: Adapter, hostile: Hostile, other: Hostile, status: int
) -> None:
    hostile.on("/api", reply(status, headers={"Location": other.url("/api")}))
    adapter.client(token=TOKEN).following_redirects("GET", hostile.url())
    assert other.received[0].header("authorization") is None
    assert "at-1" not in repr(other.received)


def test_another_host_gets_no_token(adapter: Adapter, hostile: Hostile) -> None:
    hostile.on("/old", reply(302, headers={"Location": hostile.url("/new", host="localhost")}))
    adapter.client(token=TOKEN).following_redirects("GET", hostile.url("/old"))
    assert hostile.to("/new")[0].header("authorization") is None


def test_another_scheme_gets_no_token(adapter: Adapter, hostile: Hostile) -> None:
    """The redirected request fails, as nobody speaks TLS there; it is not sent in the clear either."""
    hostile.on("/old", reply(302, headers={"Location": hostile.url("/new").replace("http:", "https:")}))
    with pytest.raises((requests.ConnectionError, httpx.TransportError, httpx2.TransportError)):
        adapter.client(token=TOKEN).following_redirects("GET", hostile.url("/old"))
    assert [request.path for request in hostile.received if request.path != "/old"] == []


def test_back_at_the_first_origin_the_token_stays_away(adapter: Adapter, hostile: Hostile, other: Hostile) -> None:
    """Who was redirected abroad comes back as a stranger: the other origin must not steer our token."""
    hostile.on("/start", reply(302, headers={"Location": other.url("/hop")}))
    other.on("/hop", reply(302, headers={"Location": hostile.url("/end")}))
    adapter.client(token=TOKEN).following_redirects("GET", hostile.url("/start"))
    assert other.to("/hop")[0].header("authorization") is None
    assert hostile.to("/end")[0].header("authorization") is None


def test_a_token_in_the_query_stays_behind(adapter: Adapter, hostile: Hostile, other: Hostile) -> None:
    hostile.on("/api", reply(307, headers={"Location": other.url("/api")}))
    adapter.client(token=TOKEN, token_placement="uri").following_redirects("GET", hostile.url())
    assert hostile.received[0].query["access_token"] == "at-1"
    assert "at-1" not in repr(other.received)


@pytest.mark.parametrize("status", [307, 308])
def test_a_token_in_the_body_is_not_carried_to_another_origin(
    adapter: Adapter, hostile: Hostile, other: Hostile, status: int
) -> None:
    hostile.on("/api", reply(status, headers={"Location": other.url("/api")}))
    client = adapter.client(token=TOKEN, token_placement="body")
    with pytest.raises(OAuthError, match="redirects"):
        client.following_redirects("POST", hostile.url(), data={"a": "1"})
    assert other.received == []


def test_a_token_in_the_body_stays_behind_when_the_post_becomes_a_get(
    adapter: Adapter, hostile: Hostile, other: Hostile
) -> None:
    hostile.on("/api", reply(303, headers={"Location": other.url("/api")}))
    client = adapter.client(token=TOKEN, token_placement="body")
    client.following_redirects("POST", hostile.url(), data={"a": "1"})
    assert other.received[0].method == "GET"
    assert "at-1" not in repr(other.received)


def test_the_first_request_after_a_redirect_abroad_carries_the_token_again(
    adapter: Adapter, hostile: Hostile, other: Hostile
) -> None:
    hostile.on("/away", reply(302, headers={"Location": other.url("/api")}))
    client = adapter.client(token=TOKEN)
    client.following_redirects("GET", hostile.url("/away"))
    client.get(hostile.url())
    assert hostile.to("/api")[0].token == "at-1"

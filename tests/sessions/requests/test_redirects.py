"""An API that redirects: the token stays with the origin it was meant for."""

import io
from collections.abc import Iterator
from typing import Any

import httpx
import httpx2
import pytest
import requests
from requests.adapters import HTTPAdapter

from doorkey.errors import OAuthError
from tests.support.every_adapter import Adapter
from tests.support.hostile_server import Hostile, reply, token

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


def test_a_challenge_after_a_detour_by_another_origin_renews_nothing(adapter: Adapter, hostile: Hostile) -> None:
    """The other origin chose the path, and the request to it carried no token."""
    hostile.on("/api", reply(302, headers={"Location": hostile.url("/elsewhere", host="localhost")}))
    hostile.on("/elsewhere", reply(302, headers={"Location": hostile.url("/chosen")}))
    hostile.on("/chosen", reply(401))
    client = adapter.client(token={**TOKEN, "refresh_token": "rt-1"}, token_endpoint=hostile.token_endpoint)
    assert client.following_redirects("GET", hostile.url()).status_code == 401
    assert [request.token for request in hostile.to("/chosen")] == [None]
    assert hostile.token_requests == []
    assert client.access_token == "at-1"


def test_another_scheme_gets_no_token(adapter: Adapter, hostile: Hostile) -> None:
    """The redirected request fails, as the server there has no TLS; it is not sent in the clear either."""
    hostile.on("/old", reply(302, headers={"Location": hostile.url("/new").replace("http:", "https:")}))
    with pytest.raises((requests.ConnectionError, httpx.TransportError, httpx2.TransportError)):
        adapter.client(token=TOKEN).following_redirects("GET", hostile.url("/old"))
    assert [request.path for request in hostile.received if request.path != "/old"] == []


class Upgrading(HTTPAdapter):
    """A transport adapter that answers http with a redirect to https at the same host, without a network."""

    def __init__(self) -> None:
        super().__init__()
        self.authorizations: list[tuple[str, str | None]] = []

    def send(self, request: Any, *args: Any, **kwargs: Any) -> requests.Response:
        self.authorizations.append((request.url, request.headers.get("Authorization")))
        answer = requests.Response()
        answer.status_code, answer.url, answer.request = 200, request.url, request
        answer.raw = io.BytesIO()
        if request.url.startswith("http:"):
            answer.status_code = 301
            answer.headers["Location"] = request.url.replace("http:", "https:")
        return answer


def test_the_same_host_over_https_gets_no_token_that_went_in_the_clear(adapter: Adapter) -> None:
    """Both libraries keep the header here of their own accord."""
    upgrading = Upgrading()
    library = adapter.kind.library

    def answer(request: Any) -> Any:
        upgrading.authorizations.append((str(request.url), request.headers.get("Authorization")))
        if request.url.scheme == "https":
            return library.Response(200)
        return library.Response(301, headers={"Location": str(request.url.copy_with(scheme="https"))})

    if library is requests:
        client = adapter.client(token=TOKEN)
        client.native.mount("http://", upgrading)
        client.native.mount("https://", upgrading)
    else:
        client = adapter.client(token=TOKEN, transport=library.MockTransport(answer))
    client.following_redirects("GET", "http://api.example/")
    assert upgrading.authorizations == [
        ("http://api.example/", "Bearer at-1"),
        ("https://api.example/", None),
    ]


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


def test_a_token_in_the_body_goes_along_within_the_origin(adapter: Adapter, hostile: Hostile) -> None:
    hostile.on("/api", reply(307, headers={"Location": hostile.url("/moved")}))
    hostile.on("/moved", reply(307, headers={"Location": hostile.url("/end")}))
    client = adapter.client(token=TOKEN, token_placement="body")
    client.following_redirects("POST", hostile.url(), data={"a": "1"})
    assert hostile.to("/end")[0].form == {"a": "1", "access_token": "at-1"}


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


def sign(url: str, headers: Any, body: Any) -> Any:
    token = headers["Authorization"].removeprefix("Bearer ")
    changed = {name: value for name, value in headers.items() if name.lower() not in ("x-changed", "content-type")}
    changed["Content-Type"] = "application/x-signed-form"
    body = body.encode() if isinstance(body, str) else body or b""
    return url, {**changed, "X-Token": token, "X-Changed": f"by {token}"}, body + b"&signed=yes"


@pytest.mark.parametrize("status", STATUSES)
def test_what_a_hook_has_set_stays_with_the_origin_too(
    adapter: Adapter, hostile: Hostile, other: Hostile, status: int
) -> None:
    hostile.on("/api", reply(status, headers={"Location": "/moved"}))
    hostile.on("/moved", reply(status, headers={"Location": other.url("/api")}))
    client = adapter.client(token=TOKEN)
    client.native.register_compliance_hook("protected_request", sign)
    headers = {"X-Mine": "kept", "X-Changed": "by nobody"}
    assert client.following_redirects("POST", hostile.url(), data={"a": "1"}, headers=headers).status_code == 200
    (moved,), (abroad,) = hostile.to("/moved"), other.received
    assert (moved.header("x-token"), moved.header("x-changed"), moved.header("x-mine")) == ("at-1", "by at-1", "kept")
    assert (abroad.header("x-token"), abroad.header("x-changed"), abroad.header("x-mine")) == (None, None, "kept")
    assert "at-1" not in repr(abroad)
    if status in (307, 308):  # a body goes where the redirect says, with what describes it
        assert abroad.form == {"a": "1", "signed": "yes"}
        assert abroad.header("content-type") == "application/x-signed-form"


def test_what_a_hook_has_set_stays_with_the_origin_after_a_renewal(
    adapter: Adapter, hostile: Hostile, other: Hostile
) -> None:
    hostile.on("/token", token("at-2"))
    hostile.on("/api", reply(401), reply(302, headers={"Location": other.url("/api")}))
    client = adapter.client(token={**TOKEN, "refresh_token": "rt-1"}, token_endpoint=hostile.token_endpoint)
    client.native.register_compliance_hook("protected_request", sign)
    assert client.following_redirects("GET", hostile.url()).status_code == 200
    assert [request.header("x-token") for request in [*hostile.to("/api"), *other.received]] == ["at-1", "at-2", None]

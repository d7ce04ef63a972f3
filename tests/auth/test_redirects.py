"""No token follows a redirect to another origin, and what another origin says of a token means nothing."""

import io
from typing import Any

import pytest
import requests
from requests.adapters import BaseAdapter

from doorkey import OAuth2Auth
from doorkey.errors import TransportError
from doorkey.integrations.requests_client import OAuth2Session
from tests.support.every_http_library import WITHOUT_AIOHTTP, Caller, Maker
from tests.support.hostile_server import Hostile, echo, reply, token
from tests.support.source_requests import CLIENT, on_token

NO = reply(401)


def to(url: str, status: int = 302) -> bytes:
    return reply(status, headers={"Location": url})


def asking(hostile: Hostile, **how: Any) -> OAuth2Auth:
    return OAuth2Auth(CLIENT, **on_token(hostile, token("at-1"), token("at-2")), **how)


def tokens(hostile: Hostile, path: str) -> list[str | None]:
    return [request.header("authorization") for request in hostile.to(path)]


class Upgrading(BaseAdapter):
    """Stands for a site that nothing here reaches: it redirects from http to https."""

    def __init__(self, status: int) -> None:
        super().__init__()
        self.status = status
        self.seen: list[tuple[str | None, str | None, Any]] = []

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        url = request.url or ""
        self.seen.append((url, request.headers.get("Authorization"), request.body))
        answer = requests.Response()
        answer.url, answer.request, answer.raw = url, request, io.BytesIO()
        answer.status_code = 200 if url.startswith("https:") else self.status
        if answer.status_code != 200:
            answer.headers["Location"] = url.replace("http:", "https:", 1)
        return answer

    def close(self) -> None:
        return None


def upgraded(client: Caller, status: int) -> tuple[Caller, Upgrading]:
    site = Upgrading(status)
    for scheme in ("http://", "https://"):
        client.session.mount(scheme + "api.example", site)
    return client, site


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_token_goes_to_another_host(caller: Maker, hostile: Hostile, status: int) -> None:
    hostile.on("/api", to(hostile.url("/elsewhere", host="localhost"), status))
    assert caller(asking(hostile)).status(hostile.url()) == 200
    assert tokens(hostile, "/api") == ["Bearer at-1"]
    assert tokens(hostile, "/elsewhere") == [None]


def test_no_token_goes_to_another_port(caller: Maker, hostile: Hostile) -> None:
    other = Hostile()
    try:
        hostile.on("/api", to(other.url("/elsewhere")))
        assert caller(asking(hostile)).status(hostile.url()) == 200
        assert tokens(other, "/elsewhere") == [None]
    finally:
        other.close()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("caller", ["requests"], indirect=True)
def test_no_token_goes_to_another_scheme(caller: Maker, hostile: Hostile, status: int) -> None:
    """requests keeps the header from http to https on the same host."""
    client, site = upgraded(caller(asking(hostile)), status)
    assert client.status("http://api.example/x") == 200
    assert client.status("https://api.example/x") == 200
    assert [(url, auth) for url, auth, _ in site.seen] == [
        ("http://api.example/x", "Bearer at-1"),
        ("https://api.example/x", None),
        ("https://api.example/x", "Bearer at-1"),
    ]


@pytest.mark.parametrize("caller", ["requests"], indirect=True)
def test_a_request_that_was_redirected_to_another_scheme_still_has_its_token_when_it_is_sent_again(
    caller: Maker, hostile: Hostile
) -> None:
    client, site = upgraded(caller(asking(hostile)), 302)
    prepared = client.session.prepare_request(requests.Request("GET", "http://api.example/x"))
    for _ in range(2):
        answer = client.session.send(prepared)
        assert answer.history[0].request.headers["Authorization"] == "Bearer at-1"
        assert "Authorization" not in answer.request.headers
    answer = client.session.send(prepared, allow_redirects=False)
    assert "Authorization" not in answer.next.headers
    assert [auth for _, auth, _ in site.seen] == ["Bearer at-1", None] * 2 + ["Bearer at-1"]


@pytest.mark.parametrize("caller", ["requests", "httpx2", "httpx"], indirect=True)
def test_what_a_hook_has_signed_stays_behind_too(caller: Maker, hostile: Hostile) -> None:
    def sign(url: str, headers: dict[str, str], body: Any) -> tuple[str, dict[str, str], Any]:
        return url, {**headers, "X-Token": headers["Authorization"].removeprefix("Bearer ")}, body

    hostile.on("/api", to(hostile.url("/moved")))
    hostile.on("/moved", to(hostile.url("/elsewhere", host="localhost")))
    session = OAuth2Session("c", token={"access_token": "at-1"})
    session.register_compliance_hook("protected_request", sign)
    headers = {"X-Mine": "kept"}
    assert caller(OAuth2Auth(session)).status(hostile.url(), headers=headers) == 200
    (moved,), (elsewhere,) = hostile.to("/moved"), hostile.to("/elsewhere")
    assert (moved.header("x-token"), moved.header("x-mine")) == ("at-1", "kept")
    assert (elsewhere.header("x-token"), elsewhere.header("x-mine")) == (None, "kept")
    assert elsewhere.header("authorization") is None


@pytest.mark.parametrize("caller", WITHOUT_AIOHTTP, indirect=True)
@pytest.mark.parametrize("status", [307, 308])
def test_no_token_in_a_body_goes_to_another_host(caller: Maker, hostile: Hostile, status: int) -> None:
    hostile.on("/api", to(hostile.url("/elsewhere", host="localhost"), status))
    client = caller(asking(hostile, token_placement="body"))
    with pytest.raises(TransportError, match="redirects a request whose body carries the token"):
        client.call(hostile.url(), "POST", form={"a": "1"})
    assert hostile.to("/api")[0].form == {"a": "1", "access_token": "at-1"}
    assert all(b"at-1" not in request.body for request in hostile.to("/elsewhere"))
    hostile.on("/api", NO, echo)
    assert client.status(hostile.url(), "POST", form={"a": "1"}) == 200
    assert hostile.to("/api")[-1].form == {"a": "1", "access_token": "at-2"}


@pytest.mark.parametrize("caller", WITHOUT_AIOHTTP, indirect=True)
def test_a_redirect_that_drops_the_body_drops_the_token_in_it(caller: Maker, hostile: Hostile) -> None:
    hostile.on("/api", to(hostile.url("/elsewhere", host="localhost"), 303))
    client = caller(asking(hostile, token_placement="body"))
    assert client.status(hostile.url(), "POST", form={"a": "1"}) == 200
    assert [request.body for request in hostile.to("/elsewhere")] == [b""]


def test_a_challenge_from_another_origin_forgets_nothing_and_renews_nothing(caller: Maker, hostile: Hostile) -> None:
    hostile.on("/api", to(hostile.url("/elsewhere", host="localhost")), echo)
    hostile.on("/elsewhere", reply(401))
    client = caller(asking(hostile))
    assert client.status(hostile.url()) == 401
    assert client.status(hostile.url()) == 200
    assert tokens(hostile, "/api") == ["Bearer at-1", "Bearer at-1"]
    assert tokens(hostile, "/elsewhere") == [None]
    assert len(hostile.token_requests) == 1


def test_a_detour_by_another_origin_brings_no_token_back(caller: Maker, hostile: Hostile) -> None:
    """The other origin chooses the URL of such a redirect."""
    hostile.on("/api", to(hostile.url("/elsewhere", host="localhost")))
    hostile.on("/elsewhere", to(hostile.url("/back")))
    assert caller(asking(hostile)).status(hostile.url()) == 200
    assert tokens(hostile, "/back") == [None]


def test_a_challenge_after_a_detour_by_another_origin_forgets_nothing_and_brings_no_token(
    caller: Maker, hostile: Hostile
) -> None:
    """The last hop is at the API again, at a path that the other origin chose, and carried no token."""
    hostile.on("/api", to(hostile.url("/elsewhere", host="localhost")), echo)
    hostile.on("/elsewhere", to(hostile.url("/chosen")))
    hostile.on("/chosen", NO)
    client = caller(asking(hostile))
    assert client.status(hostile.url()) == 401
    assert tokens(hostile, "/chosen") == [None]
    assert client.status(hostile.url()) == 200
    assert tokens(hostile, "/api") == ["Bearer at-1", "Bearer at-1"]
    assert len(hostile.token_requests) == 1


def test_a_response_after_a_detour_by_another_origin_does_not_count_as_accepting_the_token(
    caller: Maker, hostile: Hostile
) -> None:
    """Else an API that rejects every token would get another one for each request of such a chain."""
    hostile.on("/api", NO, to(hostile.url("/elsewhere", host="localhost")), NO)
    hostile.on("/elsewhere", to(hostile.url("/chosen")))
    hostile.on("/token", token("at-1"), token("at-2"), token("at-3"))
    client = caller(OAuth2Auth(CLIENT, token_endpoint=hostile.token_endpoint))
    assert [client.status(hostile.url()) for _ in range(2)] == [200, 401]
    assert tokens(hostile, "/api") == ["Bearer at-1", "Bearer at-2", "Bearer at-2"]
    assert len(hostile.token_requests) == 2


def test_within_the_origin_the_token_goes_along(caller: Maker, hostile: Hostile) -> None:
    hostile.on("/api", to(hostile.url("/moved")))
    assert caller(asking(hostile)).status(hostile.url()) == 200
    assert tokens(hostile, "/moved") == ["Bearer at-1"]


def test_within_the_origin_a_refused_token_is_renewed(caller: Maker, hostile: Hostile) -> None:
    hostile.on("/api", to(hostile.url("/moved")))
    hostile.on("/moved", reply(401), echo)
    assert caller(asking(hostile)).status(hostile.url()) == 200
    assert tokens(hostile, "/moved") == ["Bearer at-1", "Bearer at-2"]


def test_a_redirect_beyond_the_allowed_origins_is_followed_without_the_token(caller: Maker, hostile: Hostile) -> None:
    hostile.on("/api", to(hostile.url("/elsewhere", host="localhost")))
    client = caller(asking(hostile, allowed_origins=[hostile.url("")]))
    assert client.status(hostile.url()) == 200
    assert tokens(hostile, "/elsewhere") == [None]


def test_each_call_begins_anew(caller: Maker, hostile: Hostile) -> None:
    hostile.on("/api", to(hostile.url("/elsewhere", host="localhost")), echo)
    client = caller(asking(hostile))
    client.call(hostile.url())
    assert client.status(hostile.url()) == 200
    assert client.status(hostile.url("/elsewhere", host="localhost")) == 200
    assert tokens(hostile, "/elsewhere") == [None, "Bearer at-1"]


def test_a_redirect_that_is_not_followed_is_returned(caller: Maker, hostile: Hostile) -> None:
    hostile.on("/api", to(hostile.url("/elsewhere", host="localhost")))
    assert caller(asking(hostile)).status(hostile.url(), follow=False) == 302
    assert hostile.to("/elsewhere") == []


@pytest.mark.parametrize("caller", ["aiohttp"], indirect=True)
def test_redirects_that_are_not_followed_are_not_remembered_for_ever(caller: Maker, hostile: Hostile) -> None:
    hostile.on("/api", to(hostile.url("/elsewhere", host="localhost")))
    auth = asking(hostile)
    client = caller(auth)

    async def a_task_that_goes_on() -> int:
        for _ in range(50):
            async with client.session.get(hostile.url(), allow_redirects=False) as answer:
                assert answer.status == 302
        async with client.session.get(hostile.url()) as answer:
            assert answer.status == 200
        return sum(map(len, auth._redirects.values()))

    assert caller.run(a_task_that_goes_on) <= 16
    assert tokens(hostile, "/elsewhere") == [None]

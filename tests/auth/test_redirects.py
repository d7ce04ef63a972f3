"""No token follows a redirect to another origin, and what another origin says of a token means nothing."""

from typing import Any

import pytest

from doorkey import OAuth2Auth
from tests.auth.callers import Maker
from tests.clients.hostile import Hostile, echo, reply, token
from tests.sources.asking import CLIENT, on_token


def to(url: str, status: int = 302) -> bytes:
    return reply(status, headers={"Location": url})


def asking(hostile: Hostile, **how: Any) -> OAuth2Auth:
    return OAuth2Auth(CLIENT, **on_token(hostile, token("at-1"), token("at-2")), **how)


def tokens(hostile: Hostile, path: str) -> list[str | None]:
    return [request.header("authorization") for request in hostile.to(path)]


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
    """Where such a redirect leads to is somebody else's choice."""
    hostile.on("/api", to(hostile.url("/elsewhere", host="localhost")))
    hostile.on("/elsewhere", to(hostile.url("/back")))
    assert caller(asking(hostile)).status(hostile.url()) == 200
    assert tokens(hostile, "/back") == [None]


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

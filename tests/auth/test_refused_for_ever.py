"""An API that always answers 401 costs one renewal, not one for each request: no token mends what is wrong there."""

from collections.abc import Iterator
from typing import Any

import pytest

from doorkey import OAuth2Auth, TokenSource
from doorkey.stores import AsyncMemoryStore, MemoryStore
from doorkey.tokens import OAuthToken
from doorkey.vault import AsyncTokenVault, TokenVault
from tests.support.every_http_library import Maker
from tests.support.fake_clock import START, Clock
from tests.support.hostile_server import Hostile, echo, reply, token
from tests.support.source_requests import CLIENT, on_token

NO = reply(401, "refused")


def numbered(number: int) -> list[bytes]:
    return [token(f"at-{one}") for one in range(1, number + 1)]


def asking(hostile: Hostile, **how: Any) -> OAuth2Auth:
    return OAuth2Auth(CLIENT, **how, **on_token(hostile, *numbered(9)))


def api(hostile: Hostile, path: str = "/api") -> list[str | None]:
    return [request.token for request in hostile.to(path)]


def test_a_token_that_came_in_place_of_a_refused_one_and_is_refused_too_stays(caller: Maker, hostile: Hostile) -> None:
    client = caller(asking(hostile))
    hostile.on("/api", NO)
    assert [client.call(hostile.url()).body for _ in range(10)] == [b"refused"] * 10
    assert api(hostile) == ["at-1"] + ["at-2"] * 10
    assert len(hostile.token_requests) == 2


def test_once_an_api_has_taken_it_a_refusal_renews_again(caller: Maker, hostile: Hostile) -> None:
    client = caller(asking(hostile))
    hostile.on("/api", NO, NO, NO, reply(500), NO, echo)
    assert [client.status(hostile.url()) for _ in range(4)] == [401, 401, 500, 200]
    assert api(hostile) == ["at-1", "at-2", "at-2", "at-2", "at-2", "at-3"]


def test_a_token_that_the_second_try_proves_is_renewed_when_it_is_refused_later(
    caller: Maker, hostile: Hostile
) -> None:
    client = caller(asking(hostile))
    hostile.on("/api", NO, echo, NO, echo, NO, echo)
    assert [client.status(hostile.url()) for _ in range(3)] == [200] * 3
    assert api(hostile) == ["at-1", "at-2", "at-2", "at-3", "at-3", "at-4"]


def test_a_token_that_was_renewed_because_of_its_age_is_a_new_one(
    caller: Maker, hostile: Hostile, clock: Clock
) -> None:
    client = caller(asking(hostile, clock=clock))
    hostile.on("/api", NO)
    assert [client.status(hostile.url()) for _ in range(2)] == [401] * 2
    clock.advance(300)
    assert [client.status(hostile.url()) for _ in range(3)] == [401] * 3
    assert api(hostile) == ["at-1", "at-2", "at-2", "at-3", "at-4", "at-4", "at-4"]


def test_a_server_that_issues_the_same_token_again_is_asked_once(caller: Maker, hostile: Hostile) -> None:
    client = caller(OAuth2Auth(CLIENT, **on_token(hostile, token("at-1"))))
    hostile.on("/api", NO)
    assert [client.status(hostile.url()) for _ in range(5)] == [401] * 5
    assert len(hostile.token_requests) == 2


def test_a_redirect_takes_no_token(caller: Maker, hostile: Hostile) -> None:
    client = caller(asking(hostile))
    hostile.on("/moved", reply(307, headers={"Location": "/api"}))
    hostile.on("/elsewhere", reply(307, headers={"Location": "http://localhost:1/"}))
    hostile.on("/api", NO)
    assert [client.status(hostile.url("/moved")) for _ in range(4)] == [401] * 4
    assert len(hostile.token_requests) == 2
    assert client.status(hostile.url("/elsewhere"), follow=False) == 307
    assert client.status(hostile.url()) == 401
    assert len(hostile.token_requests) == 2


@pytest.fixture
def other() -> Iterator[Hostile]:
    server = Hostile()
    yield server
    server.close()


def test_what_another_api_takes_says_nothing_of_one_that_refuses_every_token(
    caller: Maker, hostile: Hostile, other: Hostile
) -> None:
    client = caller(asking(hostile))
    hostile.on("/api", NO)
    for _ in range(5):
        assert client.status(hostile.url()) == 401
        assert client.status(other.url()) == 200
    assert len(hostile.token_requests) == 2
    other.on("/api", NO, echo)
    assert client.status(other.url()) == 200, "one that has taken it may refuse it later"
    assert client.status(hostile.url()) == 401
    assert len(hostile.token_requests) == 3


def test_two_apis_that_refuse_every_token_cost_one_renewal_each(
    caller: Maker, hostile: Hostile, other: Hostile
) -> None:
    client = caller(asking(hostile))
    hostile.on("/api", NO)
    other.on("/api", NO)
    for _ in range(5):
        assert [client.status(one.url()) for one in (hostile, other)] == [401, 401]
    assert len(hostile.token_requests) == 3


def test_bodies_that_cannot_be_sent_again_cost_one_renewal_too(caller: Maker, hostile: Hostile) -> None:
    client = caller(asking(hostile))
    hostile.on("/api", NO)
    assert [client.status(hostile.url(), "POST", chunks=[b"a", b"b"]) for _ in range(5)] == [401] * 5
    assert api(hostile) == ["at-1"] + ["at-2"] * 4


def test_the_record_of_rejections_belongs_to_the_source(caller: Maker, hostile: Hostile) -> None:
    kind: Any = AsyncTokenVault if caller.is_async else TokenVault
    store: Any = AsyncMemoryStore() if caller.is_async else MemoryStore()
    how = on_token(hostile, *[token(f"at-{one}", refresh_token=f"rt-{one}") for one in range(2, 9)])
    vault = kind(store, client_id="c", clock=Clock(), **how)
    first = {"access_token": "at-1", "refresh_token": "rt-1", "expires_at": START + 300}
    caller.run(vault.save, "key", first)
    hostile.on("/api", NO)
    for _ in range(5):
        assert caller(OAuth2Auth(vault.source("key"))).status(hostile.url()) == 401
    assert api(hostile) == ["at-1"] + ["at-2"] * 5
    caller.run(vault.aclose if caller.is_async else vault.close)


class Own:
    """A source of the program's own."""

    def __init__(self, source: TokenSource) -> None:
        self._inner = source

    def token(self) -> OAuthToken:
        return self._inner.token()

    def reject(self, token: OAuthToken) -> bool:
        return self._inner.reject(token)


@pytest.mark.parametrize("caller", ["requests", "httpx2"], indirect=True)
def test_a_source_of_the_programs_own_is_asked_no_more_often(caller: Maker, hostile: Hostile) -> None:
    with TokenSource(CLIENT, **on_token(hostile, *numbered(9))) as source:
        client = caller(OAuth2Auth(Own(source)))
        hostile.on("/api", NO, NO, NO, NO, echo, NO, echo)
        assert [client.status(hostile.url()) for _ in range(5)] == [401, 401, 401, 200, 200]
        assert api(hostile) == ["at-1", "at-2", "at-2", "at-2", "at-2", "at-2", "at-3"]

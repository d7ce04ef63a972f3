"""A 401 forgets that token, brings another one once, and sends the request once more, if its body can be sent again."""

import gc
from typing import Any

import pytest
import requests

from doorkey import OAuth2Auth, RefreshToken
from doorkey.errors import InvalidGrant, TransportError
from tests.support.every_adapter import in_background, together
from tests.support.every_http_library import WITHOUT_AIOHTTP, Maker
from tests.support.fake_clock import Clock
from tests.support.hostile_server import Exchange, Held, Hostile, echo, reply, token
from tests.support.source_requests import CLIENT, GARBAGE, REFUSED, on_token, reset

STATIC = {"access_token": "static-1", "token_type": "Bearer"}
NO = reply(401, "refused", {"WWW-Authenticate": 'Bearer error="invalid_token"'})

REPLAYABLE: dict[str, dict[str, Any]] = {
    "nothing": {},
    "bytes": {"content": b"some bytes"},
    "text": {"content": "some text"},
    "empty": {"content": b""},
    "form": {"form": {"a": "1", "b": "2"}},
    "json": {"json": {"a": [1, 2]}},
}
SPENT: dict[str, dict[str, Any]] = {
    "generator": {"chunks": [b"piece", b"piece"]},
    "file": {"file": b"content of a file"},
}


def asking(hostile: Hostile, *answers: Any, **how: Any) -> OAuth2Auth:
    return OAuth2Auth(CLIENT, **how, **on_token(hostile, *(answers or (token("at-1"), token("at-2"), token("at-3")))))


def api(hostile: Hostile, path: str = "/api") -> list[str | None]:
    return [request.token for request in hostile.to(path)]


@pytest.mark.parametrize("body", REPLAYABLE.values(), ids=REPLAYABLE.keys())
def test_a_refused_token_is_renewed_once_and_the_request_sent_once_more(
    caller: Maker, hostile: Hostile, body: dict[str, Any]
) -> None:
    client = caller(asking(hostile))
    hostile.on("/api", NO, echo)
    assert client.status(hostile.url(), "POST" if body else "GET", **body) == 200
    first, second = hostile.to("/api")
    assert (first.token, second.token) == ("at-1", "at-2")
    assert (first.method, first.target, first.body) == (second.method, second.target, second.body)
    kept = [[pair for pair in one.headers if pair[0].lower() != "authorization"] for one in (first, second)]
    assert sorted(kept[0]) == sorted(kept[1])
    assert client.status(hostile.url()) == 200
    assert api(hostile)[-1] == "at-2"


@pytest.mark.parametrize("body", SPENT.values(), ids=SPENT.keys())
def test_a_body_that_was_spent_is_never_sent_again(caller: Maker, hostile: Hostile, body: dict[str, Any]) -> None:
    client = caller(asking(hostile))
    hostile.on("/api", NO, echo)
    answer = client.call(hostile.url(), "POST", **body)
    assert (answer.status, answer.body) == (401, b"refused")
    assert len(hostile.to("/api")) == 1
    assert len(hostile.token_requests) == 1, "a token that nobody would send has been asked for"


@pytest.mark.parametrize("body", SPENT.values(), ids=SPENT.keys())
def test_a_token_that_was_refused_with_a_body_that_is_spent_is_forgotten(
    caller: Maker, hostile: Hostile, body: dict[str, Any]
) -> None:
    client = caller(asking(hostile))
    hostile.on("/api", NO, echo)
    assert client.status(hostile.url(), "POST", **body) == 401
    assert client.status(hostile.url(), "POST", **body) == 200
    assert api(hostile) == ["at-1", "at-2"]


@pytest.mark.parametrize("caller", ["requests"], indirect=True)
def test_a_request_that_was_prepared_once_is_sent_with_another_token_each_time_its_own_is_refused(
    caller: Maker, hostile: Hostile
) -> None:
    client = caller(asking(hostile))
    hostile.on("/api", echo, NO, echo, NO, echo)
    prepared = client.session.prepare_request(requests.Request("GET", hostile.url()))
    assert [client.session.send(prepared).status_code for _ in range(3)] == [200, 200, 200]
    assert api(hostile) == ["at-1", "at-1", "at-2", "at-1", "at-2"]


@pytest.mark.parametrize(
    "caller", [name for name in WITHOUT_AIOHTTP if name != "requests"] + ["aiohttp"], indirect=True
)
def test_a_multipart_form_with_a_file_is_never_sent_again(caller: Maker, hostile: Hostile) -> None:
    """On requests the form is bytes by then."""
    client = caller(asking(hostile))
    hostile.on("/api", NO, echo)
    assert client.status(hostile.url(), "POST", multipart=b"content of a file") == 401
    assert len(hostile.to("/api")) == 1


def test_a_second_refusal_is_returned(caller: Maker, hostile: Hostile) -> None:
    client = caller(asking(hostile))
    hostile.on("/api", NO, reply(401, "again"))
    answer = client.call(hostile.url())
    assert (answer.status, answer.body) == (401, b"again")
    assert api(hostile) == ["at-1", "at-2"]


def test_the_same_token_is_not_sent_twice(caller: Maker, hostile: Hostile) -> None:
    """A server that keeps issuing one token until it expires: asking again brings it again."""
    client = caller(asking(hostile, token("at-1")))
    hostile.on("/api", NO)
    assert client.status(hostile.url()) == 401
    assert api(hostile) == ["at-1"]
    assert len(hostile.token_requests) == 2


def test_a_given_token_that_is_refused_is_refused(caller: Maker, hostile: Hostile) -> None:
    client = caller(OAuth2Auth(STATIC))
    hostile.on("/api", NO)
    assert [client.call(hostile.url()).body for _ in range(2)] == [b"refused"] * 2
    assert api(hostile) == ["static-1"] * 2


@pytest.mark.parametrize("status", [400, 403, 407, 500])
def test_no_other_status_forgets_the_token(caller: Maker, hostile: Hostile, status: int) -> None:
    client = caller(asking(hostile))
    hostile.on("/api", reply(status), echo)
    assert client.status(hostile.url()) == status
    assert client.status(hostile.url()) == 200
    assert api(hostile) == ["at-1", "at-1"]


def test_a_refusal_of_an_old_token_does_not_forget_the_new_one(caller: Maker, hostile: Hostile) -> None:
    """Compare and forget: the slow call learns of its refusal when the others have long renewed."""
    held = Held(NO)
    hostile.on("/slow", held, echo)
    hostile.on("/api", NO, echo)
    client = caller(asking(hostile))
    with in_background(lambda: client.status(hostile.url("/slow"))) as slow:
        held.wait_for_arrival()
        assert client.status(hostile.url()) == 200
        held.release.set()
        assert slow() == 200
    assert api(hostile) == ["at-1", "at-2"]
    assert api(hostile, "/slow") == ["at-1", "at-2"]
    assert len(hostile.token_requests) == 2


def test_however_many_are_refused_at_once_one_renewal_serves_them(caller: Maker, hostile: Hostile) -> None:
    import threading

    all_sent, hanging_up = threading.Barrier(8), {"Connection": "close"}  # as the server does after such an answer

    def refuse(exchange: Exchange) -> None:
        if exchange.request.token == "at-1":
            all_sent.wait(60)  # all eight have been signed with the old token
            exchange.send(reply(401, headers=hanging_up))
        else:
            exchange.send(reply(200, headers=hanging_up))

    hostile.on("/api", refuse)
    client = caller(asking(hostile))
    assert together(8, lambda: client.status(hostile.url())) == [200] * 8
    assert len(hostile.token_requests) == 2
    assert sorted(map(str, api(hostile))) == ["at-1"] * 8 + ["at-2"] * 8


def test_a_refused_token_is_refreshed_where_there_is_a_refresh_token(caller: Maker, hostile: Hostile) -> None:
    client = caller(asking(hostile, token("at-1", refresh_token="rt-1"), token("at-2")))
    hostile.on("/api", NO, echo)
    assert client.status(hostile.url()) == 200
    assert [request.form["grant_type"] for request in hostile.token_requests] == ["client_credentials", "refresh_token"]


@pytest.mark.parametrize(
    ("answer", "error"),
    [(GARBAGE, Exception), (reset, TransportError), (REFUSED, InvalidGrant)],
    ids=["garbage", "reset", "refused"],
)
def test_without_another_token_the_caller_gets_the_cause_and_nothing_stays_open(
    caller: Maker, hostile: Hostile, answer: Any, error: type[Exception]
) -> None:
    client = caller(asking(hostile, token("at-1"), answer))
    hostile.on("/api", NO)
    with pytest.raises(error):
        client.call(hostile.url())
    gc.collect()  # an open response would be a ResourceWarning, which is an error here
    assert api(hostile) == ["at-1"]


def test_a_dead_grant_says_so_and_the_api_is_not_bothered(caller: Maker, hostile: Hostile) -> None:
    how = on_token(hostile, token("at-1", refresh_token="rt-2"), REFUSED)
    client = caller(OAuth2Auth(RefreshToken("c", refresh_token="rt-1"), **how))
    hostile.on("/api", NO)
    for _ in range(3):
        with pytest.raises(InvalidGrant):
            client.call(hostile.url())
    assert api(hostile) == ["at-1"]
    assert len(hostile.token_requests) == 2


@pytest.mark.parametrize("caller", WITHOUT_AIOHTTP, indirect=True)
def test_in_the_query_the_new_token_replaces_the_old_one(caller: Maker, hostile: Hostile) -> None:
    client = caller(asking(hostile, token_placement="uri"))
    hostile.on("/api", NO, echo)
    assert client.status(hostile.url("/api?q=1")) == 200
    assert [request.target for request in hostile.to("/api")] == [
        "/api?q=1&access_token=at-1",
        "/api?q=1&access_token=at-2",
    ]


@pytest.mark.parametrize("caller", WITHOUT_AIOHTTP, indirect=True)
def test_in_the_form_the_new_token_replaces_the_old_one(caller: Maker, hostile: Hostile) -> None:
    client = caller(asking(hostile, token_placement="body"))
    hostile.on("/api", NO, echo)
    assert client.status(hostile.url(), "POST", form={"a": "1"}) == 200
    assert [request.body for request in hostile.to("/api")] == [b"a=1&access_token=at-1", b"a=1&access_token=at-2"]


@pytest.mark.parametrize("caller", ["httpx2", "httpx"], indirect=True)
def test_a_request_object_that_is_sent_again_carries_the_token_of_then(
    caller: Maker, hostile: Hostile, clock: Clock
) -> None:
    client = caller(asking(hostile, clock=clock))
    request = client.session.build_request("GET", hostile.url())
    assert client.session.send(request).request.headers["Authorization"] == "Bearer at-1"
    clock.advance(300)
    assert client.session.send(request).status_code == 200
    assert api(hostile) == ["at-1", "at-2"]


@pytest.mark.parametrize("caller", ["httpx2", "httpx"], indirect=True)
@pytest.mark.parametrize("placement", ["header", "uri", "body"])
def test_the_request_that_was_sent_can_be_read(caller: Maker, hostile: Hostile, placement: str) -> None:
    client = caller(asking(hostile, token_placement=placement))
    hostile.on("/api", NO, echo)
    response = client.session.post(hostile.url(), data={"a": "1"})
    assert response.request.content.startswith(b"a=1")
    assert [one.request.content[:3] for one in response.history] == [b"a=1"]


@pytest.mark.parametrize("caller", ["requests"], indirect=True)
def test_on_requests_the_refusal_is_in_the_history(caller: Maker, hostile: Hostile) -> None:
    client = caller(asking(hostile))
    hostile.on("/api", NO, echo)
    response = client.session.get(hostile.url())
    assert [one.status_code for one in response.history] == [401]
    assert response.request.headers["Authorization"] == "Bearer at-2"


@pytest.mark.parametrize("caller", ["requests"], indirect=True)
def test_header_values_of_bytes_survive_signing(caller: Maker, hostile: Hostile) -> None:
    client = caller(asking(hostile, token_placement="uri"))
    headers: Any = {"X-Bytes": b"as they are"}
    assert client.status(hostile.url(), headers=headers) == 200
    assert hostile.to("/api")[0].header("x-bytes") == "as they are"

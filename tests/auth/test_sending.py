"""One object as `auth=` on every library: it brings a token, and puts it where it goes."""

import threading
from typing import Any

import pytest

from doorkey import AsyncTokenSource, ClientCredentials, OAuth2Auth, TokenSource
from doorkey.errors import InvalidClient, TokenExpiredError, UsageError
from doorkey.integrations.httpx_client import on
from doorkey.integrations.requests_client import OAuth2Session
from tests.support.every_adapter import in_background, together
from tests.support.every_http_library import WITHOUT_AIOHTTP, Maker
from tests.support.every_source import Counting
from tests.support.fake_clock import START, Clock
from tests.support.hostile_server import WAIT, Exchange, Held, Hostile, reply, token
from tests.support.source_requests import CLIENT, on_token

not_aiohttp = pytest.mark.parametrize("caller", WITHOUT_AIOHTTP, indirect=True)
STATIC = {"access_token": "static-1", "token_type": "Bearer"}


def api(hostile: Hostile) -> list[str | None]:
    """The tokens that have come to the API."""
    return [request.token for request in hostile.to("/api")]


def test_credentials_and_a_token_endpoint_are_all_it_needs(caller: Maker, hostile: Hostile) -> None:
    client = caller(OAuth2Auth(CLIENT, **on_token(hostile, token("at-1"))))
    assert [client.status(hostile.url()) for _ in range(3)] == [200] * 3
    assert api(hostile) == ["at-1"] * 3
    assert len(hostile.token_requests) == 1


def test_credentials_and_an_issuer_are_all_it_needs(caller: Maker, hostile: Hostile) -> None:
    known = {"issuer": hostile.url(""), "token_endpoint": hostile.token_endpoint}
    hostile.on("/.well-known/openid-configuration", reply(json=known))
    on_token(hostile, token("at-1"))
    client = caller(OAuth2Auth(CLIENT, issuer=hostile.url("")))
    assert client.status(hostile.url()) == 200
    assert api(hostile) == ["at-1"]


def test_a_source_may_be_given(caller: Maker, hostile: Hostile) -> None:
    source: Any = (AsyncTokenSource if caller.is_async else TokenSource)(CLIENT, **on_token(hostile, token("at-1")))
    client = caller(OAuth2Auth(source))
    assert client.status(hostile.url()) == 200
    assert api(hostile) == ["at-1"]
    caller.run(source.aclose if caller.is_async else source.close)


def test_a_source_for_the_other_kind_of_caller_is_a_usage_error(caller: Maker, hostile: Hostile) -> None:
    source: Any = (TokenSource if caller.is_async else AsyncTokenSource)(CLIENT, **on_token(hostile, token()))
    with pytest.raises(UsageError, match="use it with"):
        caller(OAuth2Auth(source)).call(hostile.url())
    assert hostile.to("/api") == []


def test_a_token_may_be_given(caller: Maker, hostile: Hostile) -> None:
    assert caller(OAuth2Auth(STATIC)).status(hostile.url()) == 200
    assert api(hostile) == ["static-1"]


def test_a_given_token_that_has_expired_is_never_sent(caller: Maker, hostile: Hostile) -> None:
    client = caller(OAuth2Auth({**STATIC, "expires_at": 1_000_000_000}))
    with pytest.raises(TokenExpiredError):
        client.call(hostile.url())
    assert hostile.to("/api") == []


@pytest.mark.parametrize("caller", ["requests", "httpx2", "httpx2-asyncio", "httpx2-trio", "aiohttp"], indirect=True)
def test_a_session_may_be_given_and_both_share_its_token(caller: Maker, hostile: Hostile, clock: Clock) -> None:
    old = {"access_token": "at-1", "refresh_token": "rt-1", "expires_at": START + 300, "expires_in": 300}
    make: Any = on("httpx2").AsyncOAuth2Client if caller.is_async else OAuth2Session
    session = make("c", "s", token=old, clock=clock, **on_token(hostile, token("at-2", refresh_token="rt-2")))
    client = caller(OAuth2Auth(session))
    assert client.status(hostile.url()) == 200
    clock.advance(300)
    assert client.status(hostile.url()) == 200
    assert api(hostile) == ["at-1", "at-2"]
    assert session.token["access_token"] == "at-2"
    caller.run(session.aclose if caller.is_async else session.close)


def test_without_a_token_no_request_goes_out(caller: Maker, hostile: Hostile) -> None:
    client = caller(OAuth2Auth(CLIENT, **on_token(hostile, reply(401, json={"error": "invalid_client"}))))
    with pytest.raises(InvalidClient):
        client.call(hostile.url())
    assert hostile.to("/api") == []


def test_an_authorization_header_that_is_there_already_is_kept(caller: Maker, hostile: Hostile) -> None:
    client = caller(OAuth2Auth(CLIENT, **on_token(hostile, token("at-1"))))
    hostile.on("/api", reply(401))
    assert client.status(hostile.url(), headers={"authorization": "Mine 1"}) == 401
    assert [request.header("authorization") for request in hostile.to("/api")] == ["Mine 1"]
    assert hostile.token_requests == []


# -- the allowed origins -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("as_text", [False, True])
def test_a_token_goes_to_the_allowed_origins_alone(caller: Maker, hostile: Hostile, as_text: bool) -> None:
    origin = hostile.url("/whatever/path")
    allowed = origin if as_text else [origin]
    client = caller(OAuth2Auth(CLIENT, allowed_origins=allowed, **on_token(hostile, token("at-1"))))
    assert client.status(hostile.url()) == 200
    with pytest.raises(UsageError, match="allowed_origins"):
        client.call(hostile.url(host="localhost"))
    assert api(hostile) == ["at-1"]


@pytest.mark.parametrize("allowed", [["api.example"], ["ftp://api.example"], [""]])
def test_a_value_that_is_not_an_origin_is_a_usage_error(allowed: list[str]) -> None:
    with pytest.raises(UsageError):
        OAuth2Auth(STATIC, allowed_origins=allowed)


# -- the place of the token --------------------------------------------------------------------------------------------


@not_aiohttp
def test_a_token_may_go_into_the_query(caller: Maker, hostile: Hostile) -> None:
    client = caller(OAuth2Auth(CLIENT, "uri", **on_token(hostile, token("at-1"))))
    assert client.status(hostile.url("/api?q=1")) == 200
    (request,) = hostile.to("/api")
    assert request.query == {"q": "1", "access_token": "at-1"}
    assert request.token is None


@not_aiohttp
def test_a_token_may_go_into_a_form(caller: Maker, hostile: Hostile) -> None:
    client = caller(OAuth2Auth(CLIENT, "body", **on_token(hostile, token("at-1"))))
    assert client.status(hostile.url(), "POST", form={"a": "1"}) == 200
    (request,) = hostile.to("/api")
    assert request.form == {"a": "1", "access_token": "at-1"}
    assert request.token is None


@not_aiohttp
def test_a_token_goes_into_no_body_that_is_no_form(caller: Maker, hostile: Hostile) -> None:
    client = caller(OAuth2Auth(CLIENT, "body", **on_token(hostile, token("at-1"))))
    for body in ({"json": {"a": 1}}, {"chunks": [b"a"]}):
        with pytest.raises(UsageError, match="form"):
            client.call(hostile.url(), "POST", **body)
    assert hostile.to("/api") == []


@pytest.mark.parametrize("caller", ["aiohttp"], indirect=True)
@pytest.mark.parametrize("placement", ["uri", "body"])
def test_on_aiohttp_the_token_goes_into_the_header(caller: Maker, hostile: Hostile, placement: str) -> None:
    client = caller(OAuth2Auth(STATIC, placement))
    with pytest.raises(UsageError, match="header"):
        client.call(hostile.url())
    assert hostile.to("/api") == []


@pytest.mark.parametrize(
    ("source", "options", "message"),
    [
        (7, {}, "takes a session.*, not int"),
        (None, {}, "takes a session"),
        (STATIC, {"issuer": "https://as.example"}, "issuer= is for credentials"),
        (STATIC, {"token_endpoint": "https://as.example/token"}, "token_endpoint= is for credentials"),
        (CLIENT, {}, "the authorization server is missing"),
        ({"token_type": "Bearer"}, {}, "access_token"),
        (STATIC, {"token_placement": "cookie"}, "token_placement"),
    ],
)
def test_impossible_options_are_a_usage_error_at_once(source: Any, options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        OAuth2Auth(source, **options)


def test_a_pause_may_be_waited_out_in_either_world(caller: Maker, hostile: Hostile) -> None:
    """An auth object takes a blocking or an asynchronous `sleep`, and uses it for callers of that kind."""
    slept: list[float] = []

    async def asleep(seconds: float) -> None:
        slept.append(seconds)

    busy = reply(503, headers={"Retry-After": "0"})
    sleep: Any = asleep if caller.is_async else slept.append
    client = caller(OAuth2Auth(CLIENT, sleep=sleep, **on_token(hostile, busy, token("at-1"))))
    assert client.status(hostile.url()) == 200
    assert slept == [0]


def test_a_pause_is_waited_out_although_the_given_sleep_is_for_the_other_kind_of_caller(
    caller: Maker, hostile: Hostile
) -> None:
    async def asleep(seconds: float) -> None:
        raise AssertionError("not in this world")

    def sleep(seconds: float) -> None:
        raise AssertionError("not in this world")

    busy = reply(503, headers={"Retry-After": "0"})
    wrong: Any = sleep if caller.is_async else asleep
    client = caller(OAuth2Auth(CLIENT, sleep=wrong, **on_token(hostile, busy, token("at-1"))))
    assert client.status(hostile.url()) == 200


# -- many at once ------------------------------------------------------------------------------------------------------


def test_no_api_call_waits_for_another(caller: Maker, hostile: Hostile) -> None:
    """Each is answered once all five have arrived: were a lock held across a call, none would be."""
    all_sent = threading.Barrier(5)

    def answer(exchange: Exchange) -> None:
        all_sent.wait(WAIT)
        exchange.send(reply(204))

    hostile.on("/api", answer)
    client = caller(OAuth2Auth(CLIENT, **on_token(hostile, token("at-1"))))
    assert together(5, lambda: client.status(hostile.url())) == [204] * 5
    assert len(hostile.token_requests) == 1


def test_many_calls_that_need_a_token_make_one_request_for_it(
    caller: Maker, hostile: Hostile, counting: Counting
) -> None:
    held = Held(token("at-1"))
    client = caller(OAuth2Auth(CLIENT, clock=counting, **on_token(hostile, held)))
    counting.expect(16 + 1)
    with in_background(lambda: together(16, lambda: client.status(hostile.url()))) as outcome:
        held.wait_for_arrival()
        counting.wait()
        held.release.set()
        assert outcome() == [200] * 16
    assert len(hostile.token_requests) == 1
    assert api(hostile) == ["at-1"] * 16


@pytest.mark.parametrize("caller", ["httpx2-asyncio", "httpx2-trio", "httpx-asyncio", "aiohttp"], indirect=True)
def test_the_event_loop_goes_on_while_a_token_is_fetched(caller: Maker, hostile: Hostile) -> None:
    held = Held(token("at-1"))
    client = caller(OAuth2Auth(CLIENT, **on_token(hostile, held)))
    with in_background(lambda: client.status(hostile.url())) as outcome:
        held.wait_for_arrival()
        assert [caller.run(_something_else) for _ in range(10)] == ["done"] * 10  # in the same loop, meanwhile
        held.release.set()
        assert outcome() == 200


async def _something_else() -> str:
    import anyio.lowlevel

    await anyio.lowlevel.checkpoint()
    return "done"


def test_blocking_and_awaiting_clients_share_one_object_and_one_token(hostile: Hostile) -> None:
    import asyncio

    import aiohttp
    import httpx
    import httpx2
    import requests

    auth = OAuth2Auth(ClientCredentials("c", "s"), **on_token(hostile, token("at-1"), token("never")))
    url = hostile.url()
    assert requests.get(url, auth=auth, timeout=WAIT).status_code == 200
    assert httpx2.get(url, auth=auth).status_code == 200
    assert httpx.get(url, auth=auth).status_code == 200

    async def awaiting() -> None:
        async with httpx2.AsyncClient(auth=auth) as one, httpx.AsyncClient() as two:
            assert (await one.get(url)).status_code == 200
            assert (await two.get(url, auth=auth)).status_code == 200
        async with aiohttp.ClientSession() as three, three.get(url, middlewares=(auth,)) as answer:
            assert answer.status == 200

    asyncio.run(awaiting())
    assert len(hostile.token_requests) == 1
    assert api(hostile) == ["at-1"] * 6


def test_no_secret_is_in_the_representation(hostile: Hostile) -> None:
    assert "static-1" not in repr(OAuth2Auth(STATIC))
    assert "my-secret" not in repr(OAuth2Auth(CLIENT, token_endpoint=hostile.token_endpoint))

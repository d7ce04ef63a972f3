"""A request without the token: `withhold_token`, by name or where programs have it, and an `auth` of its own."""

from collections.abc import Callable
from typing import Any

import pytest
import requests

from doorkey.errors import UsageError
from doorkey.integrations.requests_client import OAuth2Session, oauth2_session
from tests.support.every_adapter import KINDS, Adapter, Client
from tests.support.hostile_server import Hostile

TOKEN = {"access_token": "at-1"}
BASIC = "Basic dTpw"

on_requests = pytest.mark.parametrize("adapter", ["requests"], indirect=True)
on_httpx = pytest.mark.parametrize("adapter", [name for name in KINDS if name != "requests"], indirect=True)


def by_request(client: Client, url: str, **how: Any) -> None:
    client.request("GET", url, **how)


def by_verb(client: Client, url: str, **how: Any) -> None:
    client.get(url, **how)


def by_stream(client: Client, url: str, **how: Any) -> None:
    if client.kind.name == "requests":
        client.get(url, stream=True, **how)
    elif client.kind.is_async:
        client._call(_astream, client.native, url, how)
    else:
        with client.native.stream("GET", url, **how) as answer:
            answer.read()


async def _astream(native: Any, url: str, how: dict[str, Any]) -> None:
    async with native.stream("GET", url, **how) as answer:
        await answer.aread()


Sending = Callable[..., None]
sending = pytest.mark.parametrize("send", [by_request, by_verb, by_stream])


@sending
def test_a_request_without_the_token_has_the_auth_it_was_given(
    adapter: Adapter, hostile: Hostile, send: Sending
) -> None:
    client = adapter.client(token=TOKEN)
    send(client, hostile.url(), withhold_token=True, auth=("u", "p"))
    send(client, hostile.url(), withhold_token=True)
    send(client, hostile.url(), withhold_token=True, auth=None)
    send(client, hostile.url(), withhold_token=False, auth=("u", "p"))
    send(client, hostile.url(), withhold_token=False)
    sent = [one.header("authorization") for one in hostile.received]
    assert sent == [BASIC, None, None, BASIC, "Bearer at-1"]


@on_httpx
def test_the_librarys_word_for_its_default_is_not_the_token(adapter: Adapter, hostile: Hostile) -> None:
    usual = adapter.kind.library.USE_CLIENT_DEFAULT
    adapter.client(token=TOKEN).request("GET", hostile.url(), withhold_token=True, auth=usual)
    assert hostile.received[0].header("authorization") is None


def test_a_truth_value_in_third_place_withholds_the_token(adapter: Adapter, hostile: Hostile) -> None:
    client = adapter.client(token=TOKEN)
    for given, auth in ((True, {}), (False, {}), (True, {"auth": ("u", "p")})):
        client.call("request", "GET", hostile.url(), given, **auth)
    assert [one.header("authorization") for one in hostile.received] == [None, "Bearer at-1", BASIC]


@on_requests
def test_what_stands_in_fourth_place_behind_it_is_auth(adapter: Adapter, hostile: Hostile) -> None:
    session: Any = adapter.client(token=TOKEN).native
    for given in ((True, ("u", "p")), (False, None), ({"a": "1"}, None, {"X-A": "1"})):
        session.request("GET", hostile.url(), *given)
    assert [one.header("authorization") for one in hostile.received] == [BASIC, "Bearer at-1", "Bearer at-1"]
    assert hostile.received[2].query == {"a": "1"}, "of requests it is params, as ever"
    with pytest.raises(UsageError, match="pass all other arguments by name"):
        session.request("GET", hostile.url(), *(True, None, {}))
    with pytest.raises(UsageError, match="pass all other arguments by name"):
        session.request("GET", hostile.url(), *(True, ("u", "p")), auth=("u", "p"))


@on_requests
def test_a_timeout_in_its_place_goes_before_the_default(adapter: Adapter, hostile: Hostile) -> None:
    session: Any = adapter.client(token=TOKEN, default_timeout=70).native
    assert session.request("GET", hostile.url(), *[None] * 6, 30).status_code == 200


class OnlyThisApi(OAuth2Session):
    """A session of a program that gives its token to one API, by the method of requests that prepares a request."""

    def prepare_request(self, request: requests.Request) -> requests.PreparedRequest:
        assert request.auth is None
        if str(request.url).endswith("/with"):
            return super().prepare_request(request)
        return requests.Session.prepare_request(self, request)


def test_a_session_that_prepares_a_request_itself_decides_about_the_token(hostile: Hostile) -> None:
    with OnlyThisApi("c", token=TOKEN) as session:
        for path in ("/with", "/without"):
            session.get(hostile.url(path))
    assert [request.header("Authorization") for request in hostile.received] == ["Bearer at-1", None]


def test_a_method_works_after_the_name_of_the_class_was_replaced(
    hostile: Hostile, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Traced(OAuth2Session):
        """The class of another package."""

    monkeypatch.setattr(oauth2_session, "OAuth2Session", Traced)
    for kind in (OAuth2Session, Traced):
        with kind("c", token=TOKEN) as session:
            assert session.get(hostile.url()).status_code == 200

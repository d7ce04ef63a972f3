"""Where the token goes in a request to an API (RFC 6750 §2), and when it does not go at all."""

from typing import Any

import pytest
import requests

from doorkey.errors import MissingTokenError, UsageError
from doorkey.integrations.requests_client import OAuth2Session
from tests.support.every_adapter import Adapter, Client
from tests.support.hostile_server import Hostile, reply, token

TOKEN = {"access_token": "at-1"}


of_requests = pytest.mark.parametrize("adapter", ["requests"], indirect=True)


def client_of(adapter: Adapter, placement: str) -> Client:
    return adapter.client(token=TOKEN, token_placement=placement)


def test_the_header_is_where_it_goes_by_default(adapter: Adapter, hostile: Hostile) -> None:
    adapter.client(token=TOKEN).post(hostile.url("/api?a=1"), data={"b": "2"})
    request = hostile.received[0]
    assert request.header("authorization") == "Bearer at-1"
    assert request.target == "/api?a=1"
    assert request.body == b"b=2"


def test_an_authorization_of_the_callers_own_has_no_token_beside_it(adapter: Adapter, hostile: Hostile) -> None:
    adapter.client(token=TOKEN).get(hostile.url(), headers={"authorization": "Bearer theirs"})
    sent = [value for name, value in hostile.received[0].headers if name.lower() == "authorization"]
    assert sent == ["Bearer theirs"]


def test_it_can_go_into_the_query(adapter: Adapter, hostile: Hostile) -> None:
    client_of(adapter, "uri").get(hostile.url("/api?a=1&a=2"))
    request = hostile.received[0]
    assert request.target == "/api?a=1&a=2&access_token=at-1"
    assert request.header("authorization") is None


def test_it_can_go_into_the_form(adapter: Adapter, hostile: Hostile) -> None:
    client = client_of(adapter, "body")
    client.post(hostile.url(), data={"b": "ü&="})
    client.post(hostile.url())
    assert hostile.received[0].form == {"b": "ü&=", "access_token": "at-1"}
    assert hostile.received[1].form == {"access_token": "at-1"}
    for request in hostile.received:
        assert request.header("content-type") == "application/x-www-form-urlencoded"
        assert request.header("content-length") == str(len(request.body))
        assert request.header("authorization") is None


def test_a_body_that_no_parameter_can_be_added_to_is_refused(adapter: Adapter, hostile: Hostile) -> None:
    client = client_of(adapter, "body")
    with pytest.raises(UsageError, match="form-encoded"):
        client.post(hostile.url(), json={"b": 1})
    with pytest.raises(UsageError, match="form-encoded"):
        client.upload(hostile.url(), [b"a", b"b"])
    assert hostile.received == []


def test_an_unknown_placement_is_refused(adapter: Adapter) -> None:
    with pytest.raises(UsageError, match="token_placement"):
        adapter.client(token_placement="cookie")


def test_a_request_can_go_without_the_token(adapter: Adapter, hostile: Hostile) -> None:
    adapter.client(token=TOKEN).request("GET", hostile.url(), withhold_token=True)
    adapter.client().request("GET", hostile.url(), withhold_token=True)
    assert [request.header("authorization") for request in hostile.received] == [None, None]


@pytest.mark.parametrize("method", ["get", "options", "head", "post", "put", "patch", "delete"])
def test_every_method_can_go_without_the_token(adapter: Adapter, hostile: Hostile, method: str) -> None:
    client = adapter.client()
    client.call(method, hostile.url(), withhold_token=True)
    assert hostile.received[0].method == method.upper()
    assert hostile.received[0].header("authorization") is None


def test_an_auth_of_one_request_replaces_the_token(adapter: Adapter, hostile: Hostile) -> None:
    client = adapter.client(token=TOKEN)
    client.get(hostile.url(), auth=("u", "p"))
    client.get(hostile.url(), auth=adapter.kind.basic("u", "p"))
    assert {request.header("authorization") for request in hostile.received} == {"Basic dTpw"}


def prepared(client: Client, url: str, **options: Any) -> Any:
    """Return a request as the library prepares it in two steps, for `send`."""
    if client.kind.library is requests:
        return client.native.prepare_request(requests.Request("GET", url, **options))
    return client.native.build_request("GET", url, **options)


def test_a_request_that_was_to_carry_a_token_is_never_sent_without_it_though_made_and_sent_in_two_steps(
    adapter: Adapter, hostile: Hostile
) -> None:
    client, empty = adapter.client(token=TOKEN), adapter.client()
    answer: Any = client.call("send", prepared(client, hostile.url("/api?a=1"), headers={"X-Own": "1"}))
    assert answer.status_code == 200
    sent = hostile.received[0]
    assert [value for name, value in sent.headers if name.lower() == "authorization"] == ["Bearer at-1"]
    assert (sent.target, sent.header("x-own")) == ("/api?a=1", "1")
    with pytest.raises(MissingTokenError):
        empty.call("send", prepared(empty, hostile.url()))
    client.call("send", prepared(client, hostile.url(), headers={"Authorization": "Bearer theirs"}))
    assert [request.header("authorization") for request in hostile.received[1:]] == ["Bearer theirs"]


@pytest.mark.parametrize("placement", ["header", "uri", "body"])
def test_a_request_is_signed_once(adapter: Adapter, hostile: Hostile, placement: str) -> None:
    client, signed = client_of(adapter, placement), list[str]()

    def hook(url: str, headers: Any, body: Any) -> Any:
        signed.append(url)
        return url, headers, body

    client.native.register_compliance_hook("protected_request", hook)
    client.post(hostile.url(), data={"b": "2"})
    assert len(signed) == 1
    wire = f"{hostile.received[0]}"
    assert wire.count("at-1") == 1


@of_requests
def test_a_request_that_requests_prepared_keeps_its_own_auth_and_is_repeated_on_401(
    adapter: Adapter, hostile: Hostile
) -> None:
    hostile.on("/token", token("at-2"))
    hostile.on("/api", reply(401), reply(200))
    client = adapter.client(
        token={**TOKEN, "refresh_token": "rt-1"}, token_endpoint=hostile.token_endpoint, default_timeout=5
    )
    client.call("send", prepared(client, hostile.url()))
    client.call("send", prepared(client, hostile.url(), auth=("u", "p")))
    given = requests.Request("GET", hostile.url())
    client.native.prepare_request(given)
    assert given.auth is None, "the program's own object stays as it was"
    sent = [request.header("authorization") for request in hostile.to("/api")]
    assert sent == ["Bearer at-1", "Bearer at-2", "Basic dTpw"]


@of_requests
def test_positional_arguments_arrive_with_and_without_the_token(adapter: Adapter, hostile: Hostile) -> None:
    client = adapter.client(token=TOKEN)
    hostile.on("/api", reply(302, headers={"Location": "/elsewhere"}))
    before, after = (None, None, {"X-Own": "1"}, None, None), (5, False)  # …, headers, …; timeout, allow_redirects
    for auth, withheld in ((None, False), (None, True), (("u", "p"), True)):
        answer = client.native.request("GET", hostile.url(), *before, auth, *after, withhold_token=withheld)
        assert answer.status_code == 302
    sent = [(request.header("authorization"), request.header("x-own")) for request in hostile.received]
    assert sent == [("Bearer at-1", "1"), (None, "1"), ("Basic dTpw", "1")]


def test_the_hooks_of_a_prepared_request_show_no_token_and_no_body() -> None:
    session = OAuth2Session("c", token={"access_token": "marked-as-secret"}, token_placement="uri")
    request = requests.Request("POST", "https://api.example/", data={"password": "marked-as-secret"})
    prepared = session.prepare_request(request)
    assert "marked-as-secret" in str(prepared.url)
    assert "marked-as-secret" not in repr(prepared.hooks)

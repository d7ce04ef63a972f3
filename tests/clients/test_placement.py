"""Where the token goes in a request to an API (RFC 6750 §2), and when it does not go at all."""

import pytest

from doorkey.errors import UsageError
from tests.clients.adapters import Adapter, Client
from tests.clients.hostile import Hostile

TOKEN = {"access_token": "at-1"}


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

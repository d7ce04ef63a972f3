"""What a token was asked for with is said again: by `refresh_token()` as by the renewal before expiry."""

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

import pytest

from doorkey.errors import InvalidGrant, MissingTokenError, UsageError
from tests.support.every_adapter import Adapter, Client
from tests.support.fake_clock import Clock
from tests.support.hostile_server import Hostile, Received, reply, token

EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
ASKED: list[dict[str, Any]] = [
    {"username": "u", "password": "p"},
    {},
    {"grant_type": EXCHANGE, "subject_token": "st"},
    {"grant_type": "urn:x"},
]
FOR_WHOM = {"audience": ["a-1", "a-2"], "resource": "https://api.example"}
REPEATED = [("audience", "a-1"), ("audience", "a-2"), ("resource", "https://api.example")]


def by_hand(client: Client, clock: Clock, hostile: Hostile) -> None:
    client.refresh_token()


def by_itself(client: Client, clock: Clock, hostile: Hostile) -> None:
    clock.advance(300)
    client.get(hostile.url())


renewing = pytest.mark.parametrize("renew", [by_hand, by_itself])
Renewing = Callable[[Client, Clock, Hostile], None]


def parameters(request: Received) -> list[tuple[str, str]]:
    return parse_qsl(request.body.decode())


def for_whom(request: Received) -> list[tuple[str, str]]:
    return [pair for pair in parameters(request) if pair[0] in FOR_WHOM]


def asked_for(adapter: Adapter, hostile: Hostile, clock: Clock, **how: Any) -> Client:
    hostile.on("/token", token("at-1", refresh_token="rt-1"), token("at-2", refresh_token="rt-2"), token("at-3"))
    client = adapter.client(token_endpoint=hostile.token_endpoint, clock=clock)
    client.fetch_token(**how)
    return client


@renewing
@pytest.mark.parametrize("how", ASKED, ids=str)
def test_a_refresh_repeats_the_audience(
    adapter: Adapter, hostile: Hostile, clock: Clock, how: dict[str, Any], renew: Renewing
) -> None:
    client = asked_for(adapter, hostile, clock, **how, **FOR_WHOM)
    renew(client, clock, hostile)
    renew(client, clock, hostile)
    first, *renewals = hostile.token_requests
    assert for_whom(first) == REPEATED
    assert [one.form["refresh_token"] for one in renewals] == ["rt-1", "rt-2"]
    assert [for_whom(one) for one in renewals] == [REPEATED, REPEATED]
    assert all("scope" not in one.form for one in renewals)


@renewing
def test_a_refresh_has_the_headers_and_the_method_of_the_first_request(
    adapter: Adapter, hostile: Hostile, clock: Clock, renew: Renewing
) -> None:
    client = asked_for(adapter, hostile, clock, method="GET", headers={"X-Tenant": "7"})
    renew(client, clock, hostile)
    assert [(one.method, one.header("x-tenant")) for one in hostile.to("/token")] == [("GET", "7")] * 2


def test_an_argument_of_a_call_overrides_the_option(adapter: Adapter, hostile: Hostile, clock: Clock) -> None:
    client = asked_for(adapter, hostile, clock, headers={"X-Tenant": "7"}, **FOR_WHOM)
    client.refresh_token(audience="mine", headers={"X-Tenant": "8"})
    request = hostile.token_requests[-1]
    assert for_whom(request) == [REPEATED[2], ("audience", "mine")]
    assert request.header("x-tenant") == "8"


def test_a_refresh_token_that_is_not_the_sessions_own_is_used_for_nothing_of_its_own(
    adapter: Adapter, hostile: Hostile, clock: Clock
) -> None:
    client = asked_for(adapter, hostile, clock, username="alice", password="p", **FOR_WHOM)
    client.refresh_token(refresh_token="of-bob")
    assert for_whom(hostile.token_requests[-1]) == []
    hostile.on("/token", reply(400, json={"error": "invalid_grant"}))
    clock.advance(300)
    with pytest.raises(InvalidGrant):
        client.get(hostile.url())
    assert hostile.token_requests[-1].form["grant_type"] == "refresh_token", "never Alice's password again"


def test_the_refresh_grant_by_its_name_uses_the_method_of_the_call(
    adapter: Adapter, hostile: Hostile, clock: Clock
) -> None:
    client = asked_for(adapter, hostile, clock)
    client.fetch_token(grant_type="refresh_token", method="GET")
    request = hostile.to("/token")[-1]
    assert (request.method, request.query["grant_type"], request.query["refresh_token"]) == (
        "GET",
        "refresh_token",
        "rt-1",
    )


def test_a_refresh_without_a_refresh_token_is_an_error(adapter: Adapter, hostile: Hostile, clock: Clock) -> None:
    hostile.on("/token", token("at-1"))
    client = adapter.client(token_endpoint=hostile.token_endpoint, clock=clock)
    client.fetch_token()
    with pytest.raises(MissingTokenError):
        client.refresh_token()


@pytest.mark.parametrize("nothing", ["", [], None])
def test_an_empty_scope_is_omitted(adapter: Adapter, hostile: Hostile, clock: Clock, nothing: Any) -> None:
    hostile.on("/token", token("at-1"))
    client = adapter.client(token_endpoint=hostile.token_endpoint, clock=clock)
    client.fetch_token(scope=nothing)
    client.refresh_token(refresh_token="rt", scope=nothing)
    assert all("scope" not in one.form for one in hostile.token_requests)


def test_an_empty_scope_asks_for_none_of_the_sessions(adapter: Adapter, hostile: Hostile, clock: Clock) -> None:
    hostile.on("/token", token("at-1"))
    client = adapter.client(token_endpoint=hostile.token_endpoint, clock=clock, scope="read")
    client.fetch_token(scope="")
    assert "scope" not in hostile.token_requests[0].form


def test_asking_for_what_happens_anyway_is_no_error(adapter: Adapter, hostile: Hostile) -> None:
    hostile.on("/any", token("at-1", refresh_token="rt-1", active=True))
    client, url = adapter.client(), hostile.url("/any")
    refused = client.native._oauth.library.refused_options
    assert {"cookies", "json", "files", "params"} <= refused
    for nothing in (None, False):
        anyway = dict.fromkeys(refused, nothing)
        client.fetch_token(url, **anyway)
        client.refresh_token(url, **anyway)
        client.introspect_token(url, **anyway)
        client.revoke_token(url, **anyway)
    assert not any(refused & request.form.keys() for request in hostile.received)
    with pytest.raises(UsageError, match="does not apply"):
        client.fetch_token(url, json={"a": 1})

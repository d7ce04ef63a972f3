"""Compliance hooks: a user's own functions that mend what a server does wrong."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from doorkey.auth import OAuth2Auth
from doorkey.common.urls import add_params_to_uri
from doorkey.errors import InvalidResponse, UsageError
from tests.support.every_adapter import Adapter, Client
from tests.support.fake_clock import START, Clock
from tests.support.hostile_server import Hostile, reply, token

OLD = {"access_token": "at-1", "refresh_token": "rt-1", "expires_at": START + 300, "expires_in": 300}

CALLS: dict[str, Callable[[Client, str], object]] = {
    "access_token_response": lambda client, url: client.fetch_token(url),
    "refresh_token_request": lambda client, url: client.refresh_token(url),
    "refresh_token_response": lambda client, url: client.refresh_token(url),
    "revoke_token_request": lambda client, url: client.revoke_token(url),
    "introspect_token_request": lambda client, url: client.introspect_token(url),
    "protected_request": lambda client, url: client.get(url),
}
every_kind = pytest.mark.parametrize("kind", list(CALLS))


def prepared(adapter: Adapter, hostile: Hostile, **options: Any) -> Client:
    hostile.on("/any", token("at-2", refresh_token="rt-2", active=True))
    return adapter.client(token=OLD, clock=lambda: START, **options)


@every_kind
def test_hooks_of_a_kind_run_in_the_order_registered(adapter: Adapter, hostile: Hostile, kind: str) -> None:
    client, order = prepared(adapter, hostile), list[str]()
    for name in "abc":

        def hook(*given: Any, name: str = name) -> Any:
            order.append(name)
            return given[0] if len(given) == 1 else given

        client.native.register_compliance_hook(kind, hook)
    CALLS[kind](client, hostile.url("/any"))
    assert order == ["a", "b", "c"]


@every_kind
def test_no_hook_runs_for_another_kind(adapter: Adapter, hostile: Hostile, kind: str) -> None:
    client, ran = prepared(adapter, hostile), list[str]()

    def hook(*given: Any) -> Any:
        ran.append(kind)
        return given[0] if len(given) == 1 else given

    client.native.register_compliance_hook(kind, hook)
    for other, call in CALLS.items():
        if {other, kind} != {"refresh_token_request", "refresh_token_response"} and other != kind:
            call(client, hostile.url("/any"))
    assert ran == []


@every_kind
def test_an_asynchronous_hook_is_awaited_or_refused(adapter: Adapter, hostile: Hostile, kind: str) -> None:
    client, ran = prepared(adapter, hostile), list[str]()

    async def hook(*given: Any) -> Any:
        ran.append(kind)
        return given[0] if len(given) == 1 else given

    client.native.register_compliance_hook(kind, hook)
    if adapter.kind.is_async:
        CALLS[kind](client, hostile.url("/any"))
        assert ran == [kind]
    else:
        with pytest.raises(UsageError, match="asynchronous"):
            CALLS[kind](client, hostile.url("/any"))


@every_kind
def test_a_hook_that_returns_nothing_is_named(adapter: Adapter, hostile: Hostile, kind: str) -> None:
    client = prepared(adapter, hostile)

    def forgetful(*given: Any) -> None: ...

    client.native.register_compliance_hook(kind, forgetful)
    with pytest.raises(UsageError, match="forgetful must return"):
        CALLS[kind](client, hostile.url("/any"))


@every_kind
def test_what_a_hook_raises_reaches_the_caller(adapter: Adapter, hostile: Hostile, kind: str) -> None:
    class OwnError(Exception): ...

    def failing(*given: Any) -> Any:
        raise OwnError

    client = prepared(adapter, hostile)
    client.native.register_compliance_hook(kind, failing)
    with pytest.raises(OwnError):
        CALLS[kind](client, hostile.url("/any"))


def test_an_unknown_kind_names_the_nearest(adapter: Adapter) -> None:
    with pytest.raises(UsageError, match="did you mean 'access_token_response'"):
        adapter.client().native.register_compliance_hook("access_token_responce", print)


@pytest.mark.parametrize("kind", ["access_token_response", "refresh_token_response"])
def test_response_hooks_get_and_may_change_the_http_librarys_own_response(
    adapter: Adapter, hostile: Hostile, kind: str
) -> None:
    hostile.on("/any", reply(200, '{"data":{"access_token":"at-9","token_type":"Bearer"}}', {"X-Seen": "yes"}))
    client = adapter.client(token=OLD)
    library = adapter.kind.library

    def unwrap(response: Any) -> Any:
        assert isinstance(response, library.Response)
        assert response.status_code == 200
        assert response.headers["x-seen"] == "yes"
        response.headers["Content-Type"] = "application/json"
        response._content = json.dumps(response.json()["data"]).encode()
        return response

    with pytest.raises(InvalidResponse):
        CALLS[kind](client, hostile.url("/any"))
    client.native.register_compliance_hook(kind, unwrap)
    CALLS[kind](client, hostile.url("/any"))
    assert client.access_token == "at-9"


def test_a_missing_token_type_can_be_mended(adapter: Adapter, hostile: Hostile) -> None:
    hostile.on("/token", reply(200, '{"access_token":"at-1"}'))

    def add_token_type(response: Any) -> Any:
        response._content = b'{"access_token":"at-1","token_type":"bearer"}'
        return response

    client = adapter.client()
    client.native.register_compliance_hook("access_token_response", add_token_type)
    assert client.fetch_token(hostile.token_endpoint).token_type == "Bearer"


@pytest.mark.parametrize("kind", ["access_token_response", "refresh_token_response"])
def test_a_hook_may_mend_the_response_by_a_json_of_its_own(adapter: Adapter, hostile: Hostile, kind: str) -> None:
    hostile.on("/any", reply(200, '{"access_token":"at-9"}'))
    client = adapter.client(token=OLD)

    def fix(resp: Any) -> Any:
        token = resp.json()
        token["token_type"] = "Bearer"
        resp.json = lambda: token
        return resp

    client.native.register_compliance_hook(kind, fix)
    CALLS[kind](client, hostile.url("/any"))
    assert client.access_token == "at-9"


@pytest.mark.parametrize("mended", [7, lambda: {"access_token": object()}, lambda: float("nan")])
def test_a_json_of_a_hook_that_is_none_is_a_usage_error(adapter: Adapter, hostile: Hostile, mended: Any) -> None:
    client = prepared(adapter, hostile)

    def fix(resp: Any) -> Any:
        resp.json = mended
        return resp

    client.native.register_compliance_hook("access_token_response", fix)
    with pytest.raises(UsageError, match="json"):
        client.fetch_token(hostile.url("/any"))


@pytest.mark.parametrize("kind", ["refresh_token_request", "revoke_token_request", "introspect_token_request"])
def test_request_hooks_may_change_all_of_it_before_it_is_authenticated(
    adapter: Adapter, hostile: Hostile, kind: str
) -> None:
    client = prepared(adapter, hostile)

    def mend(url: str, headers: Any, body: str) -> Any:
        assert "client_id" not in body
        return url + "?tenant=7", {**headers, "X-Mended": "yes"}, body + "&more=1"

    client.native.register_compliance_hook(kind, mend)
    CALLS[kind](client, hostile.url("/any"))
    request = hostile.received[0]
    assert request.target == "/any?tenant=7"
    assert request.header("x-mended") == "yes"
    assert request.form["more"] == "1"
    assert request.form["client_id"] == "a-client"


def test_the_documents_hook_for_a_token_in_another_parameter(adapter: Adapter, hostile: Hostile) -> None:
    session = adapter.client(token=OLD, clock=lambda: START).native

    def _non_compliant_param_name(url: Any, headers: Any, data: Any) -> Any:
        access_token = session.token.get("access_token")
        token = [("oauth2_access_token", access_token)]
        url = add_params_to_uri(url, token)
        return url, headers, data

    session.register_compliance_hook("protected_request", _non_compliant_param_name)
    client = Client(session, adapter.kind, adapter.caller)
    client.get(hostile.url("/api?a=1"))
    assert hostile.received[0].query == {"a": "1", "oauth2_access_token": "at-1"}


def test_a_protected_request_hook_may_change_headers_and_body(adapter: Adapter, hostile: Hostile) -> None:
    client = prepared(adapter, hostile)

    def sign(url: str, headers: Any, body: Any) -> Any:
        return url, {**headers, "X-Signature": "s"}, (body or b"") + b"!"

    client.native.register_compliance_hook("protected_request", sign)
    client.post(hostile.url(), **{adapter.kind.upload: b"body"})
    request = hostile.received[0]
    assert request.body == b"body!"
    assert request.header("x-signature") == "s"
    assert request.header("authorization") == "Bearer at-1"


def test_hooks_see_renewals_too(adapter: Adapter, hostile: Hostile, clock: Clock) -> None:
    hostile.on("/token", token("at-2"))
    client = adapter.client(token=OLD, clock=clock, token_endpoint=hostile.token_endpoint)
    seen: list[str] = []

    def request(url: str, headers: Any, body: Any) -> Any:
        seen.append("request")
        return url, headers, body

    def response(answer: Any) -> Any:
        seen.append("response")
        return answer

    client.native.register_compliance_hook("refresh_token_request", request)
    client.native.register_compliance_hook("refresh_token_response", response)
    clock.advance(300)
    client.get(hostile.url())
    assert seen == ["request", "response"]


def test_a_hook_takes_no_token_beyond_the_allowed_origins(adapter: Adapter, hostile: Hostile) -> None:
    client = adapter.client(token=OLD, clock=lambda: START)
    only_here = OAuth2Auth(client.native, allowed_origins=[hostile.url("")])
    leads: list[str] = [hostile.url("/elsewhere"), hostile.url("/api", host="localhost")]

    def lead(_: str, headers: Any, body: Any) -> Any:
        return leads.pop(0), headers, body

    client.native.register_compliance_hook("protected_request", lead)
    assert client.get(hostile.url(), auth=only_here).status_code == 200
    with pytest.raises(UsageError, match="allowed_origins="):
        client.get(hostile.url(), auth=only_here)
    assert [request.path for request in hostile.received] == ["/elsewhere"]


def test_a_hook_and_a_revocation_get_headers_beyond_ascii(adapter: Adapter, hostile: Hostile) -> None:
    notes = list[str]()

    def note(response: Any) -> Any:
        notes.append(response.headers["X-Note"])
        return response

    hostile.on("/token", token("at-1").replace(b"\r\n", b"\r\nX-Note: caf\xe9\r\n", 1))
    hostile.on("/revoke", reply(200, "", {"X-Note": "caf\xe9"}))
    client = adapter.client("c", "s", token_endpoint=hostile.token_endpoint)
    client.native.register_compliance_hook("access_token_response", note)
    client.fetch_token()
    notes.append(client.revoke_token(hostile.url("/revoke")).headers["X-Note"])
    assert notes == ["caf\xe9"] * 2

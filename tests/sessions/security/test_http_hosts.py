"""`ExchangePolicy(http_hosts=…)` of a session: plain http to the hosts that it names, on every path."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest

from doorkey.discovery import discover
from doorkey.errors import UsageError
from doorkey.wire.limits import ExchangePolicy
from tests.support.every_adapter import Adapter
from tests.support.hostile_server import Hostile, reply, token
from tests.support.named_servers import Names

HOST = "keycloak"
POLICY = ExchangePolicy(http_hosts={HOST})
HOME = "https://app.example/callback"
KINDS = ("token", "authorization", "revocation", "introspection")


@pytest.fixture
def place(hostile: Hostile, names: Names) -> Callable[[str], str]:
    """The server by a name that no DNS has; its issuer is published."""
    names.lead(HOST, "127.0.0.1")
    names.lead("another", "127.0.0.1")

    def at(path: str) -> str:
        return hostile.url(path, host=HOST)

    endpoints = {f"{kind}_endpoint": at(f"/{kind}") for kind in KINDS}
    hostile.on("/.well-known/openid-configuration", reply(json={"issuer": at(""), **endpoints}))
    hostile.on("/token", token("at-1", refresh_token="rt-1"))
    hostile.on("/revocation", reply(200))
    hostile.on("/introspection", reply(json={"active": True}))
    return at


def ways(place: Callable[[str], str]) -> list[dict[str, Any]]:
    """What a session may be given to know its server."""
    endpoints = {f"{kind}_endpoint": place(f"/{kind}") for kind in KINDS}
    found = discover(place(""), exchange=POLICY)
    return [{"issuer": place("")}, endpoints, {"metadata": {"issuer": place(""), **endpoints}}, {"metadata": found}]


def test_every_operation_of_a_session_reaches_a_named_host(adapter: Adapter, place: Callable[[str], str]) -> None:
    for way in ways(place):
        client = adapter.client("c", "s", redirect_uri=HOME, exchange=POLICY, **way)
        assert client.fetch_token()["access_token"] == "at-1"
        assert client.refresh_token()["access_token"] == "at-1"
        assert urlsplit(client.create_authorization_url()[0]).hostname == HOST
        assert client.introspect_token().active
        client.revoke_token()


def test_a_url_of_a_call_may_be_that_of_a_named_host(adapter: Adapter, place: Callable[[str], str]) -> None:
    client = adapter.client("c", "s", exchange=POLICY)
    assert client.fetch_token(place("/token"))["access_token"] == "at-1"
    assert client.introspect_token(place("/introspection")).active
    client.revoke_token(place("/revocation"))
    assert client.create_authorization_url(place("/authorization"))[0].startswith(place("/authorization"))


@pytest.mark.parametrize("policy", [None, ExchangePolicy(), ExchangePolicy(http_hosts={"another"})], ids=str)
def test_a_host_that_is_not_named_is_refused_before_anything_is_sent(
    adapter: Adapter, hostile: Hostile, place: Callable[[str], str], policy: ExchangePolicy | None
) -> None:
    several = ways(place)
    hostile.received.clear()
    for way in several:
        with pytest.raises(UsageError, match=r"exchange=ExchangePolicy\(http_hosts=\{'keycloak'\}\)"):
            adapter.client("c", "s", exchange=policy, **way)
    client = adapter.client("c", "s", exchange=policy, token={"access_token": "at", "refresh_token": "rt"})
    for call in (client.fetch_token, client.refresh_token, client.introspect_token, client.revoke_token):
        with pytest.raises(UsageError, match="http_hosts"):
            call(place("/any"))
    with pytest.raises(UsageError, match="http_hosts"):
        client.create_authorization_url(place("/any"))
    assert hostile.received == []


def test_an_endpoint_that_is_assigned_may_be_at_a_named_host_and_at_no_other(
    adapter: Adapter, place: Callable[[str], str]
) -> None:
    client = adapter.client("c", "s", exchange=POLICY)
    client.native.token_endpoint = place("/token")
    assert client.fetch_token()["access_token"] == "at-1"
    with pytest.raises(UsageError, match="http_hosts"):
        client.native.token_endpoint = "http://another/token"
    with pytest.raises(UsageError, match="http_hosts"):
        adapter.client("c", "s").native.token_endpoint = place("/token")


def test_a_hook_may_keep_plain_http_to_the_same_host_and_not_choose_another(
    adapter: Adapter, hostile: Hostile, place: Callable[[str], str]
) -> None:
    target = {"url": place("/token?tenant=1")}

    def changed(url: str, headers: Any, body: Any) -> Any:
        return target["url"], headers, body

    client = adapter.client(
        "c", "s", token_endpoint=place("/token"), exchange=POLICY, token={"access_token": "at", "refresh_token": "rt"}
    )
    client.native.register_compliance_hook("refresh_token_request", changed)
    client.refresh_token()
    target["url"] = hostile.url("/token", host="another")
    with pytest.raises(UsageError, match="must be https"):
        client.refresh_token()
    assert [request.query for request in hostile.token_requests] == [{"tenant": "1"}]


def test_a_client_authentication_method_may_keep_plain_http_to_the_same_host_and_not_choose_another(
    adapter: Adapter, hostile: Hostile, place: Callable[[str], str]
) -> None:
    target = {"url": place("/token?tenant=1")}

    def method(_client: Any, _method: str, _url: str, headers: Any, body: Any) -> Any:
        return target["url"], headers, body

    client = adapter.client("c", "s", token_endpoint=place("/token"), exchange=POLICY)
    client.fetch_token(auth=method)
    target["url"] = hostile.url("/token", host="another")
    with pytest.raises(UsageError, match="must be https"):
        client.fetch_token(auth=method)
    assert [request.query for request in hostile.token_requests] == [{"tenant": "1"}]

"""A request to an authorization server as it leaves, after hooks and client authentication: where to, and with what."""

from collections.abc import Callable
from typing import Any

import pytest
import requests

from doorkey.errors import UsageError
from tests.support.every_adapter import Adapter, Client
from tests.support.hostile_server import Hostile, token

OLD = {"access_token": "at-1", "refresh_token": "rt-1"}
REFUSED = [
    "http://as.example/token",
    "ftp://as.example/token",
    "no url",
    "https://u:p@as.example/",
    "https://as/#f",
    "",
    5,
]

CALLS: dict[str, Callable[[Client, str], object]] = {
    "refresh_token_request": lambda client, url: client.refresh_token(url),
    "revoke_token_request": lambda client, url: client.revoke_token(url),
    "introspect_token_request": lambda client, url: client.introspect_token(url),
}


@pytest.mark.parametrize("kind", list(CALLS))
@pytest.mark.parametrize("url", REFUSED, ids=str)
def test_a_url_that_a_hook_returns_is_an_endpoint_like_any_other(
    adapter: Adapter, hostile: Hostile, kind: str, url: Any
) -> None:
    client = adapter.client(token=OLD)

    def lead(_: str, headers: Any, body: Any) -> Any:
        return url, headers, body

    client.native.register_compliance_hook(kind, lead)
    with pytest.raises(UsageError, match=f"URL of a {kind} hook"):
        CALLS[kind](client, hostile.token_endpoint)
    assert hostile.received == []


@pytest.mark.parametrize("url", REFUSED, ids=str)
def test_a_url_that_a_client_authentication_method_returns_is_an_endpoint_like_any_other(
    adapter: Adapter, hostile: Hostile, url: Any
) -> None:
    client = adapter.client(token_endpoint=hostile.token_endpoint)

    def lead(_: Any, method: str, uri: str, headers: Any, body: str) -> Any:
        return url, headers, body

    with pytest.raises(UsageError, match="URL that a client authentication method returns"):
        client.fetch_token(auth=lead)
    assert hostile.received == []


def test_headers_may_be_bytes(adapter: Adapter, hostile: Hostile) -> None:
    hostile.on("/token", token())
    adapter.client(token_endpoint=hostile.token_endpoint).fetch_token(headers={b"X-Name": b"7", "X-Count": 3})
    assert hostile.received[0].header("x-name") == "7"
    assert hostile.received[0].header("x-count") == "3"


@pytest.mark.parametrize("headers", [5, "X-A: b", ["X-A"], {"X-A": None}, {"X-A": ["b"]}])
def test_headers_that_are_none_are_a_usage_error(adapter: Adapter, hostile: Hostile, headers: Any) -> None:
    client = adapter.client(token_endpoint=hostile.token_endpoint)
    with pytest.raises(UsageError, match="headers= must be a mapping"):
        client.fetch_token(headers=headers)
    assert hostile.received == []


@pytest.mark.parametrize("header", [("X-A", "a\r\nX-B: b"), ("X-A", "a\nb"), ("X-A\r\nX-B", "b")])
def test_a_header_does_not_begin_another_one(adapter: Adapter, hostile: Hostile, header: tuple[str, str]) -> None:
    name, value = header
    client = adapter.client(token_endpoint=hostile.token_endpoint, token_request_headers={name: value})
    with pytest.raises(UsageError, match="a character that HTTP does not allow"):
        client.fetch_token()
    assert hostile.received == []


def test_a_client_authentication_method_may_set_a_header_in_bytes(adapter: Adapter, hostile: Hostile) -> None:
    hostile.on("/token", token())

    def method(_: Any, method: str, uri: str, headers: Any, body: str) -> Any:
        return uri, {**headers, "Authorization": b"Basic Zm9v"}, body

    client = adapter.client(token_endpoint=hostile.token_endpoint)
    client.fetch_token(auth=method)
    assert hostile.received[0].header("authorization") == "Basic Zm9v"


@pytest.mark.parametrize("adapter", ["requests"], indirect=True)  # headers of httpx and httpx2 are always text
def test_an_auth_object_of_requests_may_set_a_header_in_bytes(adapter: Adapter, hostile: Hostile) -> None:
    hostile.on("/token", token())

    def sign(request: requests.PreparedRequest) -> requests.PreparedRequest:
        headers: Any = request.headers
        headers["Authorization"] = b"Basic Zm9v"  # as some programs do
        return request

    adapter.client(token_endpoint=hostile.token_endpoint).fetch_token(auth=sign)
    assert hostile.received[0].header("authorization") == "Basic Zm9v"


@pytest.mark.parametrize("half", [{"username": "alice"}, {"password": "wonderland"}], ids=str)
@pytest.mark.parametrize("session", [{}, {"grant_type": "client_credentials"}], ids=str)
def test_half_an_account_is_not_sent_with_client_credentials(
    adapter: Adapter, hostile: Hostile, half: dict[str, str], session: dict[str, str]
) -> None:
    client = adapter.client(token_endpoint=hostile.token_endpoint, **session)
    with pytest.raises(UsageError, match="needs username= and password="):
        client.fetch_token(**half)
    assert hostile.received == []


@pytest.mark.parametrize("account", [{"username": "a"}, {"password": "p"}, {"username": "a", "password": "p"}], ids=str)
def test_an_account_is_not_sent_with_a_code(adapter: Adapter, hostile: Hostile, account: dict[str, str]) -> None:
    client = adapter.client(token_endpoint=hostile.token_endpoint)
    with pytest.raises(UsageError, match="belong to different grants"):
        client.fetch_token(code="c", **account)
    assert hostile.received == []


def test_a_grant_that_is_named_may_have_a_username_alone(adapter: Adapter, hostile: Hostile) -> None:
    hostile.on("/token", token())
    client = adapter.client(token_endpoint=hostile.token_endpoint)
    client.fetch_token(grant_type="urn:example:by-name", username="alice")
    assert hostile.received[0].form["username"] == "alice"


@pytest.mark.parametrize(
    ("method", "parameter"),
    [
        *((method, name) for method in ("POST", "GET") for name in ("grant_type", "client_id", "scope", "tenant")),
        ("POST", "client_secret"),
    ],
)
def test_a_parameter_that_the_token_endpoints_query_gives_another_value_is_refused(
    adapter: Adapter, hostile: Hostile, parameter: str, method: str
) -> None:
    how = {"auth": "client_secret_post" if method == "POST" else "none", "method": method}
    client = adapter.client("c", "s", scope="a", token_endpoint=hostile.url(f"/token?{parameter}=other"))
    with pytest.raises(UsageError, match=f"{parameter!r} is in the URL of the endpoint already"):
        client.fetch_token(tenant="7", **how)
    assert hostile.received == []


@pytest.mark.parametrize("method", ["POST", "GET"])
def test_a_parameter_in_the_token_endpoints_query_is_not_repeated(
    adapter: Adapter, hostile: Hostile, method: str
) -> None:
    hostile.on("/token", token())
    query = "p=1&client_id=a-client&grant_type=client_credentials&resource=https://a"
    client = adapter.client(token_endpoint=hostile.url(f"/token?{query}"))
    client.fetch_token(method=method, resource="https://b")
    sent = hostile.received[0]
    assert sent.target.startswith(f"/token?{query}")
    assert (sent.target + "&" + sent.body.decode()).count("client_id=") == 1
    assert (sent.target + "&" + sent.body.decode()).count("grant_type=") == 1
    assert "resource=https%3A%2F%2Fb" in sent.target + sent.body.decode()  # several are meant (RFC 8707 §2)


@pytest.mark.parametrize("name", ["token", "token_type_hint", "client_id"])
def test_a_parameter_that_another_endpoints_query_gives_another_value_is_refused(
    adapter: Adapter, hostile: Hostile, name: str
) -> None:
    client, url = adapter.client(token=OLD), hostile.url(f"/any?{name}=other")
    for call in (client.revoke_token, client.introspect_token):
        with pytest.raises(UsageError, match=f"{name!r} is in the URL of the endpoint already"):
            call(url, token="rt-1", token_type_hint="refresh_token")
    assert hostile.received == []


@pytest.mark.parametrize("name", ["state", "client_id", "response_type", "redirect_uri", "scope", "nonce", "tenant"])
def test_reserved_parameters_cannot_be_overridden_by_the_authorization_endpoints_query(
    adapter: Adapter, name: str
) -> None:
    client = adapter.client(redirect_uri="https://rp.example/cb", scope="openid")
    with pytest.raises(UsageError, match=f"{name!r} is in the URL of the endpoint already"):
        client.create_authorization_url(f"https://as.example/authorize?{name}=other", tenant="7")
    with pytest.raises(UsageError, match=f"{name!r} is in the URL of the endpoint already"):
        client.begin_authorization(f"https://as.example/authorize?{name}=other", tenant="7")


def test_a_parameter_in_the_authorization_endpoints_query_is_not_repeated(adapter: Adapter) -> None:
    url, _ = adapter.client().create_authorization_url("https://as.example/authorize?p=1&client_id=a-client")
    assert url.startswith("https://as.example/authorize?p=1&client_id=a-client&")
    assert url.count("client_id=") == 1

"""What stands in for a server in users' own tests stands in for the authorization server too: no secret leaves."""

import sys
from typing import Any

import httpx
import httpx2
import pytest
import requests
import requests_mock
from requests.adapters import BaseAdapter

from doorkey import OAuthError
from doorkey.errors import TransportError
from doorkey.integrations.httpx_client import on
from doorkey.integrations.requests_client import OAuth2Session
from tests.support.every_adapter import Adapter
from tests.support.hostile_server import Hostile, token

TOKEN_ENDPOINT = "https://as.example/token"
ANSWER = {"access_token": "at", "token_type": "Bearer"}


def session(**options: Any) -> OAuth2Session:
    return OAuth2Session("c", "s", token_endpoint=TOKEN_ENDPOINT, **options)


def answered(body: bytes, status: int = 200, headers: dict[str, str] | None = None) -> requests.Response:
    response = requests.Response()
    response.status_code, response._content = status, body
    response.headers.update(headers or {"Content-Type": "application/json"})
    return response


def test_requests_mock_stands_in_for_the_token_endpoint() -> None:
    with requests_mock.Mocker() as server, session() as client:
        server.post(TOKEN_ENDPOINT, json=ANSWER)
        server.get("https://api.example/", text="hello")
        assert client.fetch_token()["access_token"] == "at"
        assert client.get("https://api.example/").text == "hello"
        assert [request.url for request in server.request_history] == [TOKEN_ENDPOINT, "https://api.example/"]
        assert server.last_request.headers["Authorization"] == "Bearer at"


def test_what_requests_mock_does_not_know_is_a_typed_error() -> None:
    with requests_mock.Mocker(), session() as client, pytest.raises(TransportError):
        client.fetch_token()


class Caching(requests.Session):
    """What a library such as requests-cache puts in the place of `requests.Session`."""

    def __init__(self, *, cache: str) -> None:
        super().__init__()
        self.cache = cache

    def send(self, request: requests.PreparedRequest, **how: Any) -> requests.Response:
        raise AssertionError(f"asked the {self.cache}")


@pytest.mark.parametrize("first", [True, False])
def test_another_class_in_the_place_of_session_carries_no_token_request(
    hostile: Hostile, monkeypatch: pytest.MonkeyPatch, first: bool
) -> None:
    hostile.on("/token", token("at-1"))
    module = "doorkey.transport.bare_session"
    if first:  # the class is replaced before the first token request of the process
        monkeypatch.delitem(sys.modules, module, raising=False)
    monkeypatch.setattr(requests, "Session", Caching)
    monkeypatch.setattr(requests.sessions, "Session", Caching)
    with OAuth2Session("c", "s", token_endpoint=hostile.token_endpoint) as client:
        assert client.fetch_token()["access_token"] == "at-1"


def test_a_patched_class_gets_the_token_request(monkeypatch: pytest.MonkeyPatch) -> None:
    def send(_: requests.Session, request: requests.PreparedRequest, **how: Any) -> requests.Response:
        assert how["allow_redirects"] is False
        return answered(b"", 307, {"Location": "https://evil.example/"})

    monkeypatch.setattr(requests.Session, "send", send)
    with session() as client, pytest.raises(OAuthError) as raised:
        client.fetch_token()
    assert "redirect" in str(raised.value)


@pytest.mark.parametrize("verb", ["get", "options", "head", "post", "put", "patch", "delete"])
def test_a_patched_method_of_requests_is_that_of_the_session_too(verb: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def patched(_: requests.Session, url: str, **options: Any) -> tuple[str, dict[str, Any]]:
        return url, options

    monkeypatch.setattr(requests.Session, verb, patched)
    with session() as client:
        assert getattr(client, verb)("https://api.example/", withhold_token=True) == (
            *("https://api.example/", {"withhold_token": True}),
        )


@pytest.mark.parametrize("library", [httpx2, httpx])
def test_a_mock_transport_stands_in_for_the_token_endpoint(library: Any) -> None:
    def handler(request: Any) -> Any:
        return library.Response(200, json=ANSWER)

    transport = library.MockTransport(handler)
    with on(library).OAuth2Client("c", "s", token_endpoint=TOKEN_ENDPOINT, transport=transport) as client:
        assert client.fetch_token()["access_token"] == "at"


class Odd(BaseAdapter):
    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error

    def send(self, *_: Any, **__: Any) -> Any:
        raise self.error

    def close(self) -> None:
        """Nothing."""


ODD = [RecursionError("too deep"), KeyError("x"), UnicodeError("label too long"), AttributeError("a bug")]


@pytest.mark.parametrize("error", ODD, ids=lambda error: type(error).__name__)
def test_what_an_adapter_of_the_users_own_raises_is_a_typed_error_with_its_cause(error: Exception) -> None:
    with session() as client:
        client.mount("https://", Odd(error))
        with pytest.raises(TransportError) as raised:
            client.fetch_token()
    assert raised.value.__cause__ is error
    assert type(error).__name__ in str(raised.value)


@pytest.mark.parametrize("error", ODD, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("library", [httpx2, httpx])
def test_what_a_transport_of_the_users_own_raises_is_a_typed_error_with_its_cause(
    library: Any, error: Exception
) -> None:
    def handler(_: Any) -> Any:
        raise error

    transport = library.MockTransport(handler)
    client = on(library).OAuth2Client("c", "s", token_endpoint=TOKEN_ENDPOINT, transport=transport)
    with client, pytest.raises(TransportError) as raised:
        client.fetch_token()
    assert raised.value.__cause__ is error


@pytest.mark.parametrize("host", ["a" * 70 + ".example", "a..example", "xn--" + "a" * 70])
def test_a_name_that_cannot_be_looked_up_is_a_typed_error(adapter: Adapter, host: str) -> None:
    with pytest.raises(OAuthError):
        adapter.client("c", "s", token_endpoint=f"https://{host}/token").fetch_token()


def test_a_response_that_sets_a_cookie_leaves_none_anywhere(hostile: Hostile) -> None:
    hostile.on("/token", token().replace(b"\r\n", b"\r\nSet-Cookie: a=b; Path=/\r\n", 1), token())
    with OAuth2Session("c", "s", token_endpoint=hostile.token_endpoint) as client:
        client.fetch_token()
        client.fetch_token()
        assert list(client.cookies) == []
    assert all(request.header("cookie") is None for request in hostile.token_requests)

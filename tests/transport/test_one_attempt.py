"""A token request is sent once: a code or a refresh token is used up by the first request that arrives."""

import socket
from contextlib import suppress
from typing import Any

import pytest
import requests
import urllib3
from requests.adapters import HTTPAdapter

from doorkey import InvalidResponse, RefreshToken, ServerError, TokenSource, TransportError
from doorkey.integrations.requests_client import OAuth2Session
from doorkey.stores import MemoryStore
from doorkey.vault import TokenVault
from tests.support.hostile_server import Hostile, reply, reset, token

INSISTENT: dict[str, dict[str, Any]] = {
    "any method": {"total": 3, "allowed_methods": None},
    "statuses": {"total": 3, "allowed_methods": None, "status_forcelist": [503]},
    "no total": {"total": None, "read": 3, "connect": 3, "other": 3, "status": 3, "allowed_methods": None},
    "a number": {"total": 3},
}


def _no_pause(_: float) -> None:
    pytest.fail("the source itself waits to try again")


def _parsed(*_: object) -> None:
    pytest.fail("cookies are parsed")


def insistent(how: dict[str, Any]) -> requests.Session:
    session = requests.Session()
    session.mount("http://", HTTPAdapter(max_retries=urllib3.Retry(**how)))
    return session


@pytest.mark.parametrize("how", INSISTENT.values(), ids=INSISTENT.keys())
@pytest.mark.parametrize(
    "answer", [reset, reply(503, headers={"Retry-After": "0"}), reply(503)], ids=["reset", "after", "503"]
)
def test_a_source_presents_its_refresh_token_once(hostile: Hostile, how: dict[str, Any], answer: Any) -> None:
    hostile.on("/token", answer)
    credentials = RefreshToken("c", "s", refresh_token="rt-1")
    source = TokenSource(
        credentials, token_endpoint=hostile.token_endpoint, http_client=insistent(how), sleep=_no_pause
    )
    with suppress(TransportError, ServerError, InvalidResponse, pytest.fail.Exception):
        source.token()
    assert len(hostile.token_requests) == 1


@pytest.mark.parametrize("how", INSISTENT.values(), ids=INSISTENT.keys())
def test_a_session_presents_its_code_once(hostile: Hostile, how: dict[str, Any]) -> None:
    hostile.on("/token", reset)
    with OAuth2Session("c", "s", token_endpoint=hostile.token_endpoint) as session:
        session.mount("http://", HTTPAdapter(max_retries=urllib3.Retry(**how)))
        with pytest.raises(TransportError):
            session.fetch_token(grant_type="authorization_code", code="code-1")
    assert len(hostile.token_requests) == 1


def test_a_vault_presents_a_refresh_token_once(hostile: Hostile) -> None:
    hostile.on("/token", reset)
    insisting = insistent(INSISTENT["any method"])
    place: dict[str, Any] = {"token_endpoint": hostile.token_endpoint, "http_client": insisting}
    vault = TokenVault(MemoryStore(), client_id="c", client_secret="s", **place)
    vault.save("k", {"access_token": "at-0", "refresh_token": "rt-1", "expires_at": 1})
    with pytest.raises(TransportError):
        vault.source("k").token()
    assert len(hostile.token_requests) == 1


def test_requests_to_an_api_are_repeated_as_the_program_wants(hostile: Hostile) -> None:
    hostile.on("/api", reply(503), reply(200, "at last"))
    with OAuth2Session("c", "s", token={"access_token": "at-1"}) as session:
        session.mount("http://", HTTPAdapter(max_retries=urllib3.Retry(2, status_forcelist=[503])))
        assert session.get(hostile.url()).text == "at last"


def test_a_connection_that_was_not_made_is_tried_again(monkeypatch: pytest.MonkeyPatch, hostile: Hostile) -> None:
    hostile.on("/token", token("at-1"))
    tried: list[Any] = []
    connect = socket.socket.connect

    def refusing_once(self: socket.socket, address: Any) -> None:
        tried.append(address)
        if len(tried) == 1:
            raise ConnectionRefusedError
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", refusing_once)
    with OAuth2Session("c", "s", token_endpoint=hostile.token_endpoint) as session:
        session.mount("http://", HTTPAdapter(max_retries=urllib3.Retry(2)))
        assert session.fetch_token()["access_token"] == "at-1"
    assert len(tried) == 2


def test_the_headers_are_bounded_before_cookies_are_parsed(monkeypatch: pytest.MonkeyPatch, hostile: Hostile) -> None:
    cookies = [("Set-Cookie", f"name-{number}=" + "x" * 60_000) for number in range(80)]
    hostile.on("/token", reply(200, "{}", cookies))
    monkeypatch.setattr("http.cookiejar.CookieJar.make_cookies", _parsed)
    session = OAuth2Session("c", "s", token_endpoint=hostile.token_endpoint)
    with session, pytest.raises(InvalidResponse, match="headers are larger than 65536 bytes") as raised:
        session.fetch_token()
    assert (raised.value.problem, raised.value.status) == ("headers_too_large", 200)

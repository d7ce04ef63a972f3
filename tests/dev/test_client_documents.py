"""A client ID that is the URL of a metadata document, from the request to the token."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from doorkey import OAuth2Session
from doorkey.dev import Provider
from doorkey.dev.client_documents import ClientDocuments
from doorkey.jose.generation import generate_key
from doorkey.jose.keys import Key
from tests.support.serving_thread import serving_thread

CALLBACK = "http://127.0.0.1/cb"


class Site:
    """A web server on loopback with the documents of clients; `answers` are (status, headers, body) by path."""

    def __init__(self) -> None:
        site = self
        self.answers: dict[str, tuple[int, dict[str, str], bytes]] = {}
        self.asked: list[str] = []

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                site.asked.append(self.path)
                status, headers, body = site.answers.get(self.path, (404, {}, b""))
                self.send_response(status)
                for name, value in {"Content-Type": "application/json", **headers}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name in http.server
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server.server_port}{path}"

    def publish(self, path: str = "/client.json", headers: dict[str, str] | None = None, **members: Any) -> str:
        """Serve a document, and return its URL: the client ID."""
        document = {"client_id": self.url(path), "redirect_uris": [CALLBACK], "client_name": "Tool", **members}
        self.answers[path] = (200, headers or {}, json.dumps(document).encode())
        return self.url(path)


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    with serving_thread(site.server):
        yield site


def authorization_response(
    http: requests.Session, provider: Provider, client_id: str, redirect_uri: str = CALLBACK
) -> tuple[int, str]:
    """The status and the text of the response to an authorization request."""
    params = {
        "client_id": client_id,
        "redirect_uri": redirect_uri,
        "response_type": "code",
        "scope": "openid",
        "code_challenge": "c" * 43,
        "code_challenge_method": "S256",
    }
    response = http.get(provider.authorization_endpoint, params=params, allow_redirects=False)
    return response.status_code, response.text


def session_of(provider: Provider, client_id: str, **more: Any) -> OAuth2Session:
    return OAuth2Session(
        client_id, redirect_uri="http://127.0.0.1:4711/cb", scope="openid", issuer=provider.issuer, **more
    )


def logged_in(provider: Provider, session: OAuth2Session) -> Any:
    login = session.begin_authorization()
    return session.fetch_token(authorization_response=provider.log_in(login.url, "alice"), transaction=login)


def test_a_client_logs_a_user_in_that_no_one_registered(provider: Provider, site: Site) -> None:
    client_id = site.publish(grant_types=["authorization_code", "refresh_token"])
    with session_of(provider, client_id, token_endpoint_auth_method="none") as session:
        token = logged_in(provider, session)
        assert token.id_token_claims["aud"] == client_id
        assert session.get(provider.userinfo_endpoint).json()["preferred_username"] == "alice"
        session.refresh_token()
    assert site.asked == ["/client.json"]  # once: the document is kept


def test_a_client_may_sign_with_the_key_of_its_document(provider: Provider, site: Site) -> None:
    key: Key = generate_key("ES256")
    client_id = site.publish(token_endpoint_auth_method="private_key_jwt", jwks={"keys": [key.public_jwk()]})
    with session_of(provider, client_id, client_secret=key, token_endpoint_auth_method="private_key_jwt") as session:
        assert logged_in(provider, session)["token_type"] == "Bearer"


def test_a_redirect_uri_that_the_document_does_not_list_gets_nothing(
    provider: Provider, site: Site, http: requests.Session
) -> None:
    client_id = site.publish()
    assert authorization_response(http, provider, client_id)[0] == 200
    status, text = authorization_response(http, provider, client_id, "https://evil.example/cb")
    assert status == 400
    assert "redirect_uri" in text


@pytest.mark.parametrize(
    "document",
    [
        {"client_id": "http://127.0.0.1/another.json"},
        {"client_secret": "s"},
        {"token_endpoint_auth_method": "client_secret_basic"},
        {"redirect_uris": ["http://app.example/cb"]},
        {"redirect_uris": []},
        {"jwks_uri": "http://10.0.0.1/keys"},
        {"client_name": "x" * 6000},  # more than 5 KiB
    ],
    ids=lambda document: str(document)[:50],
)
def test_a_document_that_is_not_valid_names_no_client(
    provider: Provider, site: Site, http: requests.Session, document: dict[str, Any]
) -> None:
    status, text = authorization_response(http, provider, site.publish(**document))
    assert status == 400
    assert "the client metadata document cannot be used" in text


NO_DOCUMENTS: list[tuple[tuple[int, dict[str, str], bytes], str]] = [
    ((404, {}, b"<html>"), "cannot be used"),
    ((500, {}, b""), "cannot be used"),
    ((200, {"Content-Type": "text/html"}, b"<html>"), "cannot be used"),
    ((302, {"Location": "http://127.0.0.1:1/other.json"}, b""), "redirects"),
    ((200, {"Content-Encoding": "br"}, b"x"), "cannot be used"),
]


@pytest.mark.parametrize(("answer", "why"), NO_DOCUMENTS, ids=str)
def test_a_response_that_is_no_document_names_no_client(
    provider: Provider, site: Site, http: requests.Session, answer: tuple[int, dict[str, str], bytes], why: str
) -> None:
    site.answers["/client.json"] = answer
    status, text = authorization_response(http, provider, site.url("/client.json"))
    assert status == 400
    assert why in text


def test_an_error_is_not_kept(provider: Provider, site: Site, http: requests.Session) -> None:
    assert authorization_response(http, provider, site.url("/client.json"))[0] == 400
    assert authorization_response(http, provider, site.publish())[0] == 200


def test_a_document_is_fetched_again_when_its_time_has_passed_and_used_while_it_cannot_be(
    provider: Provider, site: Site, http: requests.Session
) -> None:
    client_id = site.publish(headers={"Cache-Control": "max-age=60"})
    assert authorization_response(http, provider, client_id)[0] == 200
    provider.advance(59)
    assert authorization_response(http, provider, client_id)[0] == 200
    assert len(site.asked) == 1
    provider.advance(2)
    site.answers["/client.json"] = (503, {}, b"")
    assert authorization_response(http, provider, client_id)[0] == 200
    assert len(site.asked) == 2
    site.publish(redirect_uris=["http://127.0.0.1/moved"])
    assert authorization_response(http, provider, client_id)[0] == 400
    assert authorization_response(http, provider, client_id, "http://127.0.0.1/moved")[0] == 200


def test_the_token_endpoint_says_why_too(provider: Provider, site: Site, http: requests.Session) -> None:
    form = {"grant_type": "authorization_code", "code": "x", "client_id": site.url("/none.json")}
    refused = http.post(provider.token_endpoint, form)
    assert refused.json()["error"] == "invalid_client"
    assert "client metadata document" in refused.json()["error_description"]


def test_a_document_beyond_loopback_is_fetched_from_public_addresses_alone(
    provider: Provider, http: requests.Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    import socket

    real = socket.getaddrinfo

    def lookup(host: Any, *args: Any, **options: Any) -> Any:
        return real("127.0.0.1" if host == "rebound.example" else host, *args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    for host in ("rebound.example", "10.0.0.1", "169.254.169.254", "[::ffff:10.0.0.1]"):
        status, text = authorization_response(http, provider, f"https://{host}/client.json")
        assert status == 400
        assert "resolves to an address that" in text


def test_a_provider_that_others_reach_fetches_nothing_from_its_own_machine(site: Site, http: requests.Session) -> None:
    client_id = site.publish()
    with Provider(public_url="https://login.example", registration=True) as provider:
        url = provider.authorization_endpoint.replace("https://login.example", f"http://127.0.0.1:{provider.port}")
        http.headers["Host"] = "login.example"
        refused = http.get(url, params={"client_id": client_id, "response_type": "code"})
    assert (refused.status_code, site.asked) == (400, [])


def test_a_registered_client_with_such_an_id_has_no_document(http: requests.Session) -> None:
    from doorkey.dev import client

    with Provider(clients=[client("https://app.example/c", redirect_uris=[CALLBACK])]) as provider:
        assert authorization_response(http, provider, "https://app.example/c")[0] == 200


def test_without_registration_no_document_is_fetched(site: Site, http: requests.Session) -> None:
    client_id = site.publish()
    with Provider(registration=False) as provider:
        assert authorization_response(http, provider, client_id)[0] == 400
    assert site.asked == []


def test_the_number_of_documents_is_bounded(
    provider: Provider, site: Site, http: requests.Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("doorkey.dev.client_documents.MAX_ENTRIES", 2)
    for path in ("/1.json", "/2.json", "/3.json", "/3.json", "/1.json"):
        assert authorization_response(http, provider, site.publish(path))[0] == 200
    assert site.asked == ["/1.json", "/2.json", "/3.json", "/1.json"]


def test_a_callback_brings_the_issuer(provider: Provider, site: Site) -> None:
    with session_of(provider, site.publish(), token_endpoint_auth_method="none") as session:
        callback = provider.log_in(session.begin_authorization().url, "alice")
    assert parse_qs(urlsplit(callback).query)["iss"] == [provider.issuer]


def test_an_http_library_is_what_documents_need() -> None:
    assert ClientDocuments.can_be_fetched()

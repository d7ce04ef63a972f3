"""A client ID that is a URL: which URLs are, and which documents are believed."""

import json
from typing import Any

import pytest

from doorkey.errors import InvalidResponse, OAuthError, VerificationError
from doorkey.protocol.client_id_document import MAX_CLIENT_ID, document_request, is_document_url, parse_document
from doorkey.wire.messages import Response

URL = "https://app.example/client.json"
DOCUMENT = {"client_id": URL, "client_name": "App", "redirect_uris": ["http://127.0.0.1/cb"]}


def response(members: Any, status: int = 200, media_type: str = "application/json") -> Response:
    return Response(status, (("Content-Type", media_type),), json.dumps(members).encode())


@pytest.mark.parametrize(
    "url", [URL, "https://app.example:8443/a/b", "https://app.example/c?v=1", "https://[2001:db8::1]/c"]
)
def test_an_https_url_with_a_path_is_one(url: str) -> None:
    assert is_document_url(url)


@pytest.mark.parametrize(
    "url",
    [
        *("app", "", "https://app.example", "https://app.example/", "ftp://app.example/c", "HTTPS://app.example/c"),
        *(
            "https://u:p@app.example/c",
            "https://app.example/c#f",
            "https://app.example/a/../c",
            "https://app.example/.",
        ),
        *("https://app.example/%2E%2e/c", "https://app.example/c d", "https://app.example\\@evil/c", "https:///c"),
        *("http://app.example/c", "https://app.example:x/c", "https://app.example/" + "c" * MAX_CLIENT_ID),
    ],
)
def test_anything_else_is_not(url: str) -> None:
    assert not is_document_url(url, at_loopback=True)


def test_plain_http_to_loopback_is_one_for_development_alone() -> None:
    assert is_document_url("http://127.0.0.1:9000/client.json", at_loopback=True)
    assert is_document_url("http://[::1]/client.json", at_loopback=True)
    assert not is_document_url("http://127.0.0.1:9000/client.json")
    assert not is_document_url("http://127.0.0.1.evil.example/client.json", at_loopback=True)


def test_the_request_carries_nothing_but_what_it_accepts() -> None:
    request = document_request(URL)
    assert (request.method, request.url, request.content) == ("GET", URL, b"")
    assert request.headers == (("Accept", "application/json"),)


@pytest.mark.parametrize("media_type", ["application/json", "application/json; charset=utf-8", "application/cimd+json"])
def test_the_document_is_the_metadata_of_the_client(media_type: str) -> None:
    assert parse_document(response(DOCUMENT, media_type=media_type), URL) == DOCUMENT


@pytest.mark.parametrize("named", [None, "", URL + "/", URL.upper(), "https://app.example/other.json", 5])
def test_a_document_that_names_another_client_is_refused(named: Any) -> None:
    with pytest.raises(VerificationError) as caught:
        parse_document(response({**DOCUMENT, "client_id": named}), URL)
    assert caught.value.claim == "client_id"


@pytest.mark.parametrize(
    "secret",
    [
        {"client_secret": "s"},
        {"client_secret": None},
        {"client_secret_expires_at": 0},
        {"token_endpoint_auth_method": "client_secret_basic"},
        {"token_endpoint_auth_method": "client_secret_post"},
        {"token_endpoint_auth_method": "client_secret_jwt"},
    ],
    ids=str,
)
def test_a_document_has_no_secret(secret: dict[str, Any]) -> None:
    with pytest.raises(InvalidResponse, match="secret"):
        parse_document(response({**DOCUMENT, **secret}), URL)


def test_a_page_is_not_a_document() -> None:
    with pytest.raises(InvalidResponse, match="not application/json"):
        parse_document(response(DOCUMENT, media_type="text/html"), URL)


@pytest.mark.parametrize("answer", [Response(404), Response(200), response([]), response({"error": "gone"})])
def test_an_error_or_another_body_is_not_a_document(answer: Response) -> None:
    with pytest.raises(OAuthError):
        parse_document(answer, URL)

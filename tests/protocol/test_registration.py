"""Registering, reading, updating and deleting a client: the bytes of RFC 7591 §3 and RFC 7592 §2, in and out."""

import json
from typing import Any

import pytest

from doorkey import Secret, UsageError
from doorkey.errors import (
    InvalidResponse,
    InvalidToken,
    OAuthError,
    ServerError,
    TemporarilyUnavailable,
    VerificationError,
)
from doorkey.protocol.registered_client import RegisteredClient
from doorkey.protocol.registration import (
    InvalidClientMetadata,
    InvalidRedirectURI,
    InvalidSoftwareStatement,
    UnapprovedSoftwareStatement,
    check_deletion,
    client_metadata,
    delete_request,
    parse_registration,
    read_request,
    registration_request,
    update_request,
)
from doorkey.wire.messages import Request, Response

URL = "https://server.example.com/register"
CLIENT = RegisteredClient(
    client_id="app",
    client_secret=Secret("first-secret"),
    registration_client_uri=f"{URL}/app",
    registration_access_token=Secret("first-token"),
    metadata={"client_name": "App"},
)


def response(members: object, status: int = 201, asked: str = URL) -> Response:
    return Response(
        status, (("Content-Type", "application/json"),), json.dumps(members).encode(), Request("POST", asked)
    )


def members_of(request: Request) -> Any:
    return json.loads(request.content)


def test_the_request_is_that_of_rfc_7591_section_3_1() -> None:
    metadata = client_metadata({"redirect_uris": ["https://client.example.org/cb"], "client_name": "My Client"})
    request = registration_request(URL, metadata, initial_access_token=Secret("initial"))
    assert (request.method, request.url) == ("POST", URL)
    assert request.header("Content-Type") == "application/json"
    assert request.header("Authorization") == "Bearer initial"
    assert members_of(request) == {"redirect_uris": ["https://client.example.org/cb"], "client_name": "My Client"}
    assert registration_request(URL, metadata).header("Authorization") is None


def test_none_is_a_member_that_is_absent_and_a_scope_may_be_a_list() -> None:
    metadata = client_metadata({"client_name": None, "scope": ["openid", "profile"], "client_name#ja": "クライアント"})
    assert metadata == {"scope": "openid profile", "client_name#ja": "クライアント"}


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"client_id": "mine"}, "client_id is issued by the server"),
        ({"client_secret": "mine"}, "client_secret is issued by the server"),
        ({"redirect_uris": ["https://a.example/cb#top"]}, "fragment"),
        ({"redirect_uris": ["https://a.example/c b"]}, "illegal in a URI"),
        ({"redirect_uris": ["https://a.example/\n"]}, "illegal in a URI"),
        ({"redirect_uris": [7]}, "redirect_uris must be text"),
        ({"scope": 'a"b'}, "scope token"),
        ({"contacts": {1, 2}}, "JSON values"),
        ({"x": float("nan")}, "JSON values"),
        ({"x": "\ud800"}, "JSON values"),
        ("a text", "client metadata must be a mapping"),
        ({"jwks": "keys"}, "jwks must be a mapping"),
        ({"jwks": {"keys": ["key"]}}, "each key of jwks must be a mapping"),
    ],
    ids=str,
)
def test_metadata_that_cannot_be_is_refused_before_anything_is_sent(wrong: Any, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        client_metadata(wrong)


@pytest.mark.parametrize("member", ["d", "p", "k", "oth"])
def test_a_private_key_is_never_sent(member: str) -> None:
    key = {"kty": "EC", "crv": "P-256", "x": "abc", "y": "def", member: "private-part"}
    with pytest.raises(UsageError, match="private or symmetric key") as caught:
        client_metadata({"jwks": {"keys": [key]}})
    assert "private-part" not in str(caught.value)
    with pytest.raises(UsageError, match="note contains a key"):
        client_metadata({"note": {"inner": [key]}})
    with pytest.raises(UsageError, match="note contains a key"):
        client_metadata({"note": "-----BEGIN PRIVATE KEY-----\nMIG"})


def test_public_keys_and_a_software_statement_are_sent() -> None:
    key = {"kty": "EC", "crv": "P-256", "x": "abc", "y": "def"}
    sent = {"jwks": {"keys": [key]}, "software_statement": "eyJhbGciOiJSUzI1NiJ9.e30.sig"}
    assert client_metadata(sent) == sent
    assert client_metadata({"jwks": {"keys": 5}}) == {"jwks": {"keys": 5}}  # the server checks the key set


@pytest.mark.parametrize("url", ["http://server.example.com/register", "https://u@server.example.com/", "ftp://x/"])
def test_nothing_is_sent_to_an_endpoint_that_cannot_be(url: str) -> None:
    with pytest.raises(UsageError, match="registration endpoint"):
        registration_request(url, {})


def test_a_token_that_a_header_cannot_carry_is_not_sent() -> None:
    with pytest.raises(UsageError, match="initial access token") as caught:
        registration_request(URL, {}, initial_access_token=Secret("a\nsecret"))
    assert "secret" not in str(caught.value)


def test_the_response_is_the_client() -> None:
    client = parse_registration(response({"client_id": "app", "client_name": "App"}), issuer="https://as.example")
    assert client == RegisteredClient(client_id="app", metadata={"client_name": "App"}, issuer="https://as.example")


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("invalid_redirect_uri", InvalidRedirectURI),
        ("invalid_client_metadata", InvalidClientMetadata),
        ("invalid_software_statement", InvalidSoftwareStatement),
        ("unapproved_software_statement", UnapprovedSoftwareStatement),
        ("invalid_token", InvalidToken),
        ("other", ServerError),
    ],
)
def test_each_error_of_rfc_7591_section_3_2_2_has_its_class(code: str, kind: type[ServerError]) -> None:
    with pytest.raises(ServerError, match="told why") as caught:
        parse_registration(response({"error": code, "error_description": "told why"}, 400))
    assert type(caught.value) is kind
    assert (caught.value.error, caught.value.status) == (code, 400)


@pytest.mark.parametrize(
    "members",
    [[], "text", {}, {"client_id": 5}, {"client_id": "a", "registration_client_uri": "http://elsewhere.example/"}],
    ids=str,
)
def test_a_response_that_is_no_registration_is_an_error_of_ours(members: Any) -> None:
    with pytest.raises(InvalidResponse):
        parse_registration(response(members))


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"client_id": "a", "client_id": "b"}', b"[" * 10_000, b"\xff"])
def test_a_body_that_is_not_one_json_object_is_an_error_of_ours(body: bytes) -> None:
    with pytest.raises(InvalidResponse):
        parse_registration(Response(201, (), body))


def test_a_busy_server_says_when_to_come_back() -> None:
    with pytest.raises(TemporarilyUnavailable) as caught:
        parse_registration(Response(503, (("Retry-After", "7"),), b""))
    assert caught.value.retry_after == 7


def test_an_https_server_does_not_move_the_management_to_plain_http() -> None:
    moved = {"client_id": "a", "registration_client_uri": "http://127.0.0.1/c"}
    with pytest.raises(InvalidResponse, match="not https"):
        parse_registration(response(moved))
    at_loopback = parse_registration(response(moved, asked="http://127.0.0.1/register"))
    assert at_loopback.registration_client_uri == "http://127.0.0.1/c"


def test_reading_and_deleting_present_the_registration_access_token() -> None:
    for request, method in ((read_request(CLIENT), "GET"), (delete_request(CLIENT), "DELETE")):
        assert (request.method, request.url, request.content) == (method, f"{URL}/app", b"")
        assert request.header("Authorization") == "Bearer first-token"


def test_an_update_names_the_client_and_nothing_that_the_server_issued() -> None:
    request = update_request(CLIENT, {"client_name": "Other"})
    assert (request.method, request.url) == ("PUT", f"{URL}/app")
    assert members_of(request) == {"client_name": "Other", "client_id": "app"}
    assert request.header("Content-Type") == "application/json"


@pytest.mark.parametrize(
    "client",
    [
        RegisteredClient(client_id="app"),
        RegisteredClient(client_id="app", registration_client_uri=URL),
        RegisteredClient(client_id="app", registration_access_token=Secret("t")),
    ],
)
def test_a_client_without_management_cannot_be_managed(client: RegisteredClient) -> None:
    with pytest.raises(UsageError, match="no registration_client_uri"):
        read_request(client)


def test_what_the_server_does_not_repeat_stays_and_what_it_changed_is_new() -> None:
    same = parse_registration(response({"client_id": "app", "client_name": "Other"}, 200), known=CLIENT)
    assert (same.client_secret, same.registration_access_token) == (Secret("first-secret"), Secret("first-token"))
    assert (same.registration_client_uri, same.metadata) == (f"{URL}/app", {"client_name": "Other"})
    rotated = {"client_id": "app", "client_secret": "second-secret", "registration_access_token": "second-token"}
    changed = parse_registration(response(rotated, 200), known=CLIENT)
    assert (changed.client_secret, changed.registration_access_token) == (
        Secret("second-secret"),
        Secret("second-token"),
    )


def test_a_client_that_becomes_public_loses_its_secret() -> None:
    public = {"client_id": "app", "token_endpoint_auth_method": "none"}
    assert parse_registration(response(public, 200), known=CLIENT).client_secret is None


def test_the_registration_of_another_client_is_refused() -> None:
    with pytest.raises(VerificationError, match="another client") as caught:
        parse_registration(response({"client_id": "other"}, 200), known=CLIENT)
    assert caught.value.claim == "client_id"


def test_a_deletion_is_any_success_and_its_body_means_nothing() -> None:
    check_deletion(Response(204))
    check_deletion(Response(200, (), b"gone"))


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (401, b'{"error": "invalid_token"}', InvalidToken),
        (405, b"", InvalidResponse),
        (403, b"<html>", InvalidResponse),
        (503, b"", TemporarilyUnavailable),
    ],
)
def test_a_deletion_that_failed_is_an_error(status: int, body: bytes, kind: type[OAuthError]) -> None:
    with pytest.raises(kind):
        check_deletion(Response(status, (), body))


def test_no_error_repeats_the_token_that_the_request_presented() -> None:
    asked = read_request(CLIENT)
    echoed = Response(401, (), b'{"error": "odd", "error_description": "not valid: first-token"}', asked)
    with pytest.raises(ServerError) as caught:
        parse_registration(echoed, known=CLIENT)
    assert "first-token" not in f"{caught.value!s} {caught.value!r} {vars(caught.value)}"

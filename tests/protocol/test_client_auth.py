"""How a client proves who it is: exactly on the wire, once, and without its secret in any repr."""

import json
from base64 import b64decode
from dataclasses import replace
from typing import Any
from urllib.parse import unquote_plus

import pytest
from joserfc import jwk, jws

from doorkey.errors import UsageError
from doorkey.protocol.client_auth import (
    METHODS,
    CertificateMethod,
    anonymous,
    auth_method_named,
    authenticate,
    client_secret_basic,
    client_secret_basic_unencoded,
    client_secret_jwt,
    client_secret_post,
    none,
    private_key_jwt,
)
from doorkey.protocol.client_identity import ClientAuthMethod, ClientIdentity
from doorkey.values import Secret
from doorkey.wire.flow import run
from doorkey.wire.messages import FORM, Request
from doorkey.wire.parameters import parse_form

URL = "https://server.example.com/token"
POST = Request("POST", URL, (("Content-Type", FORM),), (("grant_type", "client_credentials"),))
ODD_ID, ODD_SECRET = "client:1/ä +%", "s:e c%r+ét&="


def client(client_id: str = "s6BhdRkqt3", credential: object = "gX1fBat3bV") -> ClientIdentity:
    held = Secret(credential) if isinstance(credential, str) else credential
    return ClientIdentity(client_id, held, "https://server.example.com", 1_800_000_000.0)


def authenticated(request: Request, client: ClientIdentity, method: ClientAuthMethod) -> Request:
    return run(authenticate(request, client, method), pytest.fail)


def basic_of(request: Request) -> str:
    scheme, _, value = (request.header("authorization") or "").partition(" ")
    assert scheme == "Basic"
    return b64decode(value).decode()


def form_of(request: Request) -> dict[str, str]:
    pairs = parse_form(request.content.decode())
    assert len(dict(pairs)) == len(pairs), "a parameter stands there twice"
    return dict(pairs)


def test_basic_is_as_in_rfc_6749_section_2_3_1() -> None:
    request = authenticated(POST, client(), client_secret_basic)
    assert request.headers == (("Content-Type", FORM), ("Authorization", "Basic czZCaGRSa3F0MzpnWDFmQmF0M2JW"))
    assert (request.url, request.content) == (URL, b"grant_type=client_credentials")


def test_basic_form_encodes_id_and_secret_so_that_every_character_survives() -> None:
    user, _, password = basic_of(authenticated(POST, client(ODD_ID, ODD_SECRET), client_secret_basic)).partition(":")
    assert (unquote_plus(user), unquote_plus(password)) == (ODD_ID, ODD_SECRET)
    assert user == "client%3A1%2F%C3%A4+%2B%25"


def test_the_switch_for_servers_that_skip_the_encoding_sends_id_and_secret_as_they_are() -> None:
    request = authenticated(POST, client("id%", "a%3Ab"), client_secret_basic_unencoded)
    assert basic_of(request) == "id%:a%3Ab"
    with pytest.raises(UsageError, match="':'"):
        authenticated(POST, client("a:b"), client_secret_basic_unencoded)


@pytest.mark.parametrize("method", [client_secret_basic, client_secret_basic_unencoded])
def test_basic_replaces_an_authorization_header_in_any_case(method: Any) -> None:
    request = authenticated(POST.with_header("authorization", "Bearer hunter2"), client(), method)
    assert [name.lower() for name, _ in request.headers].count("authorization") == 1
    assert "hunter2" not in str(request.headers)


@pytest.mark.parametrize("method", [client_secret_basic, client_secret_basic_unencoded, client_secret_post])
def test_a_secret_that_cannot_be_encoded_is_a_usage_error(method: Any) -> None:
    with pytest.raises(UsageError):
        authenticated(POST, client(credential="\ud800"), method)


def test_post_puts_id_and_secret_into_the_form_as_in_rfc_6749_section_2_3_1() -> None:
    request = authenticated(POST, client(), client_secret_post)
    assert request.content == b"grant_type=client_credentials&client_id=s6BhdRkqt3&client_secret=gX1fBat3bV"
    assert request.header("authorization") is None
    assert form_of(authenticated(POST, client(ODD_ID, ODD_SECRET), client_secret_post))["client_secret"] == ODD_SECRET


def test_a_public_client_says_its_name() -> None:
    assert authenticated(POST, client(), none).content == b"grant_type=client_credentials&client_id=s6BhdRkqt3"
    get = Request("GET", URL + "?a=b")
    assert authenticated(get, client("a b"), none) == Request("GET", URL + "?a=b&client_id=a+b", body=b"")


def test_basic_goes_with_a_get_too() -> None:
    request = authenticated(Request("GET", URL), client(), client_secret_basic)
    assert basic_of(request) == "s6BhdRkqt3:gX1fBat3bV"
    assert request.header("content-type") is None


def test_a_secret_is_never_put_into_a_url() -> None:
    with pytest.raises(UsageError, match="POST"):
        authenticated(Request("GET", URL), client(), client_secret_post)


@pytest.mark.parametrize("method", [client_secret_post, none])
def test_what_names_the_client_stands_in_the_form_once_and_cannot_be_overridden(method: Any) -> None:
    again = Request("POST", URL, form=(("client_id", "s6BhdRkqt3"),))
    assert form_of(authenticated(again, client(), method))["client_id"] == "s6BhdRkqt3"
    other = Request("POST", URL, form=(("client_id", "other"),))
    with pytest.raises(UsageError, match="'client_id' is reserved"):
        authenticated(other, client(), method)


def test_the_secret_is_signed_with_and_not_sent() -> None:
    secret = "a secret of at least 256 bits, as HS256 wants"
    form = form_of(authenticated(POST, client(credential=secret), client_secret_jwt))
    key = jwk.import_key(secret, "oct")
    claims = json.loads(jws.deserialize_compact(form["client_assertion"], key, algorithms=["HS256"]).payload)
    assert claims["iss"] == claims["sub"] == form["client_id"] == "s6BhdRkqt3"
    assert secret not in str(form)


def test_a_private_key_is_signed_with() -> None:
    key = jwk.generate_key("RSA", 2048)
    form = form_of(authenticated(POST, client(credential=key.as_pem(private=True)), private_key_jwt))
    jws.deserialize_compact(form["client_assertion"], key, algorithms=["RS256"])


@pytest.mark.parametrize("method", [client_secret_jwt, private_key_jwt])
def test_an_assertion_is_not_put_into_a_url(method: Any) -> None:
    with pytest.raises(UsageError, match="POST"):
        authenticated(Request("GET", URL), client(), method)


def test_every_method_is_known_by_the_name_that_metadata_uses() -> None:
    assert {
        "client_secret_basic": client_secret_basic,
        "client_secret_basic_unencoded": client_secret_basic_unencoded,
        "client_secret_post": client_secret_post,
        "client_secret_jwt": client_secret_jwt,
        "private_key_jwt": private_key_jwt,
        "tls_client_auth": CertificateMethod("tls_client_auth"),
        "self_signed_tls_client_auth": CertificateMethod("self_signed_tls_client_auth"),
        "none": none,
        "anonymous": anonymous,
    } == METHODS


def test_an_anonymous_client_says_nothing_as_the_assertion_of_its_grant_speaks_for_it() -> None:
    assert authenticated(POST, client(), anonymous) == replace(POST, form=(), body=POST.content)


def test_a_callable_of_the_users_changes_url_headers_and_body() -> None:
    seen: list[Any] = []

    def mine(given: Any, method: str, uri: str, headers: Any, body: str) -> Any:
        seen.append((given.client_id, given.client_secret, method, uri, dict(headers), body))
        headers["X-Client"] = given.client_secret
        return uri + "?x=1", headers, body + "&a=b"

    request = authenticated(POST, client(), mine)
    assert seen == [
        ("s6BhdRkqt3", "gX1fBat3bV", "POST", URL, {"Content-Type": FORM}, "grant_type=client_credentials"),
    ]
    assert request == Request(
        "POST",
        URL + "?x=1",
        (("Content-Type", FORM), ("X-Client", "gX1fBat3bV")),
        body=b"grant_type=client_credentials&a=b",
    )
    assert POST.headers == (("Content-Type", FORM),)


@pytest.mark.parametrize(("body", "content"), [(b"\xff", b"\xff"), ("é", "é".encode()), (None, b""), ("", b"")])
def test_a_callable_may_return_text_bytes_or_nothing_as_body(body: Any, content: bytes) -> None:
    request = authenticated(Request("POST", URL), client(), lambda c, m, uri, h, b: (uri, h, body))
    assert request.content == content
    assert request.header("content-type") == (FORM if content else None)


def test_bytes_that_are_no_text_pass_through_unharmed() -> None:
    binary = Request("POST", URL, body=b"\xff\xfe=1")
    assert authenticated(binary, client(), client_secret_basic).content == b"\xff\xfe=1"


@pytest.mark.parametrize("returned", [None, 7, "text", (1, 2), (URL, None, ""), (URL, ["x"], ""), (URL, {}, "", 1)])
def test_a_callable_that_returns_something_else_is_a_usage_error(returned: Any) -> None:
    def mine(*_: object) -> Any:
        return returned

    with pytest.raises(UsageError, match=r"must return \(uri, headers, body\)"):
        authenticated(POST, client(), mine)


def test_a_secret_in_bytes_is_text() -> None:
    assert (
        basic_of(authenticated(POST, client(credential=b"gX1fBat3bV"), client_secret_basic)) == "s6BhdRkqt3:gX1fBat3bV"
    )


def test_no_secret_at_all_is_an_empty_one() -> None:
    assert basic_of(authenticated(POST, client(credential=None), client_secret_basic)) == "s6BhdRkqt3:"


@pytest.mark.parametrize("key", [object(), {"kty": "RSA"}])
def test_a_key_is_no_secret(key: object) -> None:
    with pytest.raises(UsageError, match="must be text and not a key"):
        authenticated(POST, client(credential=key), client_secret_basic)


def test_a_client_shows_no_secret() -> None:
    assert repr(client()) == str(client()) == "<ClientIdentity 's6BhdRkqt3'>"


def test_a_method_of_client_authentication_is_found_by_its_name_registered_ones_first() -> None:
    def mine(*_: Any) -> Any: ...

    assert auth_method_named("client_secret_post", {}) is client_secret_post
    assert auth_method_named("client_secret_post", {"client_secret_post": mine}) is mine
    assert {name: auth_method_named(name, {}) for name in METHODS} == METHODS


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("client_secret_psot", "did you mean 'client_secret_post'"),
        ("qqqq", "register_client_auth_method"),
        ("mine2", "'mine'"),
    ],
)
def test_a_method_that_is_unknown_names_the_nearest_known_one(name: str, hint: str) -> None:
    with pytest.raises(UsageError, match=hint):
        auth_method_named(name, {"mine": client_secret_post})


def test_where_no_method_can_be_registered_an_unknown_name_lists_those_there_are() -> None:
    assert auth_method_named("none") is none
    with pytest.raises(UsageError, match=r"'qqqq': there are client_secret_basic, .*, anonymous"):
        auth_method_named("qqqq")
    with pytest.raises(UsageError, match="did you mean 'private_key_jwt'"):
        auth_method_named("private_key_jw")


@pytest.mark.parametrize("name", ["tls_client_auth", "self_signed_tls_client_auth"])
def test_authentication_by_certificate_names_the_client_and_sends_no_secret(name: str) -> None:
    method = auth_method_named(name)
    assert isinstance(method, CertificateMethod)
    request = authenticated(replace(POST, needs_certificate=True), client(), method)
    assert form_of(request) == {"grant_type": "client_credentials", "client_id": "s6BhdRkqt3"}
    assert request.header("authorization") is None
    assert request.needs_certificate
    assert authenticated(Request("GET", URL), client(), method).url == f"{URL}?client_id=s6BhdRkqt3"
    assert auth_method_named(name, {name: METHODS["none"]}) is METHODS["none"]

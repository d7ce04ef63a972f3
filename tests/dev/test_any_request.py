"""Any request at all has an answer: never an exception, never status 500, never a header that cannot be sent."""

import re
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doorkey.dev.hosts import Hosts
from doorkey.dev.keycloak import PROTOCOL, Keycloak, Realm
from doorkey.dev.limits import TrustedProxies
from doorkey.dev.registrations import default_clients, default_realms, default_users
from doorkey.dev.request_log import MAX_NAMES, MAX_PATH, logged
from doorkey.server.responses.responses import redirect
from doorkey.server.storage.effects import Directory
from doorkey.server.storage.records import MemoryRecords
from doorkey.wire.messages import FORM, Request
from tests.recordings.realm import CHALLENGE

ORIGIN = "http://127.0.0.1:8080"
PATHS = ("auth", "token", "token/introspect", "revoke", "userinfo", "logout", "certs", "nothing")
NAMES = (
    *("grant_type", "client_id", "client_secret", "redirect_uri", "code", "code_verifier", "refresh_token", "scope"),
    *("username", "password", "assertion", "client_assertion", "client_assertion_type", "response_type", "state"),
    *("nonce", "prompt", "max_age", "response_mode", "code_challenge", "code_challenge_method", "id_token_hint"),
    *("post_logout_redirect_uri", "token", "subject_token", "subject_token_type", "audience", "access_token", "csrf"),
    *("transaction", "requested_token_type", "resource"),
)
VALUES = (
    *("", "client-1", "my-secret", "public-native", "admin-cli", "admin", "alice", "wonderland", "code", "openid"),
    *("none", "login", "S256", CHALLENGE, "fragment", "form_post", "0", "9" * 30, "http://127.0.0.1:9499/cb"),
    *(
        "http://127.0.0.1/☃",
        "http://127.0.0.1/%0d%0aX: y",
        "http://[",
        "http://127.0.0.1:99999/",
        "e30.e30.e30",
        "..",
        "a.b.c",
    ),
    *("authorization_code", "refresh_token", "password", "client_credentials", "urn:ietf:params:oauth:token-type:jwt"),
    *("urn:ietf:params:oauth:grant-type:jwt-bearer", "urn:ietf:params:oauth:grant-type:token-exchange"),
    "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
)
LOGIN = "/realms/master/login-actions/authenticate"
AUTHORIZATION = ("", "Basic Og==", "Basic Y2xpZW50LTE6bXktc2VjcmV0", "Bearer a.b.c", "Basic \xff")
SENT = ("Authorization", "Cookie", "Origin", "X-Forwarded-For")
HEADER = st.text(st.characters(max_codepoint=255, exclude_characters="\r\n\0"), max_size=60) | st.sampled_from(
    ("http://[", "http://[x]:1")
)

pairs = st.lists(
    st.tuples(
        st.sampled_from(NAMES) | st.text(max_size=8).filter(str.isprintable),
        st.sampled_from(VALUES) | st.text(st.characters(exclude_categories=["Cs"]), max_size=40),
    ),
    max_size=12,
)


@pytest.fixture(scope="module")
def keycloak() -> Keycloak:
    clients = {one.client_id: one for one in default_clients({})}
    directory = Directory(clients, {one.username: one for one in default_users()})
    realms = {name: Realm(name, found, directory) for name, found in default_realms({}).items()}
    return Keycloak(realms, MemoryRecords(), lambda: 1_800_000_000.0, Hosts())


@settings(max_examples=300)
@given(data=st.data())
def test_any_request_has_a_response(keycloak: Keycloak, data: Any) -> None:
    path = f"/realms/master{PROTOCOL}/{data.draw(st.sampled_from(PATHS))}"
    path = data.draw(
        st.sampled_from([path, path, path, "/realms/master/login-actions/authenticate", "/admin/realms/x"])
    )
    encoded = urlencode(data.draw(pairs))
    method = data.draw(st.sampled_from(["GET", "POST", "HEAD", "DELETE"]))
    headers = data.draw(st.lists(st.tuples(st.sampled_from(SENT), HEADER), max_size=3))
    basic = data.draw(st.sampled_from(AUTHORIZATION))
    given_headers = (*headers, ("Authorization", basic), ("Content-Type", FORM))
    body = data.draw(st.sampled_from([encoded.encode(), data.draw(st.binary(max_size=60))]))
    request = Request(method, f"{ORIGIN}{path}?{encoded if method == 'GET' else ''}", given_headers, body=body)
    address = TrustedProxies(["127.0.0.1"]).caller("127.0.0.1", request.headers)
    response = keycloak.answer(request, address)
    assert 200 <= response.status < 500
    for name, value in response.headers:
        assert re.fullmatch(r"[A-Za-z-]+: [\x20-\x7e]*", f"{name}: {value}")
    entry = logged(request, path, response.status)
    assert len(entry.parameters) <= MAX_NAMES
    assert len(entry.path) <= MAX_PATH


@settings(max_examples=300)
@given(uri=st.text(st.characters(exclude_categories=["Cs"]), max_size=30), state=st.text(max_size=20))
def test_any_location_can_be_sent(uri: str, state: str) -> None:
    encodable = state.encode("utf-8", "replace").decode()
    url = f"https://app.example/{quote(uri)}?{uri.replace('#', '')}"
    location = redirect(url, {"state": encodable}).header("location")
    assert re.fullmatch(r"[\x21-\x7e]+", location or "")


@settings(max_examples=300)
@given(text=st.text(max_size=60), peer=st.sampled_from([None, "10.0.0.1", "192.0.2.1", "testclient", "fe80::1%eth0"]))
def test_any_forwarded_header_names_an_address_or_none(text: str, peer: str | None) -> None:
    caller = TrustedProxies(["10.0.0.0/8", "fe80::/10"]).caller(peer, (("X-Forwarded-For", text),))
    assert caller == peer or caller is not None

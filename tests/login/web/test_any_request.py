"""The routes of a login answer every request, and redirect only to their own site or to the provider."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doorkey.login import Login
from doorkey.login.web.messages import WebRequest

OP, SITE = "https://op.example", "https://app.example"
ROUTES = ("login", "callback", "logout", "backchannel-logout", "frontchannel-logout", "me", "session", "session.js")
NAMES = ("state", "code", "iss", "error", "next", "sid", "check", "moved", "logout_token", "csrf_token", "id_token")
BROWSER = {"accept": "text/html", "sec-fetch-mode": "navigate"}

odd = st.sampled_from(
    ["", "//evil.example", "/\\evil.example", "https://evil.example", "\r\nX-Evil: 1", "\x00", "é", "a"]
)
text = odd | st.text(st.characters(max_codepoint=255), max_size=20)
pairs = st.lists(st.tuples(st.sampled_from(NAMES), text), max_size=4).map(tuple)
headers = st.dictionaries(
    st.sampled_from(["cookie", "accept", "sec-fetch-mode", "sec-fetch-dest", "origin", "host", "x-csrf-token"]), text
)
queries = text | pairs.map(lambda given: "&".join(f"{name}={value}" for name, value in given))


@pytest.fixture(scope="module")
def login() -> Iterator[Login]:
    endpoints = {name: f"{OP}/{name}" for name in ("authorization_endpoint", "token_endpoint", "end_session_endpoint")}
    made = Login(
        client_id="rp",
        metadata={"issuer": OP, "jwks_uri": f"{OP}/jwks", **endpoints},
        sessions="memory:",
        base_url=SITE,
        secret="a secret of thirty-two characters",
    )
    yield made
    made.close()


@settings(max_examples=150)
@given(
    st.sampled_from(ROUTES) | text,
    st.sampled_from(["GET", "POST", "HEAD", "PUT", ""]),
    st.sampled_from(["app.example", "evil.example", "app.example@evil.example", "", "[", "app.example:1"]),
    queries,
    headers,
    pairs,
    text,
)
def test_any_request_has_a_reply_and_leads_to_no_other_site(
    login: Login,
    route: str,
    method: str,
    host: str,
    query: str,
    sent: dict[str, str],
    form: tuple[tuple[str, str], ...],
    root: str,
) -> None:
    for more in ({}, BROWSER):
        given_headers = tuple({**sent, **more}.items())
        request = WebRequest(method, "https", host, f"{root}/auth/{route}", query, given_headers, form, root)
        reply = login.respond(route, request)
        assert reply.status < 500
        for name, value in reply.headers:
            assert not any(character in f"{name}{value}" for character in "\r\n\0")
        location = urlsplit(reply.header("Location") or "/")
        assert f"{location.scheme}://{location.netloc}" in ("://", SITE, OP)
        assert not (reply.header("Location") or "/").startswith(("//", "/\\"))

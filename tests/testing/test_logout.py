"""Logging out of the provider, with the calls that its clients get."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest
import requests

from doorkey.errors import UsageError
from doorkey.jose.verification import unsafe_claims, verify
from doorkey.testing import Provider, client
from tests.support.serving_thread import serving_thread

CALLBACK, BYE = "https://app.example/cb", "https://app.example/bye"


class App(ThreadingHTTPServer):
    """A relying party that notes the logout tokens it gets, and asks the provider for its keys meanwhile."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answering)
        self.tokens: list[str] = []
        self.keys: list[Any] = []
        self.status = 200
        self.jwks_uri = ""

    @property
    def uri(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/backchannel"


class Answering(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        assert isinstance(self.server, App)
        form = dict(parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode()))
        self.server.tokens.append(form["logout_token"])
        self.server.keys.append(requests.get(self.server.jwks_uri, timeout=30).json())
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@pytest.fixture
def app() -> Iterator[App]:
    app = App()
    with serving_thread(app):
        yield app


@pytest.fixture
def provider(app: App) -> Iterator[Provider]:
    uris: dict[str, Any] = {"redirect_uris": [CALLBACK], "post_logout_redirect_uris": [BYE]}
    ours = client("app", "s", backchannel_logout_uri=app.uri, frontchannel_logout_uri="https://app.example/out", **uris)
    with Provider(clients=[ours, client("silent", "s")]) as provider:
        app.jwks_uri = provider.jwks_uri
        yield provider


def logged_in(provider: Provider) -> tuple[Any, dict[str, Any]]:
    browser = provider.browser()
    asked = {"client_id": "app", "redirect_uri": CALLBACK, "response_type": "code", "scope": "openid"}
    callback = browser.log_in(f"{provider.authorization_endpoint}?{urlencode(asked)}", "alice", "wonderland")
    form = {"grant_type": "authorization_code", "client_id": "app", "client_secret": "s", "redirect_uri": CALLBACK}
    code = dict(parse_qsl(callback.partition("?")[2]))["code"]
    return browser, requests.post(provider.token_endpoint, {**form, "code": code}, timeout=30).json()


def test_the_client_has_its_logout_token_when_the_logout_is_answered(provider: Provider, app: App) -> None:
    browser, tokens = logged_in(provider)
    asked = {"id_token_hint": tokens["id_token"], "post_logout_redirect_uri": BYE, "state": "s"}
    page = browser.log_out(f"{provider.end_session_endpoint}?{urlencode(asked)}")
    assert page.redirect == f"{BYE}?state=s"
    assert page.frames == (
        f"https://app.example/out?{urlencode({'iss': provider.issuer, 'sid': tokens['session_state']})}",
    )
    claims = verify(app.tokens[0], app.keys[0], algorithms=["RS256"], typ="logout+jwt").claims
    assert (claims["sid"], claims["aud"]) == (tokens["session_state"], "app")
    assert [(call.uri, call.status) for call in provider.logout_calls] == [(app.uri, 200)]


def test_a_browser_that_agrees_is_logged_out(provider: Provider, app: App) -> None:
    browser, _ = logged_in(provider)
    page = browser.log_out(provider.end_session_endpoint)
    assert (page.redirect, len(page.frames), len(app.tokens)) == (None, 1, 1)
    assert browser.log_out(provider.end_session_endpoint).frames == ()
    with pytest.raises(UsageError, match="id_token_hint"):
        browser.log_out(f"{provider.end_session_endpoint}?id_token_hint=garbage")


def test_the_page_frames_the_registered_origins_and_runs_no_other_script(provider: Provider) -> None:
    _, tokens = logged_in(provider)
    asked = {"id_token_hint": tokens["id_token"], "post_logout_redirect_uri": BYE}
    answer = requests.get(provider.end_session_endpoint, params=asked, timeout=30)
    policy = answer.headers["content-security-policy"]
    assert "frame-src https://app.example;" in policy
    script = provider.issuer + "/resources/continue.js"
    assert f"script-src {script};" in policy
    assert answer.text.count("<script") == answer.text.count(f'<script src="{script}" defer>') == 1
    assert "click()" in requests.get(script, timeout=30).text


def test_a_test_ends_a_session(provider: Provider, app: App) -> None:
    _, tokens = logged_in(provider)
    assert provider.end_session(tokens["session_state"])
    assert not provider.end_session(tokens["session_state"])
    assert len(app.tokens) == len(provider.logout_calls) == 1
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert requests.get(provider.userinfo_endpoint, headers=bearer, timeout=30).status_code == 401


def test_an_administrator_who_ends_a_session_tells_the_clients(provider: Provider, app: App) -> None:
    _, tokens = logged_in(provider)
    admin = {"grant_type": "password", "client_id": "admin-cli", "username": "admin", "password": "admin"}
    token = requests.post(provider.token_endpoint, admin, timeout=30).json()["access_token"]
    url = f"{provider.origin}/admin/realms/master/sessions/{tokens['session_state']}"
    assert requests.delete(url, headers={"Authorization": f"Bearer {token}"}, timeout=30).status_code == 204
    assert len(app.tokens) == 1


def test_a_client_that_refuses_or_does_not_answer_holds_up_nobody(provider: Provider, app: App) -> None:
    app.status = 400
    assert provider.send_logout_token("alice", client_id="app").status == 400
    gone = client("app", "s", backchannel_logout_uri="http://127.0.0.1:1/out", redirect_uris=[CALLBACK])
    with Provider(clients=[gone]) as other:
        browser, _ = logged_in(other)
        browser.log_out(other.end_session_endpoint)
        assert [call.status for call in other.logout_calls] == [None]


def test_a_test_orders_a_logout_token_of_any_kind(provider: Provider, app: App) -> None:
    call = provider.send_logout_token("alice", client_id="app", sid="s-1", claims={"nonce": "n", "events": None})
    assert (call.uri, call.status, len(provider.logout_calls)) == (app.uri, 200, 1)
    claims = verify(app.tokens[0], app.keys[0], algorithms=["RS256"], typ="logout+jwt").claims
    assert (claims["sid"], claims["nonce"]) == ("s-1", "n")
    assert "events" not in claims
    assert "sub" not in unsafe_claims(provider.logout_token(sid="only", client_id="silent"))
    with pytest.raises(UsageError, match="a user, a session"):
        provider.logout_token(client_id="app")
    with pytest.raises(UsageError, match="no backchannel_logout_uri"):
        provider.send_logout_token("alice", client_id="silent")

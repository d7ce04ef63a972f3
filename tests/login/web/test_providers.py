"""Providers of every kind: presets, plain OAuth 2, and what is shared between the requests at one of them."""

# `login.User` is a type for FastAPI at run time, and no type for a checker
# pyright: reportInvalidTypeForm=false, reportUnknownMemberType=false, reportUnknownParameterType=false

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from doorkey.errors import UsageError
from doorkey.login import Login, LoginProvider
from doorkey.login.presets import PRESETS, preset
from doorkey.testing import Provider
from tests.support.login_application import MakeSite, login_at, registered
from tests.support.login_browser import Browser
from tests.support.login_sites import flask_site
from tests.support.web_browser import JSON

PARAMETERS: dict[str, dict[str, Any]] = {
    "auth0": {"domain": "shop.eu.auth0.com"},
    "cognito": {"user_pool_id": "eu-west-1_AbCdEf123"},
    "microsoft": {"tenant": "72f988bf-86f1-41af-91ab-2d7cd011db47"},
    "keycloak": {"base_url": "https://sso.example.com", "realm": "staff"},
    "okta": {"domain": "shop.okta.com"},
}


@pytest.mark.parametrize("name", [name for name in PRESETS if name != "apple"])
def test_a_login_takes_every_preset(name: str) -> None:
    chosen = preset(name, **PARAMETERS.get(name, {}))
    login = Login(LoginProvider(name, "app", "secret", preset=chosen), sessions="memory:")
    assert login.blocking.backend.clients[name].name == name
    assert login.awaiting.backend.providers[name].label == chosen.label


def plain(provider: Provider, **options: Any) -> Login:
    """A login at a provider without OpenID Connect."""
    return Login(
        client_id="web-app",
        client_secret="its-secret",
        authorization_endpoint=provider.authorization_endpoint,
        token_endpoint=provider.token_endpoint,
        sessions="memory:",
        **options,
    )


def test_plain_oauth_names_the_user_by_its_user_api(make_site: MakeSite, provider: Provider) -> None:
    def fixed(session: Any, claims: dict[str, Any]) -> dict[str, Any]:
        return {**claims, "nickname": f"user {claims['email']}"}

    login = plain(
        provider, userinfo_endpoint=provider.userinfo_endpoint, scope="openid email", userinfo_compliance_fix=fixed
    )
    browser = Browser(make_site(login))
    done = browser.log_in(provider)
    assert done.status == 303, done.text
    me = browser.get("/auth/me", JSON).json
    assert me["claims"]["nickname"] == "user alice@example.org"
    assert me["sub"] == me["claims"]["sub"]
    assert me["iss"].startswith("http://127.0.0.1")
    assert browser.get("/api").json["email"] == "alice@example.org"
    token = browser.get("/").json["csrf"]
    assert browser.post("/auth/logout", {"csrf_token": token}).location == "/", "it has no logout"


def test_a_provider_that_names_no_user_logs_no_one_in(make_site: MakeSite, provider: Provider) -> None:
    browser = Browser(make_site(plain(provider, scope="email")))
    begun = browser.get("/auth/login")
    told = browser.get(provider.log_in(begun.location, "alice"), JSON)
    assert (told.status, told.json["code"]) == (400, "no_user")
    assert browser.get("/auth/me", JSON).status == 401


def test_the_metadata_of_a_provider_is_fetched_once_at_a_cold_start() -> None:
    with Provider(clients=[registered()]) as own:
        login = login_at(own)
        with flask_site(login, own.userinfo_endpoint) as site, ThreadPoolExecutor(10) as pool:
            browsers = [Browser(site) for _ in range(10)]
            replies = [*pool.map(Browser.get, browsers, ["/auth/login"] * 10)]
        assert [one.status for one in replies] == [303] * 10
        assert len(own.requests.to("/.well-known/openid-configuration")) == 1


def test_all_users_share_the_connections_to_the_provider() -> None:
    with Provider(clients=[registered()]) as own:
        login = login_at(own)
        with flask_site(login, own.userinfo_endpoint) as site:
            browsers = [Browser(site) for _ in range(3)]
            for browser in browsers:
                browser.log_in(own)
            clients = {id(login.blocking.backend.clients["login"].session().get_adapter("http://"))}
            for _ in range(3):
                clients |= {id(login.blocking.backend.http_client("login", f"key {_}").get_adapter("http://"))}
    assert len(clients) == 1


def test_a_session_of_a_provider_that_is_gone_has_no_client(provider: Provider) -> None:
    with pytest.raises(UsageError, match="no longer configured"):
        login_at(provider).blocking.backend.http_client("gone", "key")


def test_a_websocket_without_a_user_is_closed(provider: Provider) -> None:
    from fastapi import FastAPI, WebSocket
    from starlette.testclient import TestClient, WebSocketDenialResponse

    login, app = login_at(provider), FastAPI()
    login.mount(app)

    @app.websocket("/ws")
    async def ws(socket: WebSocket, user: login.User) -> None:  # type: ignore[name-defined]
        await socket.accept()

    with TestClient(app) as client:
        connection = client.websocket_connect("/ws")
        with pytest.raises(WebSocketDenialResponse) as closed:
            connection.__enter__()
        assert closed.value.status_code == 401

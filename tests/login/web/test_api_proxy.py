"""A single-page app behind its own site: it logs in, calls an API, and logs out, and no token reaches the browser."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any

import pytest

from doorkey.errors import UsageError
from doorkey.login import ApiProxy, Login
from doorkey.testing import Provider
from tests.support.django_login_site import django_project
from tests.support.fake_clock import Clock, real_time
from tests.support.hostile_server import Exchange, Hostile, Whole, reply
from tests.support.json_web_tokens import jwts_in
from tests.support.login_application import login_at
from tests.support.login_browser import Browser
from tests.support.login_sites import on_asgi
from tests.support.web_browser import JSON, PAGE
from tests.support.web_sites import OnWSGI, Page, Site

SCRIPT = {**JSON, "X-CSRF": "1", "Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"}


@contextmanager
def flask_site(login: Login, proxy: ApiProxy) -> Generator[Any]:
    import flask

    app = flask.Flask(__name__)
    login.init_app(app)
    proxy.init_app(app)
    yield OnWSGI(app)


def starlette_site(login: Login, proxy: ApiProxy) -> AbstractContextManager[Site]:
    from starlette.applications import Starlette

    return _asgi(Starlette(), login, proxy)


def fastapi_site(login: Login, proxy: ApiProxy) -> AbstractContextManager[Site]:
    from fastapi import FastAPI

    return _asgi(FastAPI(), login, proxy)


def _asgi(app: Any, login: Login, proxy: ApiProxy) -> AbstractContextManager[Site]:
    login.mount(app)
    proxy.mount(app)
    return on_asgi(app)


def django_site(login: Login, proxy: ApiProxy) -> Any:
    def views() -> list[Any]:
        from django.urls import include, path

        from doorkey.login.django import api_proxy

        options: dict[str, Any] = {"max_request": proxy.max_request, "max_response": proxy.max_response}
        if proxy._lasts is not None:
            options |= {"stream": True, "max_duration": proxy._lasts, "timeout": proxy._timeout}
        return [
            path("auth/", include("doorkey.login.django.urls")),
            path("api/<path:path>", api_proxy(proxy.api.url, **options)),
        ]

    return django_project(login, views)


SITES: dict[str, Callable[[Login, ApiProxy], Any]] = {
    "flask": flask_site,
    "starlette": starlette_site,
    "fastapi": fastapi_site,
    "django": django_site,
}


class App:
    """A single-page app in a browser, and the API that its site passes requests to."""

    def __init__(self, browser: Browser, api: Hostile, provider: Provider, clock: Clock) -> None:
        self.browser, self.api, self.provider, self.clock = browser, api, provider, clock

    def log_in(self) -> App:
        assert self.browser.log_in(self.provider).status == 303
        self.provider.requests.clear()
        return self

    def fetch(self, target: str, method: str = "GET", body: bytes = b"", **headers: str) -> Page:
        """Send a request as a script of the page does; a header that is empty is not sent."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        sent = {name: value for name, value in {**SCRIPT, **named}.items() if value}
        return self.browser.send(method, target, sent, body)


MakeApp = Callable[..., App]


@pytest.fixture
def make_app(framework: str, provider: Provider, hostile: Hostile) -> Iterator[MakeApp]:
    with ExitStack() as stack:

        def make(**options: Any) -> App:
            clock = real_time()
            login = login_at(provider, clock=clock)
            proxy = ApiProxy(login, "/api", hostile.url("/v1"), **options)
            return App(Browser(stack.enter_context(SITES[framework](login, proxy))), hostile, provider, clock)

        yield make


@pytest.fixture
def app(make_app: MakeApp) -> App:
    return make_app().log_in()


def test_the_api_gets_the_token_and_the_browser_gets_the_response(app: App) -> None:
    app.api.on("/v1/orders", reply(200, b'{"n": 1}', {"Content-Type": "application/json", "Set-Cookie": "a=b"}))
    answer = app.fetch("/api/orders?page=2&q=a%20b", X_Forwarded_For="10.0.0.1", Authorization="Bearer mine")
    assert (answer.status, answer.json) == (200, {"n": 1})
    received = app.api.received[-1]
    assert received.target == "/v1/orders?page=2&q=a%20b"
    assert received.token is not None
    assert received.token.count(".") == 2, "an access token of the provider"
    assert received.header("cookie") is None
    assert received.header("x-forwarded-for") is None
    assert answer.cookies == []
    assert answer.header("Cache-Control") == "no-store"
    assert answer.header("X-Content-Type-Options") == "nosniff"
    assert "sandbox" in answer.header("Content-Security-Policy")


def test_no_token_reaches_the_browser(app: App) -> None:
    app.api.on("/v1/a", reply(200, "fine"))
    replies = [app.fetch("/auth/me"), app.fetch("/api/a"), app.browser.get("/auth/login")]
    token = app.api.received[-1].token
    assert token is not None
    shown = "".join(f"{one.headers}{one.text}" for one in replies) + str(app.browser.cookies_of())
    assert token not in shown
    assert jwts_in(token) == [token]
    assert jwts_in(shown) == []
    assert app.fetch("/auth/me").json["sub"]


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("kind", ["application/json", "application/x-www-form-urlencoded", "application/octet-stream"])
def test_a_body_arrives_as_it_was_sent(app: App, method: str, kind: str) -> None:
    app.api.on("/v1/orders", reply(201, "", {"Location": "/v1/orders/7"}))
    body = {"application/json": b'{"a": 1}', "application/x-www-form-urlencoded": b"a=1&b=%20"}.get(kind, b"\x00\xff")
    answer = app.fetch("/api/orders", method, body, Content_Type=kind)
    assert (answer.status, answer.location) == (201, "/api/orders/7")
    received = app.api.received[-1]
    assert (received.method, received.body, received.header("content-type")) == (method, body, kind)


@pytest.mark.parametrize(
    "headers",
    [
        {"X_CSRF": ""},
        {"X_CSRF": "0"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:8001"},
    ],
)
def test_a_request_that_another_site_can_cause_does_not_reach_the_api(app: App, headers: dict[str, Any]) -> None:
    for method in ("GET", "POST"):
        assert app.fetch("/api/a", method, **headers).status == 403
    assert app.api.received == []


def test_a_browser_that_names_this_site_as_the_origin_is_answered(app: App) -> None:
    app.api.on("/v1/a", reply(200, "fine"))
    assert app.fetch("/api/a", "POST", Origin=app.browser.origin).text == "fine"
    assert app.fetch("/api/a", "POST", Sec_Fetch_Site="", Sec_Fetch_Mode="").text == "fine"


def test_a_preflight_request_of_another_site_gets_no_permission(app: App) -> None:
    asked: dict[str, Any] = {
        "Access_Control_Request_Method": "GET",
        "Access_Control_Request_Headers": "x-csrf",
        "X_CSRF": "",
    }
    answer = app.fetch("/api/a", "OPTIONS", Origin="https://evil.example", **asked)
    assert answer.status == 405
    assert [name for name, _ in answer.headers if name.lower().startswith("access-control")] == []
    assert app.api.received == []


@pytest.mark.parametrize("headers", [SCRIPT, {**PAGE, "X-CSRF": "1"}])
def test_a_request_without_a_user_is_told_where_to_log_in(make_app: MakeApp, headers: dict[str, str]) -> None:
    app = make_app()
    answer = app.browser.get("/api/a", headers)
    assert (answer.status, answer.json["login_url"]) == (401, "/auth/login")
    assert answer.header("WWW-Authenticate").startswith("Cookie ")
    assert app.api.received == []


@pytest.mark.parametrize("path", ["/api/../admin", "/api/%2e%2e/admin", "/api//evil.example", "/api/%5cevil", "/apix"])
def test_no_request_leaves_the_paths_of_the_api(app: App, path: str) -> None:
    answer = app.fetch(path)
    assert answer.status in (404, 308), "Flask redirects a path with two slashes to the one that it stands for"
    assert app.api.received == []


def test_bodies_are_bounded_in_both_directions(make_app: MakeApp) -> None:
    app = make_app(max_request=1000, max_response=1000).log_in()
    app.api.on("/v1/a", reply(200, b"x" * 1001))
    app.api.on("/v1/b", reply(200, b"x" * 1000))
    assert app.fetch("/api/b", "POST", b"x" * 1001).status == 413
    assert app.fetch("/api/b", "POST", b"x" * 1000).body == b"x" * 1000
    answer = app.fetch("/api/a")
    assert (answer.status, answer.json["error"]) == (502, "api_unavailable")


def test_a_compressed_response_is_passed_on_as_it_came(app: App) -> None:
    packed = gzip.compress(b"x" * 10_000)
    app.api.on("/v1/a", reply(200, packed, {"Content-Encoding": "gzip"}))
    answer = app.fetch("/api/a", Accept_Encoding="gzip")
    body = gzip.decompress(answer.body) if answer.body[:2] == b"\x1f\x8b" else answer.body
    assert body == b"x" * 10_000
    assert answer.header("Content-Encoding") == "gzip"
    assert app.api.received[-1].header("accept-encoding") == "gzip"


def test_redirects_are_not_followed_and_lead_nowhere_else(app: App) -> None:
    app.api.on("/v1/moved", reply(302, "", {"Location": app.api.url("/v1/there")}))
    app.api.on("/v1/away", reply(302, "", {"Location": "https://evil.example/"}))
    assert app.fetch("/api/moved").location == "/api/there"
    assert app.fetch("/api/away").status == 502
    assert [one.path for one in app.api.received] == ["/v1/moved", "/v1/away"]
    app.api.on("/v1/made", reply(201, "", {"Location": "https://evil.example/7"}))
    made = app.fetch("/api/made", "POST", b"{}")
    assert (made.status, made.header("Location")) == (201, "")


def test_errors_of_the_api_are_passed_on_and_an_api_that_is_down_is_502(app: App) -> None:
    app.api.on("/v1/a", reply(422, b'{"error": "no"}', {"Content-Type": "application/problem+json"}))
    answer = app.fetch("/api/a", "POST", b"{}")
    assert (answer.status, answer.json) == (422, {"error": "no"})
    app.api.on("/v1/b", lambda exchange: exchange.reset())
    answer = app.fetch("/api/b")
    assert (answer.status, answer.json["error"]) == (502, "api_unavailable")


def test_an_expired_token_is_renewed_before_the_request(app: App) -> None:
    app.api.on("/v1/a", reply(200, "fine"))
    app.fetch("/api/a")
    app.clock.advance(3600)
    assert app.fetch("/api/a").text == "fine"
    first, second = (one.token for one in app.api.received)
    assert first != second
    assert [one.grant_type for one in app.provider.requests.to("/token")] == ["refresh_token"]


def test_a_token_that_the_api_rejects_is_renewed_once(app: App) -> None:
    challenge = reply(401, "", {"WWW-Authenticate": 'Bearer error="invalid_token"'})
    app.api.on("/v1/a", challenge, reply(200, "fine"))
    assert app.fetch("/api/a", "POST", b"{}").text == "fine"
    assert [one.body for one in app.api.received] == [b"{}", b"{}"]
    assert len({one.token for one in app.api.received}) == 2


def test_a_token_that_cannot_be_renewed_asks_the_user_to_log_in(app: App) -> None:
    app.provider.reject_refresh_tokens()
    app.clock.advance(3600)
    answer = app.fetch("/api/a")
    assert (answer.status, answer.json["error"]) == (401, "login_required")
    assert app.fetch("/auth/me").status == 401
    assert app.api.received == []


def test_the_app_logs_out_with_the_csrf_token_of_the_user(app: App) -> None:
    csrf_token = app.fetch("/auth/me").json["csrf_token"]
    assert app.fetch("/auth/logout", "POST").status in (400, 403)
    answer = app.fetch("/auth/logout", "POST", X_CSRF_Token=csrf_token)
    assert answer.status == 200
    assert "/logout" in answer.json["logout_url"]
    assert app.fetch("/api/a").status == 401


def test_the_token_goes_to_the_api_of_the_user_who_asks(make_app: MakeApp) -> None:
    app = make_app()
    app.api.on("/v1/a", Whole(_who))
    tabs: list[tuple[App, str]] = []
    for name in ("alice", "bob"):
        browser = Browser(app.browser.site)
        assert browser.log_in(app.provider, name).status == 303
        tabs.append((App(browser, app.api, app.provider, app.clock), name))
    for one, name in tabs * 3:
        assert one.fetch("/api/a").json["preferred_username"] == name


def _who(exchange: Exchange) -> None:
    from doorkey.jose.verification import unsafe_claims

    exchange.send(reply(json=dict(unsafe_claims(exchange.request.token or ""))))


@pytest.mark.parametrize(
    "options",
    [
        *({"max_request": 0}, {"max_response": "1"}, {"timeout": -1}, {"request_headers": ["Cookie"]}, {"x": 1}),
        *({"stream": 1}, {"max_duration": 0}),
    ],
)
def test_wrong_options_are_refused(provider: Provider, options: dict[str, Any]) -> None:
    with pytest.raises((UsageError, TypeError)):
        ApiProxy(login_at(provider), "/api", "https://api.example", **options)


def test_the_login_of_a_proxy_is_a_login() -> None:
    not_a_login: Any = json
    with pytest.raises(UsageError, match="Login"):
        ApiProxy(not_a_login, "/api", "https://api.example")

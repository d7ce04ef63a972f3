"""Requests and claims that only an attacker sends, and bodies that belong to a view of the program."""

from __future__ import annotations

from typing import Any

import flask
import pytest

from doorkey.login import Login
from doorkey.stores import MemoryStore
from doorkey.testing import Provider, user
from tests.login.web.browser import Browser
from tests.login.web.conftest import login_at, registered
from tests.login.web.sites import flask_site, on_asgi
from tests.support.web_browser import JSON
from tests.support.web_sites import OnWSGI

FORM = {**JSON, "Content-Type": "application/x-www-form-urlencoded"}
MANY = tuple((f"a{number}", "b") for number in range(1001))


def test_a_posted_callback_with_too_many_parameters_is_the_browsers_fault(browser: Browser) -> None:
    assert browser.post("/auth/callback", MANY).status == 400


@pytest.mark.parametrize("route", ["login", "callback", "frontchannel-logout", "logout", "me"])
def test_a_query_with_too_many_parameters_is_the_browsers_fault(browser: Browser, route: str) -> None:
    query = "&".join(f"{name}={value}" for name, value in MANY)
    assert browser.get(f"/auth/{route}?{query}").status < 500


def test_claims_that_are_too_long_for_a_store_leave_nothing_in_it() -> None:
    talker = user("talker", "tick", userinfo_claims={"story": "x" * 1_048_000})
    with Provider(clients=[registered()], users=[talker]) as provider:
        store = MemoryStore()
        with flask_site(login_at(provider, sessions=store), "x") as site:
            done = Browser(site).log_in(provider, "talker")
        assert done.status == 400
        assert [key for key in store._entries if key.startswith(("login/session", "login/token", "login/user"))] == []


def other() -> Login:
    return Login(issuer="https://op.example", client_id="app", sessions="memory:", prefix="/staff", cookie="staff")


def ended(browser: Browser, provider: Provider) -> int:
    """Log in, call the API, and end the grant; the status of the next call."""
    browser.log_in(provider)
    assert browser.get("/api", JSON).status == 200
    provider.expire_access_tokens()
    provider.reject_refresh_tokens()
    return browser.get("/api", JSON).status


def test_a_user_of_the_first_of_two_logins_in_flask_is_asked_to_log_in_again(provider: Provider) -> None:
    app, login = flask.Flask("two"), login_at(provider)
    login.init_app(app)
    other().init_app(app)

    @app.get("/api")
    @login.required
    def api() -> Any:
        assert login.user is not None
        return login.user.client.get(provider.userinfo_endpoint).json()

    assert ended(Browser(OnWSGI(app)), provider) == 401


def test_a_user_of_the_first_of_two_logins_in_starlette_is_asked_to_log_in_again(provider: Provider) -> None:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import JSONResponse
    from starlette.routing import Route

    login = login_at(provider)

    @login.required
    async def api(request: Request) -> JSONResponse:
        found = await login.user_of(request)
        assert found is not None
        return JSONResponse((await found.client.get(provider.userinfo_endpoint)).json())

    app = Starlette(routes=[Route("/api", api)])
    login.mount(app)
    other().mount(app)
    with on_asgi(app) as site:
        assert ended(Browser(site), provider) == 401


def test_the_body_of_a_request_is_left_to_the_view_in_flask(provider: Provider) -> None:
    app, login = flask.Flask("bodies"), login_at(provider)
    login.init_app(app)

    @app.post("/data")
    @login.required
    def data() -> bytes:
        return flask.request.get_data()

    @app.post("/stream")
    @login.required
    def stream() -> bytes:
        return flask.request.stream.read()

    browser = Browser(OnWSGI(app))
    large = browser.send("POST", "/data", FORM, b"a=" + b"x" * 600_000)
    assert large.status == 401, "a body of a stranger is not read"
    browser.log_in(provider)
    for path in ("/data", "/stream"):
        assert browser.send("POST", path, FORM, b"a=1&b=2").body == b"a=1&b=2"

"""Requests and claims that only an attacker sends, and bodies that belong to a view of the program."""

from __future__ import annotations

import io
from typing import Any
from urllib.parse import urlencode

import flask
import pytest

from doorkey.errors import OAuthError
from doorkey.integrations.flask_client import OAuth
from doorkey.login import Login
from doorkey.login.web.messages import MAX_FORM
from doorkey.stores import MemoryStore
from doorkey.testing import Provider, user
from tests.support.login_application import login_at, registered
from tests.support.login_browser import Browser
from tests.support.login_sites import flask_site, on_asgi
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


class Body(io.RawIOBase):
    """A body that never ends."""

    read_bytes = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        buffer[:] = b"a" * len(buffer)
        self.read_bytes += len(buffer)
        assert self.read_bytes < 16 * MAX_FORM, "the body is read without a bound"
        return len(buffer)


LONG = {"CONTENT_LENGTH": str(10**9)}
CHUNKED = {"CONTENT_LENGTH": "", "HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input_terminated": True}


@pytest.mark.parametrize("kind", ["multipart/form-data; boundary=x", "text/plain", FORM["Content-Type"]])
@pytest.mark.parametrize("length", [LONG, CHUNKED])
def test_no_body_without_end_is_read_in_flask(provider: Provider, kind: str, length: dict[str, Any]) -> None:
    app = flask.Flask("bounded")
    login_at(provider).init_app(app)
    registry: Any = OAuth(app).register("op", client_id="c", server_metadata_url=f"{provider.issuer}/none")

    @app.post("/callback")
    def callback() -> str:
        with pytest.raises(OAuthError):
            registry.authorize_access_token()
        return "rejected"

    for path in ("/auth/callback", "/auth/backchannel-logout", "/auth/logout", "/callback"):
        site = OnWSGI(app, environment={"wsgi.input": Body(), "CONTENT_TYPE": kind, **length})
        answer = site.call("POST", f"http://127.0.0.1:8000{path}", JSON, b"")
        assert answer.status < 500, answer.text
        assert path != "/callback" or answer.text == "rejected"


def test_a_form_that_comes_in_chunks_is_read_in_flask(provider: Provider) -> None:
    app = flask.Flask("chunked")
    login_at(provider).init_app(app)
    form = urlencode({"logout_token": provider.logout_token("alice", client_id="web-app")}).encode()
    environment = {"wsgi.input": io.BytesIO(form), "CONTENT_TYPE": FORM["Content-Type"], **CHUNKED}
    site = OnWSGI(app, environment=environment)
    answer = site.call("POST", "http://127.0.0.1:8000/auth/backchannel-logout", JSON, b"")
    assert (answer.status, answer.text) == (200, "")

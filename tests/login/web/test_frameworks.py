"""What one framework has and the others have not."""

import flask
import pytest
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route

from doorkey.errors import InvalidGrant, UsageError
from doorkey.login import Login
from doorkey.testing import Provider
from tests.support.login_application import login_at
from tests.support.login_browser import Browser
from tests.support.login_sites import on_asgi
from tests.support.web_sites import OnWSGI


def test_the_login_of_a_mounted_application_is_below_its_path(provider: Provider) -> None:
    login = login_at(provider)

    @login.required
    async def orders(request: Request) -> PlainTextResponse:
        return PlainTextResponse("orders")

    shop = Starlette(routes=[Mount("/inner", routes=[Route("/orders", orders)])])
    login.mount(shop)
    with on_asgi(Starlette(routes=[Mount("/shop", shop)])) as site:
        browser = Browser(site)
        asked = browser.get("/shop/inner/orders?page=2")
        assert asked.location == "/shop/auth/login?next=%2Fshop%2Finner%2Forders%3Fpage%3D2"
        begun = browser.get(asked.location).location
        assert "redirect_uri=http%3A%2F%2F127.0.0.1%3A8000%2Fshop%2Fauth%2Fcallback" in begun


def test_a_flask_application_below_a_path_has_its_login_there(provider: Provider) -> None:
    from werkzeug.middleware.dispatcher import DispatcherMiddleware

    login, app = login_at(provider), flask.Flask(__name__)
    login.init_app(app)
    app.add_url_rule("/orders", "orders", login.required(lambda: "orders"))
    browser = Browser(OnWSGI(DispatcherMiddleware(flask.Flask("outer"), {"/shop": app})))
    assert browser.get("/shop/orders").location == "/shop/auth/login?next=%2Fshop%2Forders"
    assert "%2Fshop%2Fauth%2Fcallback" in browser.get("/shop/auth/login").location


def test_protection_against_forged_forms_leaves_the_routes_alone(provider: Provider) -> None:
    """Flask-WTF registers itself as `csrf`. Its `exempt` excludes views that have CSRF protection of their own."""

    class Protection:
        def __init__(self) -> None:
            self.exempted: list[object] = []

        def exempt(self, view: object) -> None:
            self.exempted.append(view)

    app, protection = flask.Flask(__name__), Protection()
    app.extensions["csrf"] = protection
    login_at(provider).init_app(app)
    assert protection.exempted == [app.view_functions["doorkey_login_auth"]]


def test_two_logins_of_one_application_have_users_of_their_own(provider: Provider) -> None:
    app = flask.Flask(__name__)
    staff, customers = (login_at(provider, prefix=f"/auth/{name}", cookie=name) for name in ("staff", "customers"))
    for login in (staff, customers):
        login.init_app(app)
    app.add_url_rule("/", "home", lambda: {"staff": staff.user is not None, "customers": customers.user is not None})
    browser = Browser(OnWSGI(app))
    browser.log_in(provider, path="/auth/staff/login")
    assert browser.get("/").json == {"staff": True, "customers": False}


@pytest.mark.parametrize("kind", [InvalidGrant, UsageError])
def test_an_error_that_is_not_about_the_users_token_stays_an_error(provider: Provider, kind: type[Exception]) -> None:
    login, app = login_at(provider), flask.Flask(__name__)
    login.init_app(app)

    @app.get("/")
    def home() -> str:
        assert login.user is not None
        raise kind("invalid_grant")

    browser = Browser(OnWSGI(app))
    browser.log_in(provider)
    assert browser.get("/").status == 500
    assert browser.get("/auth/me").status == 200, "the session goes on"


def test_the_same_on_starlette(provider: Provider) -> None:
    login = login_at(provider)

    async def home(request: Request) -> PlainTextResponse:
        assert await login.user_of(request)
        raise InvalidGrant("invalid_grant")

    app = Starlette(routes=[Route("/", home)])
    login.mount(app)
    with on_asgi(app, raises=False) as site:
        browser = Browser(site)
        browser.log_in(provider)
        assert browser.get("/").status == 500
        assert browser.get("/auth/me").status == 200


def test_a_form_that_is_too_long_is_not_read(provider: Provider) -> None:
    app = Starlette()
    login_at(provider).mount(app)
    with on_asgi(app) as site:
        browser = Browser(site)
        assert browser.post("/auth/backchannel-logout", {"logout_token": "x" * 200_000}).status == 400
        reply = browser.site.call("POST", "http://127.0.0.1:8000/auth/callback", {"Content-Type": "text/plain"}, b"a=b")
        assert reply.status == 400


def test_login_user_needs_a_request() -> None:
    login = Login(issuer="https://op.example", client_id="app", sessions="memory:")
    with pytest.raises(UsageError, match="current request"):
        _ = login.user


def test_a_view_without_a_request_is_named() -> None:
    login = Login(issuer="https://op.example", client_id="app", sessions="memory:")
    with pytest.raises(UsageError, match="current request"):
        login.required(lambda: None)()


def test_a_view_that_is_reachable_without_the_decorator_is_refused(provider: Provider) -> None:
    def wrong() -> str:
        return "for users"

    def right() -> str:
        return "for users"

    login, app = login_at(provider), flask.Flask(__name__)
    login.init_app(app)
    with pytest.raises(UsageError, match="below the decorator of the route"):
        login.required(app.get("/wrong")(wrong))
    app.get("/right")(login.required(right))

    login, api = login_at(provider), FastAPI()
    login.mount(api)
    with pytest.raises(UsageError, match="below the decorator of the route"):
        login.required(api.get("/wrong")(wrong))
    api.get("/right")(login.required(right))

"""Requests that share an application context of Flask, or a state of ASGI: each has its own user and token."""

# Flask's decorators and proxies are partly untyped
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import flask
import pytest

from doorkey.integrations.flask_client import OAuth
from doorkey.integrations.flask_oauth2 import ResourceProtector, current_token
from doorkey.oauth2.rfc6750 import BearerTokenValidator
from doorkey.resource import AccessTokenVerifier
from doorkey.resource.on_flask import FlaskGuard
from doorkey.testing import LocalIssuer, Provider
from tests.support.login_application import login_at
from tests.support.login_browser import Browser
from tests.support.login_sites import on_asgi
from tests.support.web_browser import JSON
from tests.support.web_sites import OnWSGI

API = "https://api.example"


@pytest.fixture(params=["no context", "one context for all requests"])
def shared(request: pytest.FixtureRequest) -> Callable[[flask.Flask], Any]:
    """What surrounds the requests of a test."""
    return (lambda app: app.app_context()) if request.param != "no context" else lambda _: nullcontext()


@pytest.fixture(scope="module")
def issuer() -> LocalIssuer:
    return LocalIssuer()


def test_the_user_of_a_login_is_that_of_the_request(provider: Provider, shared: Callable[[flask.Flask], Any]) -> None:
    app, login = flask.Flask("users"), login_at(provider)
    login.init_app(app)
    app.add_url_rule("/", "home", lambda: {"name": login.user.name if login.user else None})
    browsers = [Browser(OnWSGI(app)) for _ in range(3)]
    with shared(app):
        for name, browser in zip(("alice", "bob"), browsers, strict=False):
            browser.log_in(provider, name)
        names = [browser.get("/", JSON).json["name"] for browser in browsers * 2]
    assert names == ["Alice Example", "Bob Example", None] * 2


def test_the_token_of_a_registry_is_that_of_the_request(shared: Callable[[flask.Flask], Any]) -> None:
    app = flask.Flask("registry")
    client: Any = OAuth(app).register("op", client_id="c", access_token_url="https://op.example/token")

    @app.get("/<name>")
    def keep(name: str) -> str:
        before = client.token
        if name != "nobody":
            client.token = {"access_token": name}
        return f"{before} {client.token}"

    with shared(app):
        seen = [app.test_client().get(f"/{name}").text for name in ("alice", "bob", "nobody")]
    assert seen == ["None {'access_token': 'alice'}", "None {'access_token': 'bob'}", "None None"]


def test_the_token_of_a_guard_is_that_of_the_request(issuer: LocalIssuer, shared: Callable[[flask.Flask], Any]) -> None:
    app = flask.Flask("guard")
    guard = FlaskGuard(AccessTokenVerifier(issuer, audience=API, profile="keycloak", clock=issuer.clock))

    @app.get("/me")
    @guard.require()
    def me() -> str:
        assert guard.access_token is not None
        return f"{guard.access_token.claims['preferred_username']} {app.test_client().get('/inner').status_code}"

    @app.get("/inner")
    def inner() -> str:
        return str(guard.access_token)

    with shared(app):
        for name in ("alice", "user"):
            claims = {"preferred_username": name}
            header = {"Authorization": f"Bearer {issuer.token(name, audience=API, claims=claims)}"}
            assert app.test_client().get("/me", headers=header).text == f"{name} 500"
        assert app.test_client().get("/inner").status_code == 500, "no guard has checked this request"


def test_the_current_token_of_a_protector_is_that_of_the_request(shared: Callable[[flask.Flask], Any]) -> None:
    class Named(BearerTokenValidator):
        def authenticate_token(self, token_string: str) -> Any:
            return {"name": token_string}

        def validate_token(self, token: Any, scopes: Any, request: Any) -> None:
            assert token

    app, protector = flask.Flask("protector"), ResourceProtector()
    protector.register_token_validator(Named())
    app.add_url_rule("/me", "me", protector()(lambda: current_token["name"]))
    app.add_url_rule("/open", "open", lambda: str(bool(current_token)))
    with shared(app):
        client = app.test_client()
        seen = [client.get("/me", headers={"Authorization": f"Bearer {name}"}).text for name in ("alice", "bob")]
        assert [*seen, client.get("/open").text] == ["alice", "bob", "False"]


def test_the_user_is_that_of_the_request_where_a_server_shares_the_state_of_the_lifespan(provider: Provider) -> None:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import JSONResponse
    from starlette.routing import Route

    login, state = login_at(provider), dict[str, Any]()

    async def home(request: Request) -> JSONResponse:
        user = await login.user_of(request)
        return JSONResponse({"name": user.name if user else None})

    app = Starlette(routes=[Route("/", home)])
    login.mount(app)

    async def served(scope: Any, receive: Any, send: Any) -> None:
        scope["state"] = state
        await app(scope, receive, send)

    with on_asgi(served) as site:
        browsers = [Browser(site) for _ in range(3)]
        for name, browser in zip(("alice", "bob"), browsers, strict=False):
            browser.log_in(provider, name)
        names = [browser.get("/", JSON).json["name"] for browser in browsers * 2]
    assert names == ["Alice Example", "Bob Example", None] * 2

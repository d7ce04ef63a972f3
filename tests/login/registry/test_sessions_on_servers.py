"""Sessions that are on the server, with an ID in the cookie: a login renews it (session fixation).

The interfaces here have the methods of Flask-Session 0.8 (`regenerate`) and starsessions 2.2 (`regenerate_id`).
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import flask
import pytest
from anyio.from_thread import BlockingPortal
from flask.sessions import SecureCookieSession, SessionInterface
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from doorkey.integrations import flask_client, starlette_client
from tests.support.openid_provider import CLIENT, SECRET, SUB, OpenIDProvider
from tests.support.relying_party import parameters
from tests.support.web_browser import JSON
from tests.support.web_sites import OnASGI, OnWSGI, Site

CALLBACK = "https://rp.example/callback"
Sessions = dict[str, dict[str, Any]]


class FlaskSessions(SessionInterface):
    """Sessions in a dictionary."""

    def __init__(self, kept: Sessions) -> None:
        self.kept = kept

    def open_session(self, app: Any, request: Any) -> Any:
        session: Any = SecureCookieSession(self.kept.get(request.cookies.get("sid", ""), {}))
        session.sid = request.cookies.get("sid") or secrets.token_urlsafe()  # an ID that another host has set is used
        return session

    def save_session(self, app: Any, session: Any, response: Any) -> None:
        self.kept[session.sid] = dict(session)
        response.set_cookie("sid", session.sid, secure=True, httponly=True, samesite="Lax")

    def regenerate(self, session: Any) -> None:
        self.kept.pop(session.sid, None)
        session.sid = secrets.token_urlsafe()


class Handler:
    """The session of a request of Starlette."""

    def __init__(self, sid: str) -> None:
        self.sid = sid

    def regenerate_id(self) -> str:
        self.sid = secrets.token_urlsafe()
        return self.sid


def on_flask(options: dict[str, Any], kept: Sessions, run: Callable[..., Any]) -> Site:
    app = flask.Flask("server sessions")
    app.session_interface = FlaskSessions(kept)
    client: Any = flask_client.OAuth(app).register("op", **options)

    @app.get("/login")
    def login() -> Any:
        return client.authorize_redirect(CALLBACK)

    @app.get("/callback")
    def callback() -> dict[str, Any]:
        flask.session["user"] = client.authorize_access_token()["userinfo"]["sub"]
        return {"cart": flask.session.get("cart")}

    return OnWSGI(app)


def on_starlette(options: dict[str, Any], kept: Sessions, run: Callable[..., Any]) -> Site:
    client: Any = starlette_client.OAuth().register("op", **options)

    async def login(request: Request) -> Any:
        return await client.authorize_redirect(request, CALLBACK)

    async def callback(request: Request) -> JSONResponse:
        request.session["user"] = (await client.authorize_access_token(request))["userinfo"]["sub"]
        return JSONResponse({"cart": request.session.get("cart")})

    app = Starlette(routes=[Route("/login", login), Route("/callback", callback)])

    async def with_session(scope: Any, receive: Any, send: Any) -> None:
        sid = Request(scope).cookies.get("sid") or secrets.token_urlsafe()
        scope["session"], scope["session_handler"] = dict(kept.get(sid, {})), Handler(sid)

        async def sending(message: Any) -> None:
            if message["type"] == "http.response.start":
                now = scope["session_handler"].sid
                kept[now] = dict(scope["session"])
                cookie = f"sid={now}; Path=/; Secure; HttpOnly; SameSite=Lax"
                message["headers"] = [*message["headers"], (b"set-cookie", cookie.encode())]
            await send(message)

        await app(scope, receive, sending)

    return OnASGI(with_session, run)


@pytest.mark.parametrize("make", [on_flask, on_starlette])
def test_an_id_that_another_host_has_set_is_not_that_of_the_user_after_the_login(
    make: Callable[..., Site], provider: OpenIDProvider, portal: BlockingPortal
) -> None:
    options = {
        "client_id": CLIENT,
        "client_secret": SECRET,
        "server_metadata_url": provider.server.url("/.well-known/openid-configuration"),
        "client_kwargs": {"scope": "openid"},
    }
    kept: Sessions = {"chosen-by-the-attacker": {"cart": 7}}
    site = make(options, kept, portal.call)
    cookie = {**JSON, "Cookie": "sid=chosen-by-the-attacker"}
    begun = site.call("GET", "https://rp.example/login", cookie, b"")
    response = urlencode(parameters(provider.log_in(begun.location)))
    done = site.call("GET", f"{CALLBACK}?{response}", cookie, b"")
    assert done.status == 200, done.text
    assert done.json == {"cart": 7}, "what the session had stays"
    [of_user] = [sid for sid, session in kept.items() if session.get("user") == SUB]
    assert of_user != "chosen-by-the-attacker"
    assert f"sid={of_user}" in (done.header("Set-Cookie") or "")

"""Pages of other origins, also of hosts beside the application: cookies that they set, WebSockets that they open."""

# `login.User` is a type for FastAPI at run time, and no type for a checker
# pyright: reportInvalidTypeForm=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownParameterType=false, reportUnknownArgumentType=false

from typing import Any

import pytest

from doorkey.testing import Provider
from tests.support.login_application import PUBLIC, SECRET, MakeSite, login_at
from tests.support.login_browser import Browser
from tests.support.web_browser import JSON, LOCAL, PAGE
from tests.support.web_sites import OnASGI

EVIL = "https://evil.app.example"


@pytest.mark.parametrize("space", ["\xa0", "\x85"])
def test_a_neighbor_cannot_set_the_cookie_of_a_pending_login(
    make_site: MakeSite, provider: Provider, space: str
) -> None:
    """A browser sends such a name, which does not begin with `__Host-`, and Python's `strip` takes the space away."""
    site = make_site(base_url=PUBLIC, secret=SECRET)
    attacker = Browser(site, PUBLIC)
    callback = provider.log_in(attacker.get("/auth/login").location, "bob")
    [(name, value)] = attacker.cookies_of().items()
    assert name.startswith("__Host-doorkey-login-")
    refused = site.call("GET", callback, {**JSON, "Cookie": f"{space}{name}={value}"}, b"")
    assert (refused.status, refused.json["code"]) == (400, "no_pending_login")
    assert site.call("GET", callback, {**PAGE, "Cookie": f"{name}={value}"}, b"").status == 303, "it is still good"


def test_a_neighbor_cannot_set_the_cookie_of_a_session(provider: Provider) -> None:
    from tests.support.login_sites import flask_site

    with flask_site(login_at(provider, base_url=PUBLIC, secret=SECRET), "x") as site:
        attacker = Browser(site, PUBLIC)
        attacker.log_in(provider, "bob")
        victim = Browser(site, PUBLIC)
        victim.log_in(provider)
        own, others = (f"__Host-doorkey={one.cookies_of()['__Host-doorkey']}" for one in (victim, attacker))
        me = site.call("GET", f"{PUBLIC}/auth/me", {**JSON, "Cookie": f"\xa0{others}; {own}"}, b"")
        assert me.json["name"] == "Alice Example"


# -- WebSockets --------------------------------------------------------------------------------------------------------


def sockets(provider: Provider, **options: Any) -> Any:
    """Return an application of FastAPI with WebSockets, and its login."""
    from fastapi import FastAPI, WebSocket
    from starlette.routing import WebSocketRoute

    login, app = login_at(provider, **options), FastAPI()
    login.mount(app)

    @app.websocket("/user")
    async def user(socket: WebSocket, user: login.User) -> None:  # type: ignore[name-defined]
        await socket.accept()
        await socket.send_text(user.name)

    @app.websocket("/optional")
    async def optional(socket: WebSocket, user: login.OptionalUser) -> None:  # type: ignore[name-defined]
        await socket.accept()
        await socket.send_text(user.name if user else "nobody")

    @login.required
    async def required(socket: WebSocket) -> None:
        await socket.accept()
        found = await login.user_of(socket)
        await socket.send_text(found.name if found else "nobody")

    app.router.routes.append(WebSocketRoute("/required", required))
    return app


def heard(client: Any, path: str, cookie: str, **headers: str) -> str:
    """Return what a WebSocket tells first."""
    with client.websocket_connect(path, headers={"Cookie": cookie, **headers}) as socket:
        told: str = socket.receive_text()
        return told


@pytest.mark.parametrize("base_url", [None, PUBLIC])
def test_a_websocket_of_a_page_of_another_origin_has_no_user(provider: Provider, base_url: str | None) -> None:
    from starlette.testclient import TestClient, WebSocketDenialResponse

    own = base_url or LOCAL
    with TestClient(sockets(provider, base_url=base_url, secret=SECRET), own) as client:
        assert client.portal is not None
        browser = Browser(OnASGI(client.app, client.portal.call), own)
        browser.log_in(provider)
        [(name, value)] = browser.cookies_of().items()
        cookie, socket = f"{name}={value}", own.replace("http", "ws")
        for path in (f"{socket}/user", f"{socket}/optional", f"{socket}/required"):
            assert heard(client, path, cookie) == "Alice Example", "a program that is no browser names no origin"
            assert heard(client, path, cookie, Origin=own) == "Alice Example"
        for origin in (EVIL, "null", own.replace("http", "ftp"), f"{own}:1", f"{own}.evil.example"):
            assert heard(client, f"{socket}/optional", cookie, Origin=origin) == "nobody"
            for path in (f"{socket}/user", f"{socket}/required"):
                with pytest.raises(WebSocketDenialResponse) as rejected:
                    heard(client, path, cookie, Origin=origin)
                assert rejected.value.status_code == 401


def test_a_websocket_without_a_user_is_closed_by_a_server_that_sends_no_response(provider: Provider) -> None:
    import anyio

    async def connect(path: str) -> list[dict[str, Any]]:
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return {"type": "websocket.connect"}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        scope = {
            "type": "websocket",
            "scheme": "ws",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "root_path": "",
            "headers": [(b"host", b"127.0.0.1:8000")],
            "subprotocols": [],
        }
        await app(scope, receive, send)
        return sent

    app = sockets(provider)
    for path in ("/user", "/required"):
        [closed] = anyio.run(connect, path)
        assert (closed["type"], closed["code"]) == ("websocket.close", 1008)


# -- the path below which an application is mounted --------------------------------------------------------------------


@pytest.mark.parametrize("tenant", ["%5Cevil.example", "%22%3Bevil", "a%0D%0AX-Evil%3A 1", "caf%C3%A9", "plain"])
def test_a_mount_path_that_the_browser_chooses_leads_to_no_other_host(provider: Provider, tenant: str) -> None:
    """Of a route with a parameter, such as ``Mount("/{tenant}", app)``, whose decoded value is in `root_path`."""
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import PlainTextResponse
    from starlette.routing import Mount, Route
    from starlette.testclient import TestClient

    login = login_at(provider)

    @login.required
    async def page(request: Request) -> PlainTextResponse:
        raise AssertionError("nobody is logged in")

    inner = Starlette(routes=[Route("/page", page)])
    login.mount(inner)
    with TestClient(Starlette(routes=[Mount("/{tenant}", inner)]), "http://127.0.0.1:8000") as client:
        asked = client.get(f"/{tenant}/page", headers=PAGE, follow_redirects=False)
        assert asked.status_code == 303
        location = asked.headers["Location"]
        assert location.startswith(f"/{tenant.replace(' ', '%20').replace('%3B', ';').replace('%3A', ':')}/auth/login?")
        assert "x-evil" not in asked.headers
        challenge = client.get(f"/{tenant}/page", headers=JSON).headers["WWW-Authenticate"]
        assert challenge.count('"') == 4
        gone = client.post(f"/{tenant}/auth/logout", headers=PAGE, follow_redirects=False).headers["Location"]
        assert gone.startswith("/")
        assert not gone.startswith(("//", "/\\"))

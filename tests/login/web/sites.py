"""One application on each framework: the same pages, with a login."""

# `login.User` is a type for FastAPI at run time, and no type for a checker
# pyright: reportInvalidTypeForm=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownParameterType=false

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from typing import Any, Final
from urllib.parse import urlsplit

from doorkey.login import Login
from tests.login.django.contract import django_site
from tests.login.web.browser import Reply, Site


class OnWSGI:
    """A WSGI application."""

    def __init__(self, app: Any) -> None:
        from werkzeug.test import Client

        self._client = Client(app, use_cookies=False)

    def call(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Reply:
        parts = urlsplit(url)
        response = self._client.open(
            parts.path,
            method=method,
            query_string=parts.query,
            base_url=f"{parts.scheme}://{parts.netloc}",
            headers=dict(headers),
            data=body,
        )
        return Reply(response.status_code, tuple(response.headers.items()), response.data)


class OnASGI:
    """An ASGI application, in one event loop."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def call(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Reply:
        self._client.cookies.clear()
        response = self._client.request(method, url, headers=dict(headers), content=body, follow_redirects=False)
        self._client.cookies.clear()
        return Reply(response.status_code, tuple(response.headers.multi_items()), response.content)


@contextmanager
def flask_site(login: Login, api: str) -> Generator[Site]:
    """The application on Flask; `api` is a URL that `/api` requests with the user's token."""
    import flask

    app = flask.Flask(__name__)
    login.init_app(app)

    @app.get("/")
    @login.required
    def home() -> dict[str, Any]:
        assert login.user is not None
        return {"sub": login.user.sub, "name": login.user.name, "csrf": login.user.csrf_token}

    @app.route("/orders", methods=["GET", "POST"])
    @login.required
    async def orders() -> dict[str, Any]:
        assert login.user is not None
        return {"sub": login.user.sub}

    @app.get("/open")
    def public() -> dict[str, Any]:
        return {"sub": login.user.sub if login.user else None}

    @app.get("/api")
    @login.required
    def call_api() -> dict[str, Any]:
        assert login.user is not None
        answer: dict[str, Any] = login.user.client.get(api).json()
        return answer

    yield OnWSGI(app)


@contextmanager
def starlette_site(login: Login, api: str) -> Generator[Site]:
    """The same on Starlette."""
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import JSONResponse
    from starlette.routing import Route
    from starlette.testclient import TestClient

    @login.required
    async def home(request: Request) -> JSONResponse:
        user = await login.user_of(request)
        assert user is not None
        return JSONResponse({"sub": user.sub, "name": user.name, "csrf": user.csrf_token})

    @login.required
    def orders(request: Request) -> JSONResponse:
        from anyio.from_thread import run

        user = run(login.user_of, request)
        assert user is not None
        return JSONResponse({"sub": user.sub})

    async def public(request: Request) -> JSONResponse:
        user = await login.user_of(request)
        return JSONResponse({"sub": user.sub if user else None})

    @login.required
    async def call_api(request: Request) -> JSONResponse:
        user = await login.user_of(request)
        assert user is not None
        return JSONResponse((await user.client.get(api)).json())

    routes = [
        Route("/", home),
        Route("/orders", orders, methods=["GET", "POST"]),
        Route("/open", public),
        Route("/api", call_api),
    ]
    app = Starlette(routes=routes)
    login.mount(app)
    with TestClient(app) as client:
        yield OnASGI(client)


@contextmanager
def fastapi_site(login: Login, api: str) -> Generator[Site]:
    """The same on FastAPI."""
    from fastapi import FastAPI
    from starlette.testclient import TestClient

    app = FastAPI()
    login.mount(app)

    @app.get("/")
    async def home(user: login.User) -> dict[str, Any]:  # type: ignore[name-defined]
        return {"sub": user.sub, "name": user.name, "csrf": user.csrf_token}

    @app.api_route("/orders", methods=["GET", "POST"])
    def orders(user: login.User) -> dict[str, Any]:  # type: ignore[name-defined]
        return {"sub": user.sub}

    @app.get("/open")
    async def public(user: login.OptionalUser) -> dict[str, Any]:  # type: ignore[name-defined]
        return {"sub": user.sub if user else None}

    @app.get("/api")
    async def call_api(user: login.User) -> dict[str, Any]:  # type: ignore[name-defined]
        answer: dict[str, Any] = (await user.client.get(api)).json()
        return answer

    with TestClient(app) as client:
        yield OnASGI(client)


SITES: Final[dict[str, Callable[[Login, str], Any]]] = {
    "flask": flask_site,
    "starlette": starlette_site,
    "fastapi": fastapi_site,
    "django": django_site,
}

BLOCKING: Final = ("flask", "django")
"""Those whose store blocks."""

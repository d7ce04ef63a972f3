"""One application on each framework: the same pages, with a login."""

# `login.User` is a type for FastAPI at run time, and no type for a checker
# pyright: reportInvalidTypeForm=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownParameterType=false

from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Final

from doorkey.login import Login
from tests.support.django_login_site import django_site
from tests.support.web_sites import OnASGI, OnWSGI, Site


@contextmanager
def on_asgi(app: Any, *, raises: bool = True) -> Generator[OnASGI]:
    """Start an ASGI application in an event loop of its own; `raises` is as for `OnASGI`."""
    from starlette.testclient import TestClient

    with TestClient(app) as client:
        assert client.portal is not None
        yield OnASGI(app, client.portal.call, raises)


def flask_app(login: Login, api: str) -> Any:
    """Return the application on Flask; `api` is a URL that `/api` requests with the user's token."""
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

    return app


@contextmanager
def flask_site(login: Login, api: str) -> Generator[Site]:
    """The application on Flask."""
    yield OnWSGI(flask_app(login, api))


def starlette_app(login: Login, api: str) -> Any:
    """Return the same on Starlette."""
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import JSONResponse
    from starlette.routing import Route

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
    return app


def starlette_site(login: Login, api: str) -> AbstractContextManager[Site]:
    """The application on Starlette."""
    return on_asgi(starlette_app(login, api))


def fastapi_site(login: Login, api: str) -> AbstractContextManager[Site]:
    """The same on FastAPI."""
    from fastapi import FastAPI

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

    return on_asgi(app)


SITES: Final[dict[str, Callable[[Login, str], Any]]] = {
    "flask": flask_site,
    "starlette": starlette_site,
    "fastapi": fastapi_site,
    "django": django_site,
}

BLOCKING: Final = ("flask", "django")
"""Those whose store blocks."""

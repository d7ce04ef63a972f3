"""The programs with `Login` that `./dev bench --login` measures beside the registries."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any, Final

from bench.login_provider import CLIENT
from bench.server import Served
from doorkey.login import Login
from tests.support.web_sites import HOST, Browser, Site, on_asgi, on_wsgi

Run = Callable[..., Any]


def browser(framework: str, provider: Served, run: Run, stack: ExitStack) -> Browser | None:
    """Return a browser in front of a program with `Login`, None for a framework without one; `stack` closes it."""
    if framework not in PROGRAMS:
        return None
    given: dict[str, Any] = {"issuer": provider.origin, "client_id": CLIENT, "client_secret": "secret"}
    login = Login(base_url=f"https://{HOST}", sessions="memory:", **given)
    stack.callback(run, login.aclose) if framework == "starlette" else stack.callback(login.close)
    return Browser(PROGRAMS[framework](login, provider.api, run))


def _flask(login: Login, api: str, _: Run) -> Site:
    import flask

    app = flask.Flask(__name__)
    login.init_app(app)

    @app.get("/api")
    @login.required
    def call() -> dict[str, Any]:
        assert login.user is not None
        answer = login.user.client.get(api)
        return {"status": answer.status_code, "body": answer.json()}

    return Site(on_wsgi(app))


def _starlette(login: Login, api: str, run: Run) -> Site:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import JSONResponse
    from starlette.routing import Route

    @login.required
    async def call(request: Request) -> JSONResponse:
        user = await login.user_of(request)
        assert user is not None
        answer = await user.client.get(api)
        return JSONResponse({"status": answer.status_code, "body": answer.json()})

    app = Starlette(routes=[Route("/api", call)])
    login.mount(app)
    return Site(on_asgi(app, run))


PROGRAMS: Final[dict[str, Callable[[Login, str, Run], Site]]] = {"flask": _flask, "starlette": _starlette}
